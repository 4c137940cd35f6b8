"""Which dynos are lanes alike, and that of such lanes one place is offered."""

import datetime as dt

import pytest

from allocations.enums import Drive, WeightClass
from allocations.exceptions import Refused
from allocations.selectors.availability import Place
from allocations.selectors.lanes import MIN_LANES, Lane, one_of_each, pools, pools_of
from allocations.selectors.places import other_places, ranked_places
from allocations.tests.boards import add_lanes
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, World, allocation_of, day

BRAKE, COLD = frozenset({"brake"}), frozenset({"brake", "cold"})


def lanes(*names: str, facility: int = 1, runs=BRAKE, service=(True, None, None), first: int = 1) -> list[Lane]:
    return [Lane(first + number, name, facility, runs, service) for number, name in enumerate(names)]


def track(number: int, **more) -> list[Lane]:
    return lanes(*(f"Track {count + 1}" for count in range(number)), **more)


def test_dynos_named_alike_that_run_the_same_are_lanes_of_one_pool():
    assert pools(track(4)) == dict.fromkeys((1, 2, 3, 4), (1, 2, 3, 4))


@pytest.mark.parametrize(
    "names",
    [
        ("Track 1", "track 2", "TRACK 3", "Track 10"),
        ("Cell #1", "Cell #2", "Cell #3", "Cell #4"),
        ("DY-001", "DY-002", "DY-003", "DY-004"),
        ("1", "2", "3", "4"),
    ],
)
def test_only_the_number_at_the_end_may_differ(names):
    assert pools(lanes(*names)) == dict.fromkeys((1, 2, 3, 4), (1, 2, 3, 4))


@pytest.mark.parametrize(
    "dynos",
    [
        [],
        track(MIN_LANES - 1),
        lanes("North", "East", "South", "West"),
        lanes("Track 1a", "Track 2b", "Track 3c", "Track 4d"),
        lanes("Track 1", "Track 2", "Lane 3", "Lane 4"),
        [*track(2), *lanes("Track 3", "Track 4", facility=2, first=3)],
        # Of each kind a few: dynos like those of a hall that somebody looks at one by one.
        [*track(4), *lanes("Track 21", "Track 22", "Track 23", "Track 24", runs=COLD, first=21)],
    ],
)
def test_what_differs_in_more_is_no_pool(dynos):
    assert pools(dynos) == {}


def test_a_lane_that_can_do_more_than_the_others_stands_alone():
    assert set(pools([*track(5), *lanes("Track 6", runs=COLD, first=6)])) == {1, 2, 3, 4, 5}


def test_lanes_out_of_service_are_apart():
    out = lanes("Track 8", "Track 9", service=(False, None, None), first=8)
    assert pools([*track(4), *out]) == dict.fromkeys((1, 2, 3, 4), (1, 2, 3, 4))
    many = track(4, service=(False, None, None), first=11)
    assert set(pools([*track(4), *many]).values()) == {(1, 2, 3, 4), (11, 12, 13, 14)}


def place(dyno_id: int, first: int = 0, slack: int = 9) -> Place:
    return Place(dyno_id, f"Track {dyno_id}", "Track", day(first), day(first + 2), slack)


def test_of_places_alike_the_first_is_left_and_names_the_others():
    places = [place(2, slack=3), place(9), place(1), place(3), place(1, 5), place(9, 5), place(4, 5)]
    best = one_of_each(places, pools(track(4)))
    assert [(place.dyno_id, place.first_day, place.alike) for place in best] == [
        (2, day(0), ("Track 1", "Track 3")),
        (9, day(0), ()),
        (1, day(5), ("Track 4",)),
        (9, day(5), ()),
    ]
    assert (best[0].where, best[1].where) == ("Track 2 and 2 more alike", "Track 9")


@pytest.fixture
def lanes_of_north(world: World, monday) -> World:
    add_lanes(world, 12)
    return world


def test_pools_are_read_from_a_ground(lanes_of_north, django_assert_num_queries):
    ids = tuple(lanes_of_north.dynos[f"Track {number}"].pk for number in range(1, 13))
    with django_assert_num_queries(2):
        assert pools_of(lanes_of_north.north.pk) == dict.fromkeys(ids, ids)
    assert pools_of(lanes_of_north.south.pk) == {}


def offers(ranked) -> list[tuple[str, dt.date, int]]:
    return [(row.place.dyno, row.place.first_day, len(row.place.alike)) for row in ranked]


def test_places_are_really_different_ones(lanes_of_north):
    world = lanes_of_north
    world.vehicle("412W104")
    world.book("412W104", "Track 2", 0, 9, test="Brake")
    ranked = ranked_places(
        world.vehicles["412W101"], world.tests["Brake"].pk, days=3, first_day=day(0), user=world.users["viewer"]
    )
    assert offers(ranked) == [
        ("NPG 21", day(0), 0),
        ("Track 1", day(0), 10),
        ("NPG 1", day(0), 0),
        ("Track 2", day(10), 0),
    ]
    assert ranked[1].place.alike == tuple(f"Track {number}" for number in range(3, 13))


def test_the_limit_is_of_different_places(lanes_of_north):
    world = lanes_of_north
    few = ranked_places(
        world.vehicles["412W102"],
        world.tests["Brake"].pk,
        days=3,
        first_day=day(0),
        user=world.users["viewer"],
        limit=2,
    )
    assert offers(few) == [("Track 1", day(0), 11), ("NPG 1", day(0), 0)]


def test_a_booking_is_offered_another_lane_once(lanes_of_north):
    world = lanes_of_north
    booked = allocation_of(world.book("412W101", "Track 3", 0, 2))
    assert offers(other_places(booked, user=world.users["viewer"])) == [
        ("NPG 21", day(0), 0),
        ("Track 1", day(0), 10),
        ("NPG 1", day(0), 0),
    ]


def test_a_refusal_offers_places_that_are_really_different(lanes_of_north):
    world = lanes_of_north
    world.book("412W103", "Track 1", 0, 4)
    with pytest.raises(Refused) as refused:
        world.book("412W101", "Track 1", 0, 2)
    assert [(place.where, place.first_day) for place in refused.value.places] == [
        ("NPG 21", day(0)),
        ("Track 2 and 10 more alike", day(0)),
        ("NPG 1", day(0)),
    ]
    assert refused.value.details()["places"][1]["alike"] == [f"Track {number}" for number in range(3, 13)]


def test_what_a_lane_runs_is_read_whole(world):
    add_lanes(world, 4)
    world.dyno("Track 5", (world.tests["Brake"], ANY_DRIVE, [WeightClass.LIGHT]), facility="Track")
    world.dyno("Track 6", (world.tests["Brake"], [Drive.ALL_WHEEL], ANY_WEIGHT), facility="Track")
    names = {world.dynos[f"Track {number}"].pk for number in range(1, 5)}
    assert set(pools_of(world.north.pk)) == names
