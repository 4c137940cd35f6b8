"""The form in which a proposal is edited, made from the schema of its tool's arguments."""

import datetime as dt
import types
import typing
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Choices
from pydantic.fields import FieldInfo

from allocations.selectors import dynos, grounds
from allocations.selectors.plans import plan_by_id
from assistant.models import Proposal
from assistant.tools import planning
from assistant.tools.registry import TOOLS
from dynosite.accounts.models import User
from dynosite.lib.formats import day_range
from dynosite.lib.forms import DayField

_HIDDEN = {"allocation", "change", "within_start", "within_end", "within_test"}
"""They say what is meant, and that is settled."""
_SETTLED = {"move_allocation": {"vehicle"}}
_LABELS = {
    "start_date": "First day",
    "end_date": "Last day",
    "days_to_complete": "Days on the dyno",
    "test_type": "Test",
    "backup": "A later start will do",
    "max_backup_days": "Days later at most",
}
BEST = "any"
"""Taken by the tools for no dyno in particular."""
_FIRST, _LAST = ("vehicle", "dyno", "test_type", "start_date"), ("backup", "max_backup_days")


def is_editable(proposal: Proposal) -> bool:
    return (
        proposal.tool in TOOLS
        and bool(_editable_fields(proposal))
        and TOOLS[proposal.tool].name != "cancel_allocation"
    )


def edit_form(proposal: Proposal, user: User, data: Any = None) -> forms.Form:
    """Bound to `data` where there is some, else to what is proposed now. What a ground has few of is chosen."""
    prefix = f"edit-{str(proposal.pk)[:8]}"
    if proposal.tool == "plan_requests":
        return _plan_form(proposal, user, data, prefix)
    now = _now(proposal, user)
    fields = {name: _field(name, info) for name, info in _editable_fields(proposal).items()}
    for name, names in (("dyno", now.dynos), ("test_type", now.test_types)):
        if name in fields:
            choices = [(name, name) for name in names.values()]
            if name == "dyno" and proposal.tool == "auto_allocate_vehicle":
                choices.insert(0, (BEST, f"Best free ({now.dyno})"))
            fields[name] = forms.ChoiceField(label=fields[name].label, choices=choices)
    form_class = type("EditForm", (forms.Form,), fields)
    return form_class(data, initial=now.initial, prefix=prefix, use_required_attribute=False)


def _plan_form(proposal: Proposal, user: User, data: Any, prefix: str) -> forms.Form:
    """Each place of the plan, to be taken or not. The plan stays the one of the card."""
    plan = plan_by_id(proposal.step["plan_id"], user=user)
    items = plan.items.exclude(dyno=None).select_related("request__vehicle", "request__test_type", "dyno")
    choices = [
        (item.pk, f"{planning.named(item)}: {item.dyno}, {day_range(item.first_day, item.last_day)}")
        for item in items
        if item.first_day and item.last_day
    ]
    fields = {
        "plan": forms.CharField(widget=forms.HiddenInput),
        "items": forms.MultipleChoiceField(
            label="Untick what is to go on waiting",
            choices=choices,
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": "Tick at least one, or reject the card."},
        ),
    }
    initial = {"plan": str(plan.pk), "items": proposal.step.get("items") or [pk for pk, _ in choices]}
    return type("EditForm", (forms.Form,), fields)(data, initial=initial, prefix=prefix, use_required_attribute=False)


@dataclass(frozen=True)
class _Now:
    """What is proposed, by the names that the ground has for it, however it was written when it was asked for."""

    initial: dict[str, Any]
    dynos: dict[int, str]
    test_types: dict[int, str]
    dyno: str


def _now(proposal: Proposal, user: User) -> _Now:
    dyno_names = {row.pk: row.name for row in dynos.dynos(proposal.ground, user=user)}
    tests = {row.pk: row.name for row in grounds.test_types(proposal.ground, user=user)}
    step = proposal.step
    dyno = dyno_names.get(step.get("dyno_id"), "")
    initial = dict(proposal.args)
    if "test_type_id" in step:
        initial["test_type"] = tests.get(step["test_type_id"], "")
    if "dyno" in initial:
        initial["dyno"] = dyno if initial["dyno"] or step["do"] == "move" else BEST
    if step["do"] == "move":
        initial |= {"start_date": step["first_day"], "end_date": step["last_day"]}
    return _Now(initial, dyno_names, tests, dyno)


def changed_args(form: forms.Form) -> dict[str, Any]:
    return {name: _plain(value) for name, value in form.cleaned_data.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _editable_fields(proposal: Proposal) -> dict[str, FieldInfo]:
    fields = TOOLS[proposal.tool].args.model_fields
    hidden = _HIDDEN | _SETTLED.get(proposal.tool, set())
    return {name: fields[name] for name in sorted(fields, key=_place) if name not in hidden}


def _place(name: str) -> int:
    """What is booked comes first, however the tool's arguments are ordered; sorting keeps the others in theirs."""
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + (name in _LAST)


def _field(name: str, info: FieldInfo) -> forms.Field:
    kind, optional = _kind(info.annotation)
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    required = info.is_required() and not optional
    if kind is bool:
        return forms.BooleanField(label=label, required=False)
    if kind is int:
        least, most = _limit(info, "ge"), _limit(info, "le")
        return forms.IntegerField(label=label, required=not optional, min_value=least, max_value=most)
    if kind is dt.date:
        return DayField(label=label, required=required)
    if isinstance(kind, type) and issubclass(kind, Choices):
        return forms.ChoiceField(label=label, required=required, choices=kind.choices)
    return forms.CharField(label=label, required=required, max_length=_limit(info, "max_length") or 200)


def _limit(info: FieldInfo, name: str) -> int | None:
    return next((getattr(constraint, name) for constraint in info.metadata if hasattr(constraint, name)), None)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The plain type of an annotation, and whether none will do."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _kind(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return _kind(kinds[0])[0], len(kinds) < len(typing.get_args(annotation))
    return annotation, False
