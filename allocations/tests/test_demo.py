import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from allocations.enums import AllocationStatus
from allocations.models import Allocation, Membership, ProvingGround
from dynosite.accounts.models import User


@pytest.fixture
def demo(db):
    call_command("demo", stdout=StringIO())


def test_demo_brings_the_cast_with_its_roles(demo):
    roles = sorted(Membership.objects.values_list("user__username", "ground__code", "role"))
    assert roles == [
        ("admin", "NORTH", "admin"),
        ("admin", "SOUTH", "admin"),
        ("outsider", "SOUTH", "scheduler"),
        ("scheduler", "NORTH", "scheduler"),
        ("viewer", "NORTH", "viewer"),
    ]
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["admin"]
    assert User.objects.get(username="viewer").check_password("dynosite-demo")


def test_demo_is_set_in_this_week(demo):
    """The sample's week of 2026-11-16 becomes this week, so its running tests run now or nearly so."""
    north = ProvingGround.objects.get(code="NORTH")
    row_11 = Allocation.objects.get(vehicle__tag__startswith="TBD - 2027 K422-596", status=AllocationStatus.RUNNING)
    monday = north.today() - dt.timedelta(days=north.today().weekday())
    assert row_11.first_day == monday - dt.timedelta(days=1)
    assert Allocation.objects.filter(ground=north).exclude(status="cancelled").count() == 216
    assert Allocation.objects.filter(ground__code="SOUTH").count() == 4


def test_demo_is_for_an_empty_database_only(demo):
    with pytest.raises(CommandError, match="not empty"):
        call_command("demo")


def test_demo_is_refused_in_production_unless_asked_for(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="--in-production"):
        call_command("demo")
    assert not User.objects.exists()
