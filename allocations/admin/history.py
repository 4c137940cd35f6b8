"""The history of one row, from the events that the database has kept: who, by which door, when, and what changed."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from allocations.enums import Door
from allocations.models import Capability, Change, Dyno
from dynosite.accounts.models import User

KINDS = {"insert": "Added", "update": "Changed", "delete": "Deleted"}
_UNTOLD = {"id", "version", "sort_key", "created_at", "import_key"}
PAGE = 50


@dataclass(slots=True)
class Event:
    at: dt.datetime
    kind: str
    part: str
    who: str
    door: str
    why: str
    change: Change | None
    differences: list[tuple[str, str, str]] = field(default_factory=list)


def history_of(row: models.Model) -> list[Event]:
    """The row's events, newest first; a dyno's capabilities are part of its history."""
    events = _events(type(row), row, {"pgh_obj_id": row.pk})
    if isinstance(row, Dyno):
        events += _events(Capability, row, {"dyno_id": row.pk})
    events.sort(key=lambda event: event.at)
    return events[::-1]  # of one transaction, and so of one moment, the later first too


def history_page(model_admin: Any, request: HttpRequest, row: models.Model) -> HttpResponse:
    page = Paginator(history_of(row), PAGE).get_page(request.GET.get("p"))
    return model_admin.page(
        request,
        "admin/history.html",
        title=f"History of {row}",
        module_name=capfirst(model_admin.opts.verbose_name_plural),
        object=row,
        page=page,
    )


def _events(model: Any, row: models.Model, where: dict[str, Any]) -> list[Event]:
    rows = list(model.pgh_event_model.objects.filter(**where).order_by("pgh_obj_id", "pgh_id"))
    contexts = [event.pgh_context or {} for event in rows]
    users = User.objects.in_bulk({context["user"] for context in contexts if context.get("user")})
    changes = Change.objects.in_bulk({context["change"] for context in contexts if context.get("change")})
    by_id = {str(id_): change for id_, change in changes.items()}
    names = _Names(model, rows)
    events: list[Event] = []
    before: Any = None
    for event, context in zip(rows, contexts, strict=True):
        if before is not None and before.pgh_obj_id != event.pgh_obj_id:
            before = None
        user = users.get(context.get("user"))
        door = context.get("door", "")
        events.append(
            Event(
                at=event.pgh_created_at,
                kind=KINDS.get(event.pgh_label, event.pgh_label),
                part="" if isinstance(row, model) else str(model._meta.verbose_name),
                who=user.display_name if user else "",
                door=Door(door).label if door in Door.values else door,
                why=context.get("reason", ""),
                change=by_id.get(context.get("change", "")),
                differences=names.differences(before, event),
            )
        )
        before = event
    return events


class _Names:
    """How the values of a model's events are written: rows by their names, choices by their labels."""

    def __init__(self, model: Any, events: Iterable[Any]):
        self.fields = [column for column in model._meta.concrete_fields if column.name not in _UNTOLD]
        self.rows: dict[str, dict[Any, Any]] = {}
        for column in self.fields:
            if column.is_relation:
                ids = {getattr(event, column.attname) for event in events} - {None}
                self.rows[column.attname] = column.remote_field.model._default_manager.in_bulk(ids)

    def differences(self, before: Any, after: Any) -> list[tuple[str, str, str]]:
        """(field, before, after) of each value that is another than before; deleting changes none."""
        if after.pgh_label == "delete":
            return []
        changed = []
        for column in self.fields:
            old = getattr(before, column.attname) if before is not None else None
            new = getattr(after, column.attname)
            if old != new and (before is not None or new not in (None, "", [])):
                changed.append((capfirst(column.verbose_name), self._text(column, old), self._text(column, new)))
        return changed

    def _text(self, column: Any, value: Any) -> str:
        if value is None or value == "":
            return ""
        if column.is_relation:
            return str(self.rows[column.attname].get(value, f"no. {value}"))
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(value)
        return str(dict(column.flatchoices).get(value, value))
