"""A running test past its end, and one that runs, through the administration."""

import pytest

from allocations.admin.tests.conftest import admin_url, errors_in, messages_of
from allocations.models import Allocation
from allocations.services import booking
from allocations.tests.world import allocation_of, day
from dynosite.lib import clock

STILL = (
    "NPG 1 still runs 412W101 (Brake), which should have ended on 18 Nov 2026; extend or complete it first. "
    "Booked by scheduler."
)
LIST = "/admin/allocations/allocation/"


@pytest.fixture
def overrun(cast):
    """412W101 runs on NPG 1 and was to end on day 2; today is day 4."""
    with clock.day_is(day(0)):
        stay = allocation_of(cast.world.book("412W101", "NPG 1", 0, 2))
        booking.start(stay.pk, actor=cast.world.actor())
    with clock.day_is(day(4)):
        stay.refresh_from_db()
        yield stay


def act(keeper, name, row):
    return keeper.post(LIST, {"action": name, "_selected_action": row.pk}, follow=True)


def typed(row, **more):
    place = {"dyno": row.dyno_id, "first_day": f"{row.first_day}", "last_day": f"{row.last_day}"}
    return place | {"seen": row.version} | more


def test_nothing_is_booked_over_it(cast, keeper, overrun):
    answer = keeper.post(
        f"{LIST}add/",
        {
            "vehicle": cast.world.vehicles["412W103"].pk,
            "dyno": overrun.dyno_id,
            "drive": "",
            "request": "",
            "test_type": overrun.test_type_id,
            "first_day": f"{day(5)}",
            "last_day": f"{day(6)}",
            "note": "",
        },
    )
    assert errors_in(answer)["dyno"] == [STILL]
    assert Allocation.objects.filter(ground=cast.world.north).count() == 1


def test_it_is_extended_to_today_by_an_action(keeper, overrun):
    answer = act(keeper, "extend", overrun)
    assert messages_of(answer) == ["412W101 to NPG 1, 16 – 20 Nov 2026: Brake."]
    overrun.refresh_from_db()
    assert (overrun.last_day, overrun.status) == (day(4), "running")


def test_its_first_day_stays_and_its_dyno_changes_for_the_rest_alone(cast, keeper, overrun):
    with clock.day_is(day(1)):
        answer = keeper.post(admin_url("allocation", "change", overrun.pk), typed(overrun, first_day=f"{day(1)}"))
        assert errors_in(answer)["__all__"] == ["It has run since 16 Nov 2026; its first day cannot be changed."]
        keeper.post(admin_url("allocation", "change", overrun.pk), typed(overrun, dyno=cast.world.dynos["NPG 21"].pk))
    rows = Allocation.objects.filter(ground=cast.world.north).order_by("pk")
    assert [(row.dyno.name, row.first_day, row.last_day, row.status) for row in rows] == [
        ("NPG 1", day(0), day(0), "completed"),
        ("NPG 21", day(1), day(2), "running"),
    ]


def test_cancelling_says_what_has_run(keeper, overrun):
    with clock.day_is(day(1)):
        page = act(keeper, "cancel", overrun).content.decode()
    assert "(running: 1 of 3 days have run; completing it instead keeps them in the records)" in page


def test_it_is_completed_on_a_dyno_that_is_disabled(keeper, overrun):
    overrun.dyno.enabled = False
    overrun.dyno.save()
    act(keeper, "complete", overrun)
    overrun.refresh_from_db()
    assert (overrun.status, overrun.last_day) == ("completed", day(2))
