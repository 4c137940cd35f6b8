"""What admins decide about the assistant: the kill switch, a proving ground's settings, budgets.

Each write has its history in the database, with who did it and why.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, transaction

from allocations.enums import Door, Role
from allocations.exceptions import Invalid, NotAllowed, NotFound
from allocations.selectors import grounds
from assistant.enums import Approval
from assistant.models import AssistantSettings, Budget, KillSwitch
from assistant.tools.registry import TOOLS
from dynosite.accounts.models import User
from dynosite.lib.request_id import current_request_id


def switch(off: bool, *, user: User, reason: str = "") -> KillSwitch:
    """The kill switch, for superusers. To switch off takes a reason, which users are told."""
    _expect_superuser(user)
    reason = reason.strip()
    if off and not reason:
        raise Invalid({"reason": ["Give a reason: everyone who asks the assistant sees it."]})
    with _history(user, reason):
        row, _ = KillSwitch.objects.select_for_update().get_or_create(pk=1)
        row.off, row.reason = off, reason if off else ""
        row.full_clean()
        row.save()
    return row


def set_ground(
    ground_id: int, *, user: User, enabled: bool, approval: Approval | str, tools_off: list[str]
) -> AssistantSettings:
    """A proving ground's settings, for its admins."""
    if grounds.role_of(user, grounds.ground_for(user, ground_id)) != Role.ADMIN:
        raise NotAllowed("You have no right to set up the assistant here; that takes the role admin.")
    with _history(user):
        row, _ = AssistantSettings.objects.select_for_update().get_or_create(ground_id=ground_id)
        row.enabled, row.approval = enabled, approval
        row.tools_off = [name for name in TOOLS if name in tools_off]
        _check(row)
        row.save()
    return row


def save_budget(budget: Budget, *, user: User) -> Budget:
    """For superusers. Raises Invalid by field."""
    _expect_superuser(user)
    with _history(user):
        _check(budget)
        budget.save()
    return budget


def delete_budget(budget_id: int, *, user: User) -> None:
    _expect_superuser(user)
    with _history(user):
        if not Budget.objects.filter(pk=budget_id).delete()[0]:
            raise NotFound("There is no such budget.")


def _expect_superuser(user: User) -> None:
    if not user.is_active or not user.is_superuser:
        raise NotAllowed("Only a superuser may do this.")


def _check(row: Any) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        messages = error.message_dict
        raise Invalid(
            {"" if name == NON_FIELD_ERRORS else name: sentences for name, sentences in messages.items()}
        ) from None


@contextmanager
def _history(user: User, reason: str = "") -> Iterator[None]:
    """A transaction whose rows' events say who, by which door and why."""
    about = {
        "user": user.pk,
        "door": Door.ADMIN.value,
        "reason": reason,
        "request_id": current_request_id(),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('pghistory.context_id', %s, true),"
                " set_config('pghistory.context_metadata', %s, true)",
                [str(uuid.uuid4()), json.dumps(about)],
            )
        yield
