"""A request id for logs and the history: taken from a trusted proxy's header when well-formed, else made here."""

import logging
import re
import uuid

from django.http import HttpRequest, HttpResponse

from dynosite.lib.request_id import current_request_id, request_id

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        header = request.headers.get(HEADER, "")
        this = header if _WELL_FORMED.fullmatch(header) else uuid.uuid4().hex
        token = request_id.set(this)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response[HEADER] = this
        return response


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id()
        return True
