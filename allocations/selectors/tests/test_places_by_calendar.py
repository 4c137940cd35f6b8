"""Places among days off and days on the way, held against the rulebook asked day by day."""

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocations.models import Allocation, Facility, ProvingGround, Shutdown, TestType, Travel
from allocations.rulebook import violations
from allocations.selectors.availability import Placement, find_places, query_for, question_of
from allocations.selectors.ground_rules import rules_for
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, day


@pytest.fixture
def halls(world):
    for hall in ("East", "West"):
        for number in (1, 2):
            name = f"{hall} {number}"
            world.dyno(name, (world.tests["4K Certification"], ANY_DRIVE, ANY_WEIGHT), facility=hall)
    for name in ("NPG 1", "NPG 2"):
        world.dynos[name].enabled = False
        world.dynos[name].save()
    return world


stays = st.lists(
    st.tuples(
        st.sampled_from(["East 1", "East 2", "West 1", "West 2"]),
        st.integers(-6, 16),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=6,
)


@given(
    stays,
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.sets(st.integers(0, 6), max_size=3),
    st.integers(-2, 10),
    st.integers(1, 5),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_the_places_found_are_those_that_the_rulebook_allows(halls, drawn, ways, off, shut, days, pauses):
    with transaction.atomic():
        ground, test = halls.north, halls.tests["4K Certification"]
        ProvingGround.objects.filter(pk=ground.pk).update(days_off=sorted(off))
        Shutdown.objects.create(ground=ground, name="Shut", first_day=day(shut), last_day=day(shut + 1))
        TestType.objects.filter(pk=test.pk).update(runs_through=not pauses)
        east, west = (Facility.objects.get(ground=ground, name=name) for name in ("East", "West"))
        for origin, to, length in ((east, west, ways[0]), (west, east, ways[1])):
            if length:
                Travel.objects.create(ground=ground, origin=origin, to=to, days=length)
        accepted: list[tuple[str, int, int, bool]] = []
        for dyno, first, length, own in drawn:
            last = first + length - 1
            if any(f <= last and first <= k and (d == dyno or own == o) for d, f, k, o in accepted):
                continue  # the dyno, or the vehicle, is taken
            accepted.append((dyno, first, last, own))
            Allocation.objects.create(
                ground=ground,
                vehicle=halls.vehicles["412W101" if own else "412W102"],
                dyno=halls.dynos[dyno],
                test_type=test,
                first_day=day(first),
                last_day=day(last),
                source="import",
            )
        car = halls.vehicles["412W101"]
        places = find_places(query_for(car, test.pk, days), first_day=day(0), latest=day(12), limit=99)
        calendar = rules_for(ground.pk, test.pk)[0].calendar
        allowed = set()
        for dyno in ("East 1", "East 2", "West 1", "West 2"):
            for first in range(13):
                stay = calendar.stretch(day(first), days, pauses=pauses)
                if not violations(question_of(Placement(car.pk, halls.dynos[dyno].pk, test.pk, stay))):
                    allowed.add((dyno, stay.first, stay.last))
        assert {(place.dyno, place.first_day, place.last_day) for place in places} <= allowed
        # Of each dyno the first day that would do is among them.
        earliest = {dyno: min(first for d, first, _ in allowed if d == dyno) for dyno, _, _ in allowed}
        assert {dyno: _earliest(places, dyno) for dyno in earliest} == earliest
        transaction.set_rollback(True)


def _earliest(places, dyno: str) -> dt.date | None:
    return min((place.first_day for place in places if place.dyno == dyno), default=None)
