"""A database for one benchmark, made beside the configured one and dropped afterwards, and a schedule to fill it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import connection

from dynosite.lib import events

if TYPE_CHECKING:
    from allocations.services.unit_of_work import Actor

START = dt.date(2026, 1, 1)
GROUND, USER, DYNO, VEHICLE, TEST_TYPE = 71_000_000, 72_000_000, 73_000_000, 74_000_000, 75_000_000
"""First ids. Far from one another, so that a statement that was seen once can be filled with other ids."""


@contextmanager
def scratch_database() -> Iterator[str]:
    """The default connection leads to a new, migrated database inside; no pool, so that each client has its own."""
    database, options = connection.settings_dict, connection.settings_dict["OPTIONS"]
    before, name = database["NAME"], f"{database['NAME']}_bench"
    pool = options.pop("pool", None)
    connection.close()
    _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    database["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        yield name
    finally:
        connection.close()
        database["NAME"] = before
        if pool is not None:
            options["pool"] = pool
        _run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        events.forget(GROUND)


def _run(*statements: str) -> None:
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@dataclass(frozen=True)
class Site:
    """One proving ground in which any vehicle may go to any dyno; ids are consecutive from the first ones above."""

    dynos: int
    vehicles: int

    def actor(self) -> "Actor":
        from allocations.enums import Door
        from allocations.services.unit_of_work import Actor
        from dynosite.accounts.models import User

        return Actor(User.objects.get(pk=USER), Door.API)


def build_site(*, dynos: int, vehicles: int, facilities: int = 10) -> Site:
    from allocations.enums import Drive, Role, WeightClass
    from allocations.models import Capability, Dyno, Facility, Membership, ProvingGround, TestType, Vehicle
    from allocations.models.dyno import natural_key
    from dynosite.accounts.models import User

    ground = ProvingGround.objects.create(pk=GROUND, code="BENCH", name="Benchmark")
    user = User.objects.create(pk=USER, username="benchmark")
    Membership.objects.create(user=user, ground=ground, role=Role.SCHEDULER)
    test_type = TestType.objects.create(pk=TEST_TYPE, ground=ground, code="brake", name="Brake")
    halls = [Facility.objects.create(ground=ground, name=f"Hall {n}", position=n) for n in range(facilities)]
    names = [f"Dyno {n}X" for n in range(dynos)]  # with a number at their end they would be lanes alike
    Dyno.objects.bulk_create(
        Dyno(pk=DYNO + n, ground=ground, facility=halls[n % facilities], name=name, sort_key=natural_key(name))
        for n, name in enumerate(names)
    )
    Capability.objects.bulk_create(
        Capability(
            dyno_id=DYNO + n, test_type=test_type, drives=list(Drive.values), weight_classes=list(WeightClass.values)
        )
        for n in range(dynos)
    )
    Vehicle.objects.bulk_create(
        Vehicle(pk=VEHICLE + n, ground=ground, tag=f"B{n:05}", drive=Drive.TWO_WHEEL, weight_class=WeightClass.LIGHT)
        for n in range(vehicles)
    )
    return Site(dynos, vehicles)


def fill(site: Site, allocations: int, *, days: int = 5, every: int = 7, first: dt.date = START) -> None:
    """Back to back on every dyno: `days` taken of `every`, in one statement, so that the guards see each row.

    The vehicle of the n-th stay of dyno d is d + n, so that no vehicle is in two places on one day as long as there
    are as many vehicles as dynos. (In parts, each well below the statement timeout.)
    """
    for done in range(0, allocations, AT_ONCE):
        _insert(site, range(done, min(allocations, done + AT_ONCE)), days=days, every=every, first=first)
    analyze()


AT_ONCE = 10_000


def _insert(site: Site, numbers: range, *, days: int, every: int, first: dt.date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO allocations_allocation (ground_id, vehicle_id, dyno_id, test_type_id, drive, first_day,
                last_day, status, note, source, created_by_id, created_at, version)
            SELECT %(ground)s, %(vehicle)s + (d + n) %% %(vehicles)s, %(dyno)s + d, %(test)s, '',
                %(first)s::date + n * %(every)s, %(first)s::date + n * %(every)s + %(days)s - 1, 'scheduled', '',
                'api', %(user)s, now(), 1
            FROM (SELECT k %% %(dynos)s AS d, k / %(dynos)s AS n FROM generate_series(%(from)s, %(to)s) k) AS stays
            """,
            {
                "ground": GROUND,
                "vehicle": VEHICLE,
                "vehicles": site.vehicles,
                "dyno": DYNO,
                "test": TEST_TYPE,
                "first": first,
                "every": every,
                "days": days,
                "user": USER,
                "dynos": site.dynos,
                "from": numbers.start,
                "to": numbers.stop - 1,
            },
        )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
