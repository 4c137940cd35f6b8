"""`find_places` against a loop over days, and against the rulebook."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocations.enums import Drive, WeightClass
from allocations.models import Allocation, Capability, Dyno, MaintenanceWindow
from allocations.rulebook import violations
from allocations.selectors.availability import DynoDays, Placement, find_places, query_for, question_of
from allocations.tests import naive
from allocations.tests.world import day
from dynosite.lib.days import DayRange

NAMES = ("N1", "N2", "N3", "N4")
SPAN = 24


def subsets(values) -> st.SearchStrategy[frozenset]:
    return st.frozensets(st.sampled_from(values), min_size=1)


capability_rows = st.lists(
    st.tuples(subsets(Drive.values), subsets(WeightClass.values)), max_size=2, unique=True
).map(tuple)
optional_day = st.none() | st.integers(-3, SPAN)


@st.composite
def naive_dynos(draw, name: str) -> naive.NaiveDyno:
    rows = draw(capability_rows)
    start, end = draw(optional_day), draw(optional_day)
    if start is not None and end is not None and end < start:
        start, end = end, start
    available = range(-10_000 if start is None else start, 10_000 if end is None else end + 1)
    breadth = sum(len(drives) * len(weights) for drives, weights in rows)
    return naive.NaiveDyno(name, rows, breadth, draw(st.booleans() | st.just(True)), available)


stays = st.lists(
    st.builds(
        lambda dyno, first, length, vehicle: naive.Taken(dyno, first, first + length - 1, vehicle),
        st.sampled_from(NAMES),
        st.integers(-4, SPAN),
        st.integers(1, 6),
        st.sampled_from([None, "412W101", "412W102", "412W103"]),
    ),
    max_size=14,
)


def without_overlaps(drawn: list[naive.Taken]) -> list[naive.Taken]:
    accepted: list[naive.Taken] = []
    for stay in drawn:
        clash = any(
            stay.first <= other.last
            and other.first <= stay.last
            and (stay.dyno == other.dyno or (stay.vehicle and stay.vehicle == other.vehicle))
            for other in accepted
        )
        if not clash:
            accepted.append(stay)
    return accepted


def store(world, dynos, spans) -> tuple[dict[str, Dyno], dict[int, int]]:
    """Writes it all, and returns the dynos by name and the allocations' ids by their place in `spans`."""
    by_name = {}
    for dyno in dynos:
        lo, hi = dyno.available.start, dyno.available.stop
        by_name[dyno.name] = world.dyno(
            dyno.name,
            *((world.tests["Brake"], *row) for row in dyno.rows),
            enabled=dyno.enabled,
            available_from=None if lo == -10_000 else day(lo),
            available_to=None if hi == 10_000 else day(hi - 1),
        )
    ids = {}
    for number, stay in enumerate(spans):
        place = {
            "ground": world.north,
            "dyno": by_name[stay.dyno],
            "first_day": day(stay.first),
            "last_day": day(stay.last),
        }
        if stay.vehicle is None:
            MaintenanceWindow.objects.create(**place)
        else:
            ids[number] = Allocation.objects.create(
                vehicle=world.vehicles[stay.vehicle], test_type=world.tests["Brake"], source="form", **place
            ).pk
    return by_name, ids


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_find_places_equals_a_loop_over_days(world, data):
    dynos = [data.draw(naive_dynos(name)) for name in NAMES]
    drawn = without_overlaps(data.draw(stays))
    vehicle = data.draw(st.sampled_from(["412W101", "412W102", "412W103"]))
    days, first = data.draw(st.integers(1, 5)), data.draw(st.integers(-2, SPAN))
    latest = first + data.draw(st.integers(0, 12))
    near = data.draw(st.none() | st.integers(first, latest))
    spoken_for = without_overlaps(
        data.draw(
            st.lists(stays.map(lambda some: some[0] if some else None), max_size=2).map(
                lambda some: [stay for stay in some if stay]
            )
        )
    )
    with transaction.atomic():
        Dyno.objects.filter(ground=world.north).update(enabled=False)
        by_name, ids = store(world, dynos, drawn)
        out = data.draw(st.none() | st.sampled_from(sorted(ids))) if ids else None
        counted = [stay for number, stay in enumerate(drawn) if number != out]
        car = world.vehicles[vehicle]
        query = query_for(car, world.tests["Brake"].pk, days)
        with CaptureQueriesContext(connection) as queries:
            places = find_places(
                query,
                first_day=day(first),
                latest=day(latest),
                near=None if near is None else day(near),
                limit=99,
                leaving_out=ids.get(out),
                occupied=[DynoDays(by_name[s.dyno].pk, day(s.first), day(s.last)) for s in spoken_for],
            )
        assert len(queries) == 2
        expected = naive.places(
            dynos,
            [*counted, *(naive.Taken(s.dyno, s.first, s.last) for s in spoken_for)],
            vehicle=vehicle,
            drive=car.drive,
            weight=car.weight_class,
            days=days,
            first=first,
            latest=latest,
            near=near,
        )
        assert [(place.dyno, (place.first_day - day(0)).days) for place in places] == expected
        assert all((place.last_day - place.first_day).days == days - 1 for place in places)
        agrees_with_the_rulebook(world, by_name, car, DayRange.starting(day(first), days), ids.get(out))
        transaction.set_rollback(True)


def agrees_with_the_rulebook(world, dynos, vehicle, days: DayRange, leaving_out: int | None) -> None:
    """A dyno is found for a day if and only if the rulebook refuses nothing."""
    query = query_for(vehicle, world.tests["Brake"].pk, days.days)
    for dyno in dynos.values():
        places = find_places(query, first_day=days.first, latest=days.first, dynos=[dyno.pk], leaving_out=leaving_out)
        placement = Placement(vehicle.pk, dyno.pk, world.tests["Brake"].pk, days, allocation_id=leaving_out)
        assert bool(places) == (violations(question_of(placement)) == [])


@pytest.mark.parametrize(("days", "latest"), [(0, 5), (367, 5), (3, -1)])
def test_impossible_wishes_find_nothing_and_ask_nothing(world, django_assert_num_queries, days, latest):
    query = query_for(world.vehicles["412W101"], world.tests["Brake"].pk, days)
    with django_assert_num_queries(0):
        assert find_places(query, first_day=day(0), latest=day(latest)) == []


def test_long_stay_that_began_long_ago_still_takes_its_days(world):
    stay = {"ground": world.north, "dyno": world.dynos["NPG 2"], "source": "form"}
    Allocation.objects.create(
        vehicle=world.vehicles["412W102"],
        test_type=world.tests["4K Certification"],
        first_day=day(0) - dt.timedelta(days=365),
        last_day=day(0),
        **stay,
    )
    query = query_for(world.vehicles["412W101"], world.tests["4K Certification"].pk, 2)
    places = find_places(query, first_day=day(0), latest=day(3), dynos=[world.dynos["NPG 2"].pk], limit=9)
    assert [(place.first_day, place.slack) for place in places] == [(day(1), 2)]


def test_the_narrowest_dyno_counts_what_it_may_run_of_every_test(world):
    narrow = world.dyno("N 9", (world.tests["Emission"], [Drive.TWO_WHEEL], [WeightClass.LIGHT]))
    broad = world.dyno("N 1", (world.tests["Emission"], [Drive.TWO_WHEEL], [WeightClass.LIGHT]))
    Capability.objects.create(
        dyno=broad, test_type=world.tests["Brake"], drives=Drive.values, weight_classes=[WeightClass.HEAVY]
    )
    query = query_for(world.vehicles["412W101"], world.tests["Emission"].pk, 2)
    places = find_places(query, first_day=day(0), latest=day(0), limit=9)
    assert [place.dyno_id for place in places] == [narrow.pk, broad.pk]
