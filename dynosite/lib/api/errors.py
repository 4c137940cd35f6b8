"""Errors as JSON, with a code and a sentence.

An error of the domain brings a stable `code`, a `sentence` and its `http_status`; `details()` has what more there is
to say.
"""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

NOT_KEPT = {"Cache-Control": "no-store"}
EMPTY: dict[str, Any] = {"refusals": [], "places": [], "errors": {}}
_OF_THE_FRAMEWORK = {
    400: "malformed",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    429: "limited",
    500: "failed",
}


@dataclass(frozen=True)
class Failure:
    """An answer to an error."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def failure_of(error: Exception) -> Failure | None:
    """None for what nobody expected, which is the server's fault and not told."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(*error.args[:1]) if error.args else exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.ValidationError):
        errors = _errors(error.detail)
        sentences = [sentence for texts in errors.values() for sentence in texts]
        return Failure(422, {"code": "invalid", "message": " ".join(sentences)} | EMPTY | {"errors": errors})
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    code, sentence = getattr(error, "code", None), getattr(error, "sentence", None)
    if not isinstance(code, str) or not isinstance(sentence, str):
        return None
    details: dict[str, Any] = getattr(error, "details", dict)()
    seconds = details.get("seconds")
    headers = {"Retry-After": str(max(1, round(seconds)))} if seconds else {}
    return Failure(getattr(error, "http_status", 422), {"code": code, "message": sentence} | EMPTY | details, headers)


def _of_framework(error: exceptions.APIException) -> Failure:
    status = int(error.status_code)
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, round(wait)))
    return Failure(status, framework_body(status, str(error.detail)), headers)


def framework_body(status: int, sentence: str) -> dict[str, Any]:
    """Of an error that has no code of its own."""
    return {"code": _OF_THE_FRAMEWORK.get(status, "error"), "message": sentence} | EMPTY


def _errors(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Sentences by field; of fields within fields by `outer.inner`."""
    if isinstance(detail, list):
        errors: dict[str, list[str]] = {}
        for item in detail:
            if isinstance(item, dict | list):
                errors |= _errors(item, name)
            else:
                errors.setdefault(name, []).append(str(item))
        return errors
    errors = {}
    for key, inner in detail.items():
        part = "" if key == "non_field_errors" else str(key)
        errors |= _errors(inner if isinstance(inner, dict | list) else [inner], ".".join(filter(None, (name, part))))
    return errors


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's EXCEPTION_HANDLER."""
    failure = failure_of(error)
    return None if failure is None else Response(failure.body, status=failure.status, headers=failure.headers)


def json_response(failure: Failure) -> JsonResponse:
    """The same, for a view that the framework does not serve."""
    return JsonResponse(failure.body, status=failure.status, headers=failure.headers | NOT_KEPT)


@login_not_required
@csrf_exempt
def no_such_address(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    return json_response(Failure(404, {"code": "not-found", "message": "There is no such address."} | EMPTY))
