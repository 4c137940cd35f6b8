"""The page in view, as the model is told of it: which one, what it is about, which days, what is selected."""

import datetime as dt
import json
from typing import Any

from django.urls import Resolver404, resolve

from dynosite.lib.ground_address import split_ground
from dynosite.lib.params import number_of

MAX_LENGTH = 2000
_SELECTED = {"a": "allocation", "w": "maintenance_window"}


def page_in_view(text: str) -> dict[str, Any]:
    """From what the browser tells: only what is of a known form goes on. Nothing in it gives any right."""
    try:
        values = json.loads(text[:MAX_LENGTH])
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    view: dict[str, Any] = {}
    try:
        match = resolve(split_ground(str(values.get("path", "")))[1])
    except Resolver404:
        return {}
    if match.namespace == "allocations":
        view["page"] = match.url_name
        if "pk" in match.kwargs:
            view["id"] = str(match.kwargs["pk"])
    for name in ("from", "to"):
        if day := _day(values.get(name)):
            view[name] = day
    selected = str(values.get("selected", ""))
    if selected[:1] in _SELECTED and (pk := number_of(selected[1:])) is not None:
        view["selected"] = {_SELECTED[selected[0]]: pk}
    return view


def _day(value: Any) -> str:
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        return ""
