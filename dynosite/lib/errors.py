"""The pages for errors; each keeps Django's own handling and only names our template. To programs they are JSON."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from dynosite.lib.api.errors import Failure, framework_body, json_response
from dynosite.lib.request_id import current_request_id

API = "/api/"


def _told(status: int, sentence: str, page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.path.startswith(API):
            return page(request, *args, **kwargs)
        return json_response(Failure(status, framework_body(status, sentence) | {"request_id": current_request_id()}))

    return answer


bad_request = _told(
    400, "The request could not be read.", partial(defaults.bad_request, template_name="errors/400.html")
)
permission_denied = _told(
    403, "This is not allowed.", partial(defaults.permission_denied, template_name="errors/403.html")
)
page_not_found = _told(
    404, "There is no such address.", partial(defaults.page_not_found, template_name="errors/404.html")
)
server_error = _told(
    500,
    "Something went wrong here. The fault has been recorded.",
    partial(defaults.server_error, template_name="errors/500.html"),
)


def _csrf_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "errors/csrf.html", status=403)


csrf_failure = _told(403, "The CSRF token is missing or does not fit.", _csrf_page)
"""Of a page: most often one that was open through a new sign-in."""
