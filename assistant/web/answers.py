"""What every view of the panel answers with: parts that the panel puts in place by their ids, or a page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from allocations.exceptions import NotFound
from allocations.selectors import grounds
from assistant import selectors
from dynosite.accounts.requests import GroundRequest

WAITING_HEADER = "X-Assistant-Waiting"


def in_panel(request: GroundRequest) -> bool:
    """Whether the panel's script asks, for parts; otherwise a browser wants a page."""
    return request.headers.get("HX-Request") == "true"


def ground_named(request: GroundRequest, code: str = "") -> Any:
    """The ground of the page; `code` is one that a form names too, which has to be the same."""
    ground = grounds.grounds_of(request.user).filter(code=code).first() if code else request.need_ground()
    if ground is None:
        raise NotFound("There is no such thing here.")
    about(request, ground.pk)
    return ground


def about(request: GroundRequest, ground_id: int) -> None:
    """Says of which ground the page is: refused where its address names another one."""
    request.show_ground(ground_id)


def parts(request: GroundRequest, *templates: tuple[str, dict[str, Any]], status: int = 200) -> HttpResponse:
    """Templates, each with an id of its own at its root; and how many proposals wait."""
    html = "".join(render_to_string(f"assistant/{name}.html", context, request) for name, context in templates)
    response = HttpResponse(html, status=status)
    response[WAITING_HEADER] = str(selectors.waiting_proposals(request.user).count())
    return response


def page(request: GroundRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, "assistant/page.html", context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response
