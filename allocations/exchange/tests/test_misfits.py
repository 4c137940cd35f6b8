"""Rows that are booked against the ground's days off or its travel are said to be, before the import and after."""

import io

import pytest

from allocations.enums import Door, Role
from allocations.exchange.importing import carry_out, preview
from allocations.exchange.tests.books import book, row
from allocations.models import Facility, Membership, ProvingGround, TestType, Travel
from allocations.services.unit_of_work import Actor
from dynosite.accounts.models import User

AT_NPG = {"facility": "NPG", "dyno": 1}
AT_STC = {"facility": "STC", "dyno": "STC #1"}


@pytest.fixture
def ground(db):
    """Sundays off, where 4K Certification pauses, and two days from NPG to STC; both known from an earlier import."""
    ground = ProvingGround.objects.create(code="WEST", name="West", days_off=[6])
    importer = Actor(User.objects.create_user("importer"), Door.IMPORT)
    Membership.objects.create(user=importer.user, ground=ground, role=Role.ADMIN)
    first = [row("412W900", 100, **AT_NPG), row("412W901", 100, **AT_STC), row("412W766", 14, 5, **AT_NPG)]
    carry_out(io.BytesIO(book(first)), ground, actor=importer)
    TestType.objects.filter(ground=ground).update(runs_through=False)
    npg, stc = (Facility.objects.get(ground=ground, name=name) for name in ("NPG", "STC"))
    Travel.objects.create(ground=ground, origin=npg, to=stc, days=2)
    return ground, importer


def misfits(report):
    return [(misfit.row, misfit.reason) for misfit in report.misfits]


def test_rows_against_days_off_and_travel_are_listed_and_booked_all_the_same(ground):
    west, importer = ground
    sheet = book(
        [
            row("412W101", 6, 2, **AT_NPG),
            row("412W102", 0, 7, **AT_STC),
            row("412W103", 8, 3, **AT_NPG),
            row("412W103", 12, 3, **AT_STC),
            row("412W104", 30, 3, **AT_STC),
            row("412W766", 19, 3, **AT_STC),
        ]
    )
    before = preview(io.BytesIO(sheet), west)
    assert before.refusals == []
    assert before.booked == 6
    assert misfits(before) == [
        (6, "It begins on a day off: Sun 7 Mar 2027."),
        (7, "It pauses on days off and ends on one: Sun 7 Mar 2027."),
        (9, "Too near to another stay, row 8, at NPG 9 – 11 Mar 2027: the way takes 2 days between."),
        (11, "Too near to another stay, at NPG 15 – 19 Mar 2027: the way takes 2 days between."),
    ]
    after = carry_out(io.BytesIO(sheet), west, actor=importer)
    assert misfits(after) == misfits(before)
    assert west.allocations.filter(first_day__lt="2027-03-30").count() == 6
    assert misfits(preview(io.BytesIO(sheet), west)) == []
