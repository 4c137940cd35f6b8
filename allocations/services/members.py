"""Proving grounds, and who may do what in them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import Action, Role
from allocations.exceptions import NotAllowed, NotFound
from allocations.models import Change, Dyno, Membership, ProvingGround
from allocations.selectors.ground_rules import rules_of
from allocations.selectors.revisions import values_of
from allocations.services.days_lost import LossAnswer, answer_losses
from allocations.services.master_data import change_row, check_row, delete_row, keep, locked_row, name_of, record
from allocations.services.unit_of_work import Actor, UnitOfWork
from allocations.services.working import ShutDays, Way, as_asked, set_shutdowns, set_travel
from dynosite.accounts.models import User
from dynosite.lib import clock


def add_ground(*, actor: Actor, key: str | None = None, **values: Any) -> Change:
    """Adds a proving ground.

    Parameters
    ----------
    values
        Fields of ProvingGround.

    Raises
    ------
    NotAllowed
        If the user is not a superuser.
    Invalid
        By field.
    """

    def write(work: UnitOfWork) -> None:
        if not actor.user.is_active or not actor.user.is_superuser:
            raise NotAllowed("Only a superuser can add a proving ground.")
        ground = ProvingGround(**values)
        check_row(ground)
        ground.save(force_insert=True)
        work.enter(ground.pk, Role.ADMIN)
        record(work, ground, None, values_of(ground))
        work.summary = f"{name_of(ground)} added"

    return keep(write, actor=actor, action=Action.ADD, key=key, request=values)


def change_ground(
    ground_id: int,
    *,
    actor: Actor,
    shutdowns: Iterable[ShutDays] | None = None,
    travel: Iterable[Way] | None = None,
    answers: Mapping[int, LossAnswer] | None = None,
    key: str | None = None,
    **values: Any,
) -> Change:
    """Changes fields of a proving ground, its shutdowns, and its travel times. Takes the role admin.

    Allocations keep their days, except that tests that pause on days off keep their days worked as `answers` say.

    Parameters
    ----------
    shutdowns, travel
        All of them from now on; None leaves them as they are.
    answers
        By allocation id, what happens to each test that loses days worked to new days off.

    Raises
    ------
    DaysLost
        If a test that loses days has no answer; nothing is written.
    Refused
        As `days_lost.answer_losses` does.
    Invalid
        By field.
    """
    shut = None if shutdowns is None else list(shutdowns)
    ways = None if travel is None else list(travel)

    def write(work: UnitOfWork) -> None:
        work.enter(ground_id, Role.ADMIN)
        ground = ProvingGround.objects.select_for_update(no_key=True).filter(pk=ground_id).first()
        if ground is None:
            raise NotFound(NOT_FOUND)
        change_row(work, ground, values)
        if shut is not None:
            set_shutdowns(work, ground, shut)
        if ways is not None:
            set_travel(work, ground, ways)

    params = values | {"ground": ground_id, "shutdowns": as_asked(shut), "travel": as_asked(ways)}
    access.require(actor.user, ground_id, Role.ADMIN)
    with transaction.atomic():
        # With all dynos locked, nobody books by the old days off while the answers are carried out.
        ground = ProvingGround.objects.select_for_update(no_key=True).filter(pk=ground_id).first()
        list(Dyno.objects.select_for_update(no_key=True).filter(ground=ground_id).order_by("pk").values_list("pk"))
        before = rules_of(ground_id).calendar
        change = keep(write, actor=actor, action=Action.CHANGE, key=key, request=params)
        after, today = rules_of(ground_id).calendar, clock.today(ground.time_zone if ground else "UTC")
        answer_losses(ground_id, before, after, answers or {}, actor=actor, today=today)
        return change


def set_membership(user_id: int, ground_id: int, role: Role | str, *, actor: Actor, key: str | None = None) -> Change:
    """Gives a user a role in the ground, in place of the role that they have there. Takes the role admin.

    Raises NotFound also if there is no such user, and Invalid if there is no such role.
    """

    def write(work: UnitOfWork) -> None:
        work.enter(ground_id, Role.ADMIN)
        if not User.objects.filter(pk=user_id).exists():
            raise NotFound("There is no such user.")
        row = Membership.objects.select_for_update(no_key=True).filter(user_id=user_id, ground_id=ground_id).first()
        if row:
            change_row(work, row, {"role": role})
            return
        row = Membership(user_id=user_id, ground_id=ground_id, role=role)
        check_row(row)
        row.save(force_insert=True)
        record(work, row, None, values_of(row))
        work.summary = f"{name_of(row)} added"

    params = {"user": user_id, "ground": ground_id, "role": role}
    return keep(write, actor=actor, action=Action.CHANGE, key=key, request=params)


def remove_membership(membership_id: int, *, actor: Actor) -> Change:
    """Takes a user's role in a ground away. Takes the role admin there."""

    def write(work: UnitOfWork) -> None:
        delete_row(work, locked_row(work, Membership, membership_id, needed=Role.ADMIN))

    return keep(write, actor=actor, action=Action.DELETE)
