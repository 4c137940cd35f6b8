"""What is late, in which way and by how much: one definition in Python and in SQL."""

import pytest
from django.db import connection

from allocations.enums import LateKind
from allocations.exceptions import NotFound
from allocations.models import Allocation, ProvingGround, TestRequest
from allocations.selectors.lateness import (
    is_late,
    late_allocations,
    late_counts,
    late_requests,
    late_sql,
    lateness_of,
    lateness_of_allocation,
)
from allocations.selectors.requests import request_list
from allocations.services.requests import create_request
from allocations.tests.world import allocation_of, day

CASES = [
    ("scheduled", 6, 9, None, ("unstarted", 1, "It should have started on Sun 22 Nov.")),
    ("scheduled", 7, 9, None, None),
    ("running", 3, 6, None, ("overrun", 1, "It should have ended on Sun 22 Nov.")),
    ("running", 3, 7, None, None),
    ("scheduled", 8, 12, 11, ("past-due", 1, "It ends after its due date, Fri 27 Nov.")),
    ("running", 3, 12, 9, ("past-due", 3, "It ends after its due date, Wed 25 Nov.")),
    ("scheduled", 8, 12, 12, None),
    ("completed", 0, 3, 1, None),
    ("cancelled", 0, 3, 1, None),
    ("running", 0, 3, 5, ("overrun", 4, "It should have ended on Thu 19 Nov. It was due on Sat 21 Nov.")),
    (
        "scheduled",
        2,
        9,
        8,
        ("unstarted", 5, "It should have started on Wed 18 Nov. It ends after its due date, Tue 24 Nov."),
    ),
]


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(7))


@pytest.mark.parametrize(("status", "first", "last", "due", "late"), CASES)
def test_the_first_kind_that_holds_counts_and_is_said(status, first, last, due, late):
    result = lateness_of(status, day(first), day(last), due and day(due), day(7))
    assert (result and (result.kind, result.days, result.sentence)) == late


def with_all_cases(world) -> dict[int, tuple | None]:
    expected = {}
    for number, (status, first, last, due, late) in enumerate(CASES):
        world.dyno(f"DY {number}", (world.tests["Brake"], ["2WD"], ["<10K"]))
        vehicle = world.vehicle(f"500W{number}")
        requested = create_request(
            vehicle.pk,
            test_type_id=world.tests["Brake"].pk,
            days=last - first + 1,
            actor=world.actor(),
            due_date=due and day(due),
        )
        booked = allocation_of(world.book(vehicle.tag, f"DY {number}", first, last))
        Allocation.objects.filter(pk=booked.pk).update(status=status, request=requested.items[0]["id"])
        expected[booked.pk] = late and late[:2]
    return expected


def test_python_queries_and_views_agree(world):
    expected = with_all_cases(world)
    late = {pk: value for pk, value in expected.items() if value}
    rows = late_allocations(world.north, user=world.users["viewer"])
    assert {row.pk: (row.late_kind, row.days_late) for row in rows} == late
    assert {row.pk: (result.kind, result.days) for row in rows if (result := lateness_of_allocation(row))} == late
    kind, days = late_sql("a", "date '2026-11-23'")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.id, {kind}, {days} FROM allocations_allocation a WHERE ground_id = {world.north.pk}"
        )
        in_sql = {pk: (kind, days) if kind else None for pk, kind, days in cursor.fetchall()}
    assert in_sql == expected
    assert late_counts(rows) == {LateKind.OVERRUN: 2, LateKind.UNSTARTED: 2, LateKind.PAST_DUE: 2}


def test_another_ground_tells_nothing(world):
    with pytest.raises(NotFound):
        late_allocations(world.north, user=world.users["outsider"])
    with_all_cases(world)
    rows = late_allocations(world.south, user=world.users["outsider"])
    assert [row.vehicle.tag for row in rows] == ["365W201"]


@pytest.mark.parametrize(
    ("days", "earliest", "due", "late"),
    [
        (3, None, 9, False),
        (3, None, 8, True),
        (3, 10, 12, False),
        (3, 10, 11, True),
        (3, 1, 9, False),
        (3, 1, None, False),
    ],
)
def test_a_request_that_waits_is_late_when_no_start_can_make_it(world, days, earliest, due, late):
    wish = create_request(
        world.vehicles["412W101"].pk,
        test_type_id=world.tests["Brake"].pk,
        days=days,
        actor=world.actor(),
        earliest_start=earliest and day(earliest),
        due_date=due and day(due),
    ).items[0]["id"]
    rows = request_list(world.north, user=world.users["viewer"])
    assert rows.filter(late_requests(day(7))).exists() is late
    assert is_late(TestRequest.objects.get(pk=wish), day(7)) is late


def test_a_request_whose_place_runs_past_its_due_date_is_late(world):
    wish = create_request(
        world.vehicles["412W101"].pk,
        test_type_id=world.tests["Brake"].pk,
        days=3,
        due_date=day(5),
        actor=world.actor(),
    ).items[0]["id"]
    booked = allocation_of(world.book("412W101", "NPG 1", 1, 4))
    Allocation.objects.filter(pk=booked.pk).update(status="running", request=wish)
    TestRequest.objects.filter(pk=wish).update(status="placed")
    row = request_list(world.north, user=world.users["viewer"]).get(late_requests(day(7)))
    assert (row.pk, row.place_last, row.place_end) == (wish, day(4), day(7))
    Allocation.objects.filter(pk=booked.pk).update(status="completed")
    assert not request_list(world.north, user=world.users["viewer"]).filter(late_requests(day(7))).exists()
