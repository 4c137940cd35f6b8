"""The proving ground in an address: `/g/NORTH/schedule/` is the schedule of NORTH.

A ground's pages are the whole site under a prefix, as an application is mounted somewhere: the prefix is taken off
before the address is resolved, and is Django's script prefix while the page is answered. So `reverse` and `{% url %}`
write every link, form and fragment address of the page with the same ground, and none of them has to remember it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone

_PREFIXED = re.compile(r"/g/(?P<code>[A-Z0-9][A-Z0-9_-]{0,19})(?P<rest>/.*)", re.DOTALL)
_STREAMS = ("/stream/", "/events/")
ATTRIBUTE = "ground_code"
"""Of a request."""
_OF_NO_GROUND = ("/accounts/sign-in/", "/api/", "/g/", "/static/")
"""What is served without a ground only: signing in comes before it, programs name it in their own way."""


def split_ground(path: str) -> tuple[str, str]:
    """The code of the ground that a path is under, or nothing, and the path without it."""
    match = _PREFIXED.fullmatch(path)
    if not match or match["rest"].startswith(_OF_NO_GROUND):
        return "", path
    return match["code"], match["rest"]


def in_ground(path: str, code: str) -> str:
    """The path of the same page in that ground; `path` has none."""
    return f"/g/{code}{path}"


def own_address(address: str) -> str:
    """An address of this site that was written without a ground, in the ground of the page that shows it."""
    return address if split_ground(address)[0] else get_script_prefix().removesuffix("/") + address


def ground_of(request: HttpRequest) -> str:
    """The code of the ground that the request's address names, or nothing.

    Addresses of before named it by `?ground=`; a form that was open then still does.
    """
    if code := split_off(request):
        return code
    match = request.resolver_match
    return request.GET.get("ground", "") if match and match.app_name in ("allocations", "assistant") else ""


def split_off(request: HttpRequest) -> str:
    """The code of the ground that the address was under, or nothing."""
    code: str = getattr(request, ATTRIBUTE, "")
    return code


def is_page(request: HttpRequest) -> bool:
    """Whether a person opens it: not a part or a stream, which an open page asks for by itself, and no form."""
    return (
        request.method in ("GET", "HEAD")
        and "HX-Request" not in request.headers
        and request.headers.get("Accept") != "text/event-stream"
        and not request.path_info.endswith(_STREAMS)
    )


def mount(code: str) -> None:
    """From here on, until the request ends, addresses are written with this ground, or with none."""
    base = re.sub(r"/g/[^/]+/$", "/", get_script_prefix())
    set_script_prefix(f"{base}g/{code}/" if code else base)


@contextmanager
def mounted(code: str) -> Iterator[None]:
    """Within it, addresses are written with this ground."""
    before = get_script_prefix()
    mount(code)
    try:
        yield
    finally:
        set_script_prefix(before)


class GroundAddressMiddleware:
    """Takes the ground off the address, which is resolved as if it had none, and puts it on those that are written.

    Whether the user is a member of that ground is decided where the ground's code becomes a ground. The ground's time
    zone, which is set there, ends here with the request: pages of errors are written by layers in between.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        before = get_script_prefix()
        code, rest = split_ground(request.path_info)
        setattr(request, ATTRIBUTE, code)
        if code:
            request.path_info = rest
            mount(code)
        try:
            with timezone.override(None):
                return self.get_response(request)
        finally:
            set_script_prefix(before)
