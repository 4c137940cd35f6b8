"""The view of the calendar that one comes back to: of a user and a ground, for as long as one stays signed in."""

from django.http import HttpResponseRedirect, QueryDict
from django.shortcuts import redirect

from allocations.models import ProvingGround
from allocations.web.schedule.query import ScheduleQuery
from dynosite.accounts.requests import UserRequest

SESSION_KEY = "schedule-views"
MARK = "mark"
"""In the address where a certain bar is looked for: that is no view to come back to."""
LOOKED_UP = (MARK, "plan", "repair", "q")


def come_back(request: UserRequest, ground: ProvingGround) -> HttpResponseRedirect | None:
    """The way to the view that was left, for who opens the calendar as such."""
    view = _views(request).get(ground.code, "")
    return redirect(f"{request.path}?{view}") if view and not request.GET else None


def params_of(request: UserRequest, ground: ProvingGround) -> QueryDict:
    """What the address says; where it marks a bar and names no zoom, with the zoom that was left."""
    if MARK not in request.GET or "zoom" in request.GET:
        return request.GET
    params = request.GET.copy()
    zoom = QueryDict(_views(request).get(ground.code, "")).get("zoom")
    if zoom:
        params["zoom"] = zoom
    return params


def remember(request: UserRequest, query: ScheduleQuery) -> None:
    if any(name in request.GET for name in LOOKED_UP):
        return
    views, code = _views(request), query.ground.code
    if views.get(code, "") != query.view:
        request.session[SESSION_KEY] = views | {code: query.view}


def _views(request: UserRequest) -> dict[str, str]:
    return request.session.get(SESSION_KEY, {})
