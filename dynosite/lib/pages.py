"""Which page a request came from, as an address of this site that is safe to go to."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from dynosite.lib.ground_address import in_ground, split_ground


def page_of(request: HttpRequest) -> str | None:
    """The page that sent this: what htmx names, else the referrer; None where neither is a page of this site."""
    is_htmx = request.headers.get("HX-Request") == "true"
    address = request.headers.get("HX-Current-URL" if is_htmx else "Referer", "")
    if not address or not url_has_allowed_host_and_scheme(address, {request.get_host()}):
        return None
    parts = urlsplit(address)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return path if url_has_allowed_host_and_scheme(path, None) else None


def page_above(path: str) -> str | None:
    """The nearest address above this one, if not only the first page: of `/allocations/7/move/` the booking."""
    code, path = split_ground(path)
    while (path := path.rstrip("/").rpartition("/")[0] + "/") != "/":
        try:
            resolve(path)
        except Resolver404:
            continue
        return in_ground(path, code) if code else path
    return None
