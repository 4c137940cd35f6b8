"""Priority, due date, owner and cancellation of several requests: all or none, one change."""

import pytest

from allocations.enums import RefusalCode
from allocations.exceptions import NotAllowed, NotFound, Refused, Stale
from allocations.models import Change, Notice, TestRequest
from allocations.services.many_requests import MAX_REQUESTS, cancel_requests, change_requests
from allocations.services.requests import cancel_request, change_request, create_request
from allocations.services.undo import undo
from allocations.tests.world import day
from allocations.web.tests.conftest import waiting


@pytest.fixture
def three(world) -> list[TestRequest]:
    """Due on the first, second and third day; none has an earliest start."""
    return waiting(world, 3)


def versions(rows) -> dict[int, int]:
    return {row.pk: row.version for row in rows}


def values_of(rows) -> list[tuple]:
    again = TestRequest.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    return [(row.priority, row.due_date, row.status, row.created_by.username) for row in again]


def test_several_are_changed_as_one_and_undone_as_one(world, three):
    admin = world.users["admin"]
    before = values_of(three)
    change = change_requests(
        versions(three), priority="urgent", due_date=day(9), created_by_id=admin.pk, actor=world.actor()
    )
    assert values_of(three) == [("urgent", day(9), "waiting", "admin")] * 3
    assert (change.action, len(change.items)) == ("change-request", 3)
    assert change.summary == "3 requests changed: priority Urgent, due 25 Nov 2026, owner admin"
    undo(change.pk, actor=world.actor())
    assert values_of(three) == before


def test_what_is_so_already_stays_as_it_is_and_a_due_date_can_go(world, three):
    change_request(three[0].pk, due_date=None, actor=world.actor())
    change = change_requests({row.pk: None for row in three}, due_date=None, actor=world.actor())
    assert [item["id"] for item in change.items] == [three[1].pk, three[2].pk]
    assert change.summary == "2 requests changed: no due date"
    assert [row[1] for row in values_of(three)] == [None] * 3


def test_several_are_cancelled_as_one_and_undone_as_one(world, three):
    change = cancel_requests(versions(three), actor=world.actor())
    assert [row[2] for row in values_of(three)] == ["cancelled"] * 3
    assert (change.action, change.summary) == ("cancel-request", "3 requests cancelled")
    undo(change.pk, actor=world.actor())
    assert [row[2] for row in values_of(three)] == ["waiting"] * 3


def test_one_that_cannot_be_changed_is_named_and_nothing_is_written(world, three):
    _, second, third = three
    change_request(second.pk, due_date=None, earliest_start=day(20), actor=world.actor())
    cancel_request(third.pk, actor=world.actor())
    before, number = values_of(three), Change.objects.count()
    with pytest.raises(Refused) as refused:
        change_requests({row.pk: None for row in three}, due_date=day(9), priority="high", actor=world.actor())
    assert [(refusal.code, refusal.sentence) for refusal in refused.value.refusals] == [
        (
            RefusalCode.DAYS_ORDER,
            "Brake of 500W001: It is due 25 Nov 2026, before its earliest start 6 Dec 2026.",
        ),
        (
            RefusalCode.WRONG_STATUS,
            "Brake of 500W002: The request is cancelled; only one that waits can be changed.",
        ),
    ]
    with pytest.raises(Refused):
        cancel_requests({row.pk: None for row in three}, actor=world.actor())
    assert (values_of(three), Change.objects.count()) == (before, number)


def test_one_that_was_changed_meanwhile_is_named_and_nothing_is_lost(world, three):
    old_versions = versions(three)
    change_request(three[1].pk, priority="low", actor=world.actor("admin"))
    with pytest.raises(Stale) as stale:
        change_requests(old_versions, priority="urgent", actor=world.actor())
    assert stale.value.sentence.startswith("Somebody else has changed Brake of 500W001 in the meantime.")
    assert [row[0] for row in values_of(three)] == ["normal", "low", "normal"]
    with pytest.raises(Stale):
        cancel_requests(old_versions, actor=world.actor())


def test_same_key_gives_the_same_change(world, three):
    first, second = (
        change_requests(versions(three), priority="high", key="k", actor=world.actor()) for _ in range(2)
    )
    assert first == second
    assert [row.version for row in TestRequest.objects.order_by("pk")] == [2, 2, 2]


def test_rights_and_grounds_are_checked(world, three):
    south = create_request(
        world.vehicles["365W201"].pk,
        test_type_id=world.tests["South brake"].pk,
        days=2,
        actor=world.actor("outsider"),
    ).items[0]["id"]
    with pytest.raises(NotAllowed):
        change_requests(versions(three), priority="high", actor=world.actor("viewer"))
    for ids in ([south], [three[0].pk, south], [three[0].pk, 10**9], []):
        with pytest.raises(NotFound):
            change_requests(dict.fromkeys(ids), priority="high", actor=world.actor())
    outsider = world.users["outsider"].pk
    with pytest.raises(NotFound):
        change_requests(versions(three), created_by_id=outsider, actor=world.actor())
    with pytest.raises(Refused, match="too many at once"):
        cancel_requests(dict.fromkeys(range(1, MAX_REQUESTS + 2)), actor=world.actor())
    assert [row[0] for row in values_of(three)] == ["normal"] * 3


def test_owners_are_told(world, three):
    change_requests(versions(three), priority="urgent", actor=world.actor("admin"))
    notices = Notice.objects.filter(user=world.users["scheduler"])
    assert [notice.request_id for notice in notices.order_by("pk")] == [row.pk for row in three]
