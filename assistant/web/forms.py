"""The form in which a proposal is edited, made from the schema of its tool's arguments."""

import datetime as dt
import enum
import types
import typing
from typing import Any

from django import forms
from pydantic.fields import FieldInfo

from assistant.models import Proposal
from assistant.tools.registry import TOOLS
from dynosite.lib.forms import DayField

_HIDDEN = {"allocation", "change", "within_start", "within_end"}
"""They say what is meant, and that is settled."""
_LABELS = {
    "start_date": "First day", "end_date": "Last day", "days_to_complete": "Days on the dyno", "test_type": "Test",
    "backup": "A later start will do", "max_backup_days": "Days later at most",
}  # fmt: skip


def is_editable(proposal: Proposal) -> bool:
    return proposal.tool in TOOLS and bool(_shown(proposal)) and TOOLS[proposal.tool].name != "cancel_allocation"


def edit_form(proposal: Proposal, data: Any = None) -> forms.Form:
    """Bound to `data` where there is some, else to what is proposed now."""
    fields = {name: _field(name, info) for name, info in _shown(proposal).items()}
    made = type("EditForm", (forms.Form,), fields)
    prefix = f"edit-{str(proposal.pk)[:8]}"
    return made(data, initial=proposal.args, prefix=prefix, use_required_attribute=False)


def changed_args(form: forms.Form) -> dict[str, Any]:
    return {name: _plain(value) for name, value in form.cleaned_data.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _shown(proposal: Proposal) -> dict[str, FieldInfo]:
    fields = TOOLS[proposal.tool].args.model_fields
    return {name: info for name, info in fields.items() if name not in _HIDDEN}


def _field(name: str, info: FieldInfo) -> forms.Field:
    kind, optional = _kind(info.annotation)
    common = {
        "label": _LABELS.get(name, name.replace("_", " ").capitalize()),
        "required": info.is_required() and not optional,
    }
    if kind is bool:
        return forms.BooleanField(**common | {"required": False})
    if kind is int:
        return forms.IntegerField(**common, min_value=_limit(info, "ge"), max_value=_limit(info, "le"))
    if kind is dt.date:
        return DayField(**common)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return forms.ChoiceField(**common, choices=kind.choices)  # type: ignore[attr-defined]
    return forms.CharField(**common, max_length=_limit(info, "max_length") or 200)


def _limit(info: FieldInfo, name: str) -> int | None:
    return next((getattr(each, name) for each in info.metadata if hasattr(each, name)), None)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The plain type of an annotation, and whether none will do."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _kind(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [each for each in typing.get_args(annotation) if each is not type(None)]
        return _kind(kinds[0])[0], len(kinds) < len(typing.get_args(annotation))
    return annotation, False
