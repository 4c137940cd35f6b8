"""Fills an empty database with the demo: the sample workbook in one proving ground, and a small second one."""

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from allocations import exchange
from allocations.enums import Door, Drive, MaintenanceKind, Role, WeightClass
from allocations.exchange.importing import carry_out
from allocations.models import Capability, Dyno, Facility, Membership, ProvingGround, TestType, Vehicle
from allocations.services.booking import book
from allocations.services.maintenance import set_maintenance
from allocations.services.requests import create_request
from allocations.services.unit_of_work import Actor
from dynosite.accounts.models import User

SAMPLE = Path(exchange.__file__).parent / "sample" / "forecast_sample.xlsx"
SAMPLE_MONDAY = dt.date(2026, 11, 16)
"""The Monday of the week in which the sample workbook is set."""

PASSWORD = "dynosite-demo"  # noqa: S105
USERS = {
    "admin": "admin of every proving ground",
    "scheduler": "scheduler of NORTH",
    "viewer": "viewer of NORTH",
    "outsider": "scheduler of SOUTH",
}


def monday_of(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


class Command(BaseCommand):
    help = "Fill an empty database with the demo: users, the sample workbook and a small second proving ground."

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--in-production",
            action="store_true",
            help="Make the demo's users, whose password is public, in production mode too.",
        )

    def handle(self, *args, in_production: bool, **options) -> None:
        if settings.PRODUCTION and not in_production:
            raise CommandError("The demo's passwords are public; say --in-production if that is what you want.")
        if User.objects.exists() or ProvingGround.objects.exists():
            raise CommandError("The database is not empty; the demo is for an empty one.")
        with transaction.atomic():
            users = _users()
            _north(users)
            _south(users)
        for name, role in USERS.items():
            self.stdout.write(f"  {name:<10} {role}")
        self.stdout.write(f"  password: {PASSWORD}")


def _users() -> dict[str, User]:
    names = {
        "admin": ("Ada", "Lindqvist"),
        "scheduler": ("Sam", "Okafor"),
        "viewer": ("Vera", "Nowak"),
        "outsider": ("Otto", "Brandt"),
    }
    users = {
        name: User.objects.create_user(name, password=PASSWORD, first_name=names[name][0], last_name=names[name][1])
        for name in USERS
    }
    User.objects.filter(pk=users["admin"].pk).update(is_staff=True, is_superuser=True)
    users["admin"].refresh_from_db()
    return users


def _join(ground: ProvingGround, users: dict[str, User], **roles: Role) -> None:
    for name, role in roles.items():
        Membership.objects.create(user=users[name], ground=ground, role=role)


def _north(users: dict[str, User]) -> None:
    north = ProvingGround.objects.create(code="NORTH", name="North Proving Ground", time_zone="America/Detroit")
    _join(north, users, admin=Role.ADMIN, scheduler=Role.SCHEDULER, viewer=Role.VIEWER)
    weeks = (monday_of(north.today()) - SAMPLE_MONDAY).days // 7
    carry_out(SAMPLE, north, actor=Actor(users["admin"], Door.IMPORT), shift_weeks=weeks)


def _south(users: dict[str, User]) -> None:
    south = ProvingGround.objects.create(code="SOUTH", name="South Test Centre", time_zone="America/Phoenix")
    _join(south, users, admin=Role.ADMIN, outsider=Role.SCHEDULER)
    hall = Facility.objects.create(ground=south, name="Desert hall")
    tests = [
        TestType.objects.create(ground=south, code=code, name=name, colour=colour, default_days=days)
        for code, name, colour, days in (
            ("hot-soak", "Hot soak", "#c2410c", 3),
            ("brake-cooling", "Brake cooling", "#2464c9", 2),
        )
    ]
    dynos = [Dyno.objects.create(ground=south, facility=hall, name=f"DH {number}") for number in (1, 2, 3)]
    for dyno in dynos:
        for test in tests if dyno is not dynos[2] else tests[:1]:
            Capability.objects.create(
                dyno=dyno, test_type=test, drives=list(Drive.values), weight_classes=[WeightClass.LIGHT]
            )
    vehicles = [
        Vehicle.objects.create(
            ground=south,
            tag=f"501S10{number}",
            program="D880",
            model_year=2028,
            team="Thermal",
            drive=drive,
            weight_class=WeightClass.LIGHT,
            weight_lbs=4_200 + 150 * number,
        )
        for number, drive in enumerate((Drive.TWO_WHEEL, Drive.ALL_WHEEL, Drive.ALL_WHEEL, Drive.TWO_WHEEL))
    ]
    actor = Actor(users["outsider"], Door.FORM)
    monday = monday_of(south.today())
    bookings = (
        (vehicles[0], dynos[0], tests[0], 0, 5),
        (vehicles[1], dynos[1], tests[0], 2, 4),
        (vehicles[2], dynos[0], tests[1], 7, 3),
        (vehicles[3], dynos[2], tests[0], 8, 5),
    )
    for vehicle, dyno, test, first, days in bookings:
        book(
            vehicle.pk,
            dyno.pk,
            test_type_id=test.pk,
            first_day=monday + dt.timedelta(days=first),
            last_day=monday + dt.timedelta(days=first + days - 1),
            actor=actor,
        )
    set_maintenance(
        dynos[1].pk,
        first_day=monday + dt.timedelta(days=8),
        last_day=monday + dt.timedelta(days=10),
        kind=MaintenanceKind.CALIBRATION,
        reason="Load cell",
        actor=Actor(users["admin"], Door.FORM),
    )
    create_request(
        vehicles[0].pk, test_type_id=tests[1].pk, days=2, earliest_start=monday + dt.timedelta(days=7), actor=actor
    )
