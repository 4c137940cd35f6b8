"""A repair is carried out while others book, move and set maintenance: whole, or refused with reasons."""

from functools import partial

import pytest

from allocations.enums import DisplacedTo, MaintenanceKind
from allocations.exceptions import Refused
from allocations.models import Displacement, MaintenanceWindow
from allocations.selectors.maintenance import Answer
from allocations.services import booking
from allocations.services.maintenance import set_maintenance
from allocations.tests.invariants import expect_sound
from allocations.tests.racing import race, winners
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, allocation_of, day

pytestmark = pytest.mark.race

ROUNDS = 12
RIVALS = 6


@pytest.fixture
def line(committed_world):
    """Three dynos in a line, and vehicles for all."""
    world = committed_world
    for number in range(3):
        world.dyno(f"D{number}", (world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT), facility="Race")
    for number in range(2 + RIVALS):
        world.vehicle(f"V{number}")
    yield world
    expect_sound()


def place_of(allocation):
    allocation.refresh_from_db()
    return allocation.dyno.name, allocation.status


def test_a_repair_among_bookings_and_moves_is_whole_or_nothing(line):
    """D0 fails: V0 takes V1's place on D1, and V1 goes to D2. Meanwhile others want D2, or move V1, or shut D2."""
    world, fates = line, set()
    admin = world.actor("admin")
    for number in range(ROUNDS):
        first, last = number * 10, number * 10 + 2
        hit = allocation_of(world.book("V0", "D0", first, last))
        other = allocation_of(world.book("V1", "D1", first, last))
        before = MaintenanceWindow.objects.count(), Displacement.objects.count()
        carry = partial(
            set_maintenance,
            world.dynos["D0"].pk,
            first_day=day(first),
            last_day=day(last),
            kind=MaintenanceKind.OUTAGE,
            answers={hit.pk: Answer(DisplacedTo.MOVE, world.dynos["D1"].pk, day(first), hit.version)},
            moves={other.pk: Answer(DisplacedTo.MOVE, world.dynos["D2"].pk, day(first), other.version)},
            actor=admin,
        )
        rival = [
            *(partial(world.book, f"V{n + 2}", "D2", first + n % 3, last) for n in range(RIVALS)),
            partial(
                booking.move,
                other.pk,
                dyno_id=world.dynos["D1"].pk,
                first_day=day(first + 3),
                last_day=day(last + 3),
                version=other.version,
                actor=world.actor(),
            ),
        ]
        some = rival[: number % (RIVALS + 2)]
        outcomes = race([carry, *some])
        winners(outcomes)
        expect_sound()
        after = MaintenanceWindow.objects.count(), Displacement.objects.count()
        if isinstance(outcomes[0], Exception):
            fates.add("refused")
            assert isinstance(outcomes[0], Refused)
            assert outcomes[0].refusals
            assert after == before
            assert place_of(hit) == ("D0", "scheduled")
        else:
            fates.add("applied")
            assert after == (before[0] + 1, before[1] + 2)
            assert (place_of(hit), place_of(other)[1]) == (("D1", "scheduled"), "scheduled")
    assert "applied" in fates
