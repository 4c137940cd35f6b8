"""A workbook into the database: all of it or nothing, once, and beside what is there."""

from collections import Counter

import pytest
from django.db.models import Count, F

from allocations.enums import Action, Door, Role
from allocations.exceptions import NotAllowed, NotFound, Refused
from allocations.exchange.errors import WorkbookError
from allocations.exchange.importing import carry_out, preview
from allocations.exchange.tests.books import book, day, row
from allocations.exchange.tests.test_sample import EXPECTED, SAMPLE
from allocations.models import (
    Allocation,
    Capability,
    Change,
    Dyno,
    Facility,
    MaintenanceWindow,
    Membership,
    Occupancy,
    ProvingGround,
    TestRequest,
    TestType,
    Vehicle,
)
from allocations.services.booking import book as book_place
from allocations.services.booking import cancel
from allocations.services.maintenance import lift_maintenance
from allocations.services.undo import undo
from allocations.services.unit_of_work import Actor
from dynosite.accounts.models import User
from dynosite.lib import clock

TABLES = (
    Allocation,
    TestRequest,
    Vehicle,
    Dyno,
    Capability,
    TestType,
    Facility,
    MaintenanceWindow,
    Change,
    Occupancy,
)
VIN = "9ZZD9PCF1WX454710"


@pytest.fixture
def ground(db):
    return ProvingGround.objects.create(code="WEST", name="West")


def member(ground, role=Role.ADMIN, name="importer"):
    user, _ = User.objects.get_or_create(username=name)
    Membership.objects.update_or_create(user=user, ground=ground, defaults={"role": role})
    return Actor(user, Door.IMPORT)


def bring(ground, *rows, lanes=12, role=Role.ADMIN, **how):
    return carry_out(book(rows, **how), ground, actor=member(ground, role), lanes=lanes)


def d(number):
    return day(number).date()


def contents():
    """Every row of every table that an import writes."""
    return {model: list(model.objects.order_by("pk").values()) for model in TABLES}


def test_the_sample_comes_in_whole(ground):
    report = carry_out(SAMPLE, ground, actor=member(ground))
    assert (report.rows, report.booked, report.waiting, report.cancelled, report.refused) == (302, 216, 73, 8, 5)
    assert [[c["kind"], c["name"], *c["rows"]] for c in report.conflicts] == EXPECTED["overlaps"]
    assert Allocation.objects.count() == 216
    assert Counter(TestRequest.objects.values_list("status", flat=True)) == {
        "placed": 216,
        "waiting": 73,
        "cancelled": 8,
    }
    assert Counter(Allocation.objects.values_list("status", flat=True)) == {
        "scheduled": 162,
        "completed": 41,
        "running": 13,
    }
    assert dict(Facility.objects.annotate(n=Count("dynos")).values_list("name", "n")) == {
        "NPG": 11,
        "STC": 3,
        "ELK": 2,
        "Track": 12,
    }
    assert MaintenanceWindow.objects.count() == 2
    assert report.made["vehicles"] == Vehicle.objects.count()


def test_every_booking_of_the_sample_has_the_place_and_days_of_its_claim(ground):
    report = carry_out(SAMPLE, ground, actor=member(ground))
    lost = {wait.row for wait in report.waits}
    expected = Counter(
        (dyno, first, last) for number, dyno, _, first, last in EXPECTED["claims"] if number not in lost
    )
    booked = Counter(
        (("Track" if facility == "Track" else name), str(first), str(last))
        for facility, name, first, last in Allocation.objects.values_list(
            "dyno__facility__name", "dyno__name", "first_day", "last_day"
        )
    )
    assert booked == expected


def test_a_second_import_changes_nothing(ground):
    first = carry_out(SAMPLE, ground, actor=member(ground))
    before = contents()
    second = carry_out(SAMPLE, ground, actor=member(ground))
    assert contents() == before
    assert second.already_there == first.rows - first.refused == 297
    names = ("rows", "booked", "waiting", "cancelled", "refused", "conflicts", "refusals")
    assert [getattr(second, n) for n in names] == [getattr(first, n) for n in names]
    assert not any(second.made.values())


def test_rows_are_known_again_in_any_order(ground):
    rows = [
        row(),
        row("TBD X", 2),
        row("TBD X", 2),
        row("222B222", 9),
        row("333C333", dyno=None),
        row("TBD X", 7, dyno=2),
    ]
    first = bring(ground, *rows)
    before = contents()
    second = bring(ground, *reversed(rows))
    assert contents() == before
    assert (second.already_there, second.booked, second.waiting) == (6, first.booked, first.waiting)


def test_a_preview_says_the_same_and_writes_nothing(ground):
    before = contents()
    previewed = preview(SAMPLE, ground)
    assert contents() == before
    assert previewed == carry_out(SAMPLE, ground, actor=member(ground))


def test_a_preview_of_a_ground_that_is_yet_to_be_made(db):
    assert preview(SAMPLE, None).booked == 216


def test_what_a_row_says_is_kept_with_its_request(ground):
    particulars = {"step": "5K - 75K", "miles": 70000, "miles_per_day": 750, "extra_days": 3, "contact": "LAB01"}
    particulars |= {
        "program": "K422",
        "model_year": 2028,
        "team": "OBD Cert",
        "build_type": "TT",
        "powertrain": "BEV",
    }
    days = {"new_estimate": day(2), "projected": day(7)}
    drives = {"drive": "AWD", "constraint": "2WD"}
    bring(ground, row(vin=VIN, status="DELAYED", notes="hot soak", build_id="B-1", **drives, **days, **particulars))
    request = TestRequest.objects.get()
    names = ("step", "miles", "miles_per_day", "extra_days", "days", "drive", "earliest_start", "due_date", "status")
    assert [getattr(request, n) for n in names] == ["5K - 75K", 70000, 750, 3, 8, "2WD", d(2), d(6), "placed"]
    assert request.note == "DELAYED; hot soak; Contact: LAB01"
    stay = Allocation.objects.get()
    assert (stay.request, stay.note, stay.drive, stay.source) == (request, "DELAYED; hot soak", "2WD", "import")
    assert (stay.dyno.name, stay.first_day, stay.last_day, stay.status) == ("NPG 1", d(2), d(9), "scheduled")
    vehicle = Vehicle.objects.get()
    names = ["tag", "vin", "drive", "weight_class", "program", "model_year", "team", "build_type", "powertrain"]
    names += ["build_id"]
    assert [getattr(vehicle, n) for n in names] == [
        "412W766",
        VIN,
        "AWD",
        "<10K",
        "K422",
        2028,
        "OBD Cert",
        "TT",
        "BEV",
        "B-1",
    ]


def test_a_claim_that_lost_remembers_where_the_sheet_had_it(ground):
    bring(ground, row(), row("222B222"))
    assert TestRequest.objects.get(status="waiting").note == "In the workbook: NPG 1"


def test_it_is_one_change_with_every_row_in_it(ground):
    bring(ground, row(), row("222B222"), maintenance=[("NPG 3", day(0), day(1))])
    change = Change.objects.get()
    assert (change.action, change.door, change.user.username) == (Action.IMPORT, "import", "importer")
    assert Counter(item["model"] for item in change.items) == {
        "testrequest": 2,
        "allocation": 1,
        "maintenancewindow": 1,
    }
    assert change.summary == "Workbook of 2 rows: 1 booked, 1 waiting, 0 cancelled, 0 refused"


def test_an_undone_import_can_come_in_again(ground):
    rows = [row(), row("222B222"), row("333C333", 9)]
    how = {"maintenance": [("NPG 3", day(0), day(1))]}
    bring(ground, *rows, **how)
    undo(Change.objects.get().pk, actor=member(ground))
    again = bring(ground, *rows, **how)
    assert (again.already_there, again.booked, again.waiting) == (0, 2, 1)
    assert Allocation.objects.exclude(status="cancelled").count() == 2
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 1
    assert bring(ground, *rows, **how).already_there == 3


def test_a_test_that_still_runs_past_its_end_keeps_its_dyno_and_its_vehicle(ground):
    bring(ground, row("111A111", 0, status="RUNNING"))
    with clock.day_is(d(10)):
        report = bring(ground, row("222B222", 12))
    assert (report.booked, report.waiting) == (0, 1)
    assert report.waits[0].reason == (
        "NPG 1 is already held by 111A111, which still runs past 5 Mar 2027, on 6 – 17 Mar 2027"
    )
    with clock.day_is(d(10)):
        again = bring(ground, row("111A111", 12, dyno="NPG 2"))
    assert again.waits[0].reason == "111A111 is already running on NPG 1 past 5 Mar 2027, on 6 – 17 Mar 2027"


@pytest.mark.parametrize("status", ["G", "RUNNING", "COMPLETED"])
def test_bookings_that_are_there_keep_their_place(ground, status):
    bring(ground, row("111A111", 3))
    report = bring(ground, row("222B222", 0, status=status))
    assert (report.booked, report.waiting) == (0, 1)
    assert report.waits[0].reason == "NPG 1 is already booked for 111A111 on 4 – 8 Mar 2027"
    assert list(Allocation.objects.values_list("vehicle__tag", "first_day")) == [("111A111", d(3))]


def test_a_window_of_the_sheet_gives_way_to_bookings_that_are_there(ground):
    bring(ground, row(first=2, days=2))
    report = bring(ground, row(first=2, days=2), maintenance=[("NPG 1", day(0), day(9))])
    assert list(MaintenanceWindow.objects.order_by("first_day").values_list("first_day", "last_day")) == [
        (d(0), d(1)),
        (d(4), d(9)),
    ]
    assert any("NPG 1 is not free on 1 – 10 Mar 2027" in warning for warning in report.warnings)
    before = contents()
    bring(ground, row(first=2, days=2), maintenance=[("NPG 1", day(0), day(9))])
    assert contents() == before


def test_a_window_that_was_lifted_since_stays_lifted(ground):
    how = {"maintenance": [("NPG 1", day(0), day(9))]}
    bring(ground, row(first=20), **how)
    lift_maintenance(MaintenanceWindow.objects.get().pk, actor=member(ground))
    before = contents()
    bring(ground, row(first=20), **how)
    assert contents() == before


def test_a_vehicle_that_got_its_vin_is_the_same_vehicle(ground):
    bring(ground, row())
    bring(ground, row(first=20, vin=VIN))
    assert list(Vehicle.objects.values_list("tag", "vin")) == [("412W766", VIN)]
    assert Allocation.objects.values("vehicle").distinct().count() == 1


def test_placeholders_go_on_where_an_earlier_import_left_them(ground):
    bring(ground, row("TBD X", dyno=1), row("TBD X", dyno=2))
    bring(ground, row("TBD X", 2, dyno=3), row("TBD X", 9, dyno=3))
    by_day = Allocation.objects.order_by("dyno__name", "first_day").values_list("dyno__name", "vehicle__tag")
    assert list(by_day) == [("NPG 1", "TBD X"), ("NPG 2", "TBD X (2)"), ("NPG 3", "TBD X (3)"), ("NPG 3", "TBD X")]


def test_a_booking_that_was_moved_or_cancelled_since_stays_so(ground):
    rows = [row(), row("222B222", 9)]
    bring(ground, *rows)
    moved = Allocation.objects.get(vehicle__tag="222B222")
    cancel(moved.pk, actor=member(ground))
    before = contents()
    report = bring(ground, *rows)
    assert contents() == before
    assert (report.booked, report.waiting, report.already_there) == (1, 1, 2)


def test_rules_that_an_admin_changed_are_not_put_back(ground):
    bring(ground, row())
    Capability.objects.filter(dyno__name="NPG 1").delete()
    report = bring(
        ground,
        row("222B222", 9),
        rules=[("4k certification", "any", "any", "NPG 1"), ("evap", "any", "any", "NPG 1")],
    )
    assert list(Capability.objects.filter(dyno__name="NPG 1").values_list("test_type__name", flat=True)) == ["evap"]
    assert (report.booked, report.waiting) == (0, 1)


def test_only_a_scheduler_may_import_and_only_an_admin_what_makes_dynos(ground):
    with pytest.raises(NotFound):
        carry_out(SAMPLE, ground, actor=Actor(User.objects.create(username="outsider"), Door.IMPORT))
    with pytest.raises(NotAllowed):
        bring(ground, row(), role=Role.VIEWER)
    before = contents()
    with pytest.raises(NotAllowed):
        bring(ground, row(), role=Role.SCHEDULER)
    assert contents() == before
    bring(ground, row())
    assert bring(ground, row("222B222", 9), role=Role.SCHEDULER).booked == 1
    with pytest.raises(NotFound):
        preview(SAMPLE, ground, actor=Actor(User.objects.get(username="outsider"), Door.IMPORT))


def test_progress_is_told_and_can_stop_the_import_without_a_trace(ground):
    heard = []
    carry_out(SAMPLE, ground, actor=member(ground), on_progress=lambda done, total: heard.append((done, total)))
    assert heard[0] == (0, 297)
    assert heard[-1] == (297, 297)

    class Stop(Exception):
        pass

    def stop(done, total):
        if done:
            raise Stop

    east = ProvingGround.objects.create(code="EAST", name="East")
    with pytest.raises(Stop):
        carry_out(SAMPLE, east, actor=member(east), on_progress=stop)
    assert not Dyno.objects.filter(ground=east).exists()
    assert not TestRequest.objects.filter(ground=east).exists()


def test_a_bad_file_writes_nothing(ground):
    before = contents()
    with pytest.raises(WorkbookError):
        carry_out(b"no workbook", ground, actor=member(ground))
    assert contents() == before


def test_two_grounds_import_the_same_workbook_apart(ground):
    east = ProvingGround.objects.create(code="EAST", name="East")
    bring(ground, row())
    assert bring(east, row()).already_there == 0
    assert Allocation.objects.filter(ground=F("dyno__ground")).values("ground").distinct().count() == 2


def test_statements_do_not_grow_with_the_rows(ground, django_assert_max_num_queries):
    rows = [row(f"1{n:02}A111", n * 5, dyno=1 + n % 3) for n in range(60)]
    data, actor = book(rows), member(ground)
    with django_assert_max_num_queries(90):
        carry_out(data, ground, actor=actor)
    assert Allocation.objects.count() == 60


def test_booking_by_hand_after_an_import_meets_the_same_guards(ground):
    bring(ground, row())
    other = Vehicle.objects.create(ground=ground, tag="222B222", drive="2WD", weight_class="<10K")
    dyno, test_type = Dyno.objects.get(name="NPG 1"), TestType.objects.get(name="4K Certification")
    how = {"test_type_id": test_type.pk, "first_day": d(1), "last_day": d(2), "actor": member(ground)}
    with pytest.raises(Refused, match="NPG 1 is taken by 412W766"):
        book_place(other.pk, dyno.pk, **how)
