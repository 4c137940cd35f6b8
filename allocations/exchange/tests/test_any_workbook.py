"""Whatever stands in a workbook: every row comes to one end, and the end is the one that a plain model works out.

The model knows what each row is meant to say and goes by single days, not by ranges.
"""

import datetime as dt
from collections import Counter, defaultdict
from itertools import combinations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from allocations.enums import Door, Role
from allocations.exchange.export import export_workbook
from allocations.exchange.importing import carry_out, preview
from allocations.exchange.outcome import BOOKED, CANCELLED, WAITING
from allocations.exchange.reading import read_workbook
from allocations.exchange.resolving import resolve
from allocations.exchange.tests.strategies import LANES, RULES, Book, IntendedRow, books
from allocations.exchange.tests.test_export import schedule
from allocations.exchange.tests.test_importing import contents
from allocations.models import Membership, ProvingGround
from allocations.services.unit_of_work import Actor
from allocations.tests.invariants import expect_sound
from dynosite.accounts.models import User

RANK = ["completed", "running", "scheduled"]


def days_of(intended) -> set[dt.date]:
    return {intended.first + dt.timedelta(days=n) for n in range(intended.days)}


def expected_conflicts(claims: dict[int, IntendedRow]) -> set[tuple]:
    conflicts = set()
    for (a, one), (b, other) in combinations(sorted(claims.items()), 2):
        if days_of(one) & days_of(other):
            if one.place == other.place != "Track":
                conflicts.add(("dyno", one.place, (a, b)))
            if one.vehicle == other.vehicle and not one.placeholder:
                conflicts.add(("vehicle", one.vehicle, (a, b)))
    return conflicts


def allowed(intended: IntendedRow) -> bool:
    pairs = RULES[intended.test].get(intended.place, [])
    return any(intended.drive in drives and intended.weight in weights for drives, weights in pairs)


def expected_places(claims: dict[int, IntendedRow], windows) -> dict[int, str | None]:
    """Row → its dyno or None, one claim after the other on sets of days."""
    closed = defaultdict(set)
    for name, first, last in windows:
        closed[name] |= {first + dt.timedelta(days=n) for n in range((last - first).days + 1)}
    occupied, busy, places = defaultdict(set), defaultdict(set), {}
    for number, intended in sorted(claims.items(), key=lambda i: (RANK.index(i[1].status), i[1].first, i[0])):
        days, places[number] = days_of(intended), None
        lanes = [f"Track {n}" for n in range(1, LANES + 1)] if intended.place == "Track" else [intended.place]
        if intended.status == "scheduled" and (not allowed(intended) or days & closed[intended.place]):
            continue
        if not intended.placeholder and days & busy[intended.vehicle]:
            continue
        free = [lane for lane in lanes if not days & occupied[lane]]
        if free:
            places[number] = free[0]
            occupied[free[0]] |= days
            busy[intended.vehicle] |= days
    return places


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(books())
def test_every_row_comes_to_the_end_that_the_model_works_out(given_book: Book):
    outcome = resolve(read_workbook(given_book.data), lanes=LANES)
    rows = given_book.rows
    ends = Counter([d.row.number for d in outcome.decisions] + list(outcome.refusals))
    assert ends == Counter(list(rows))
    wrong = {n: intended.wrong for n, intended in rows.items() if intended.wrong}
    assert outcome.refusals.keys() == wrong.keys()
    for number, reason in wrong.items():
        assert reason.casefold() in outcome.refusals[number].casefold()
    claims = {n: intended for n, intended in rows.items() if intended.claims}
    conflicts = {(c.kind, c.name.upper(), c.rows) for c in outcome.conflicts}
    assert conflicts == {(kind, name.upper(), pair) for kind, name, pair in expected_conflicts(claims)}
    assert len(conflicts) == len(outcome.conflicts)
    places = expected_places(claims, given_book.windows)
    for decision in outcome.decisions:
        intended = rows[decision.row.number]
        assert (decision.row.first, decision.row.last) == (intended.first, intended.last)
        if intended.status == "cancelled":
            assert decision.outcome == CANCELLED
        elif not intended.claims or places[decision.row.number] is None:
            assert decision.outcome == WAITING
            assert decision.reason
        else:
            assert decision.outcome == BOOKED
            assert outcome.dyno_names[decision.dyno].casefold() == places[decision.row.number].casefold()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(books())
def test_placeholders_are_as_many_vehicles_as_overlap_on_the_busiest_day(given_book: Book):
    outcome = resolve(read_workbook(given_book.data), lanes=LANES)
    groups = defaultdict(list)
    for decision in outcome.decisions:
        if decision.vehicle[0] == "placeholder" and decision.outcome != CANCELLED:
            groups[decision.vehicle[1]].append(decision)
    for group in groups.values():
        on_day = Counter(day for decision in group for day in days_of(decision.row))
        assert len({decision.vehicle for decision in group}) == max(on_day.values())
        for one, other in combinations(group, 2):
            assert one.vehicle != other.vehicle or not days_of(one.row) & days_of(other.row)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(books(max_rows=14, consistent=False))
def test_import_export_and_import_again(given_book: Book):
    with transaction.atomic():
        try:
            _there_and_back(given_book)
        finally:
            transaction.set_rollback(True)


def _there_and_back(given_book: Book) -> None:
    west, east = (ProvingGround.objects.create(code=code, name=code) for code in ("WEST", "EAST"))
    user = User.objects.create(username="importer")
    for ground in (west, east):
        Membership.objects.create(user=user, ground=ground, role=Role.ADMIN)
    actor = Actor(user, Door.IMPORT)
    previewed = preview(given_book.data, west, lanes=LANES)
    report = carry_out(given_book.data, west, actor=actor, lanes=LANES)
    assert report == previewed
    assert report.booked + report.waiting + report.cancelled + report.refused == report.rows == len(given_book.rows)
    expect_sound()
    before = contents()
    again = carry_out(given_book.data, west, actor=actor, lanes=LANES)
    assert (again.already_there, again.booked, again.waiting) == (
        report.rows - report.refused,
        report.booked,
        report.waiting,
    )
    exported = export_workbook(west, user=user)
    back = carry_out(exported, west, actor=actor, lanes=LANES)
    assert (back.refused, back.already_there) == (0, report.rows - report.refused)
    assert contents() == before
    copy = carry_out(exported, east, actor=actor, lanes=LANES)
    assert (copy.booked, copy.waiting, copy.cancelled) == (report.booked, report.waiting, report.cancelled)
    assert schedule(east) == schedule(west)
