"""What is exported can be imported again, and a spreadsheet never runs any of it."""

import csv
from io import BytesIO

import pytest
from openpyxl import load_workbook

from allocations.enums import Role
from allocations.exceptions import NotFound
from allocations.exchange.export import export_csv, export_workbook
from allocations.exchange.export_rows import schedule_rows
from allocations.exchange.importing import carry_out
from allocations.exchange.opening import FORECAST
from allocations.exchange.tests.books import book, day, row
from allocations.exchange.tests.test_importing import bring, contents, d, member
from allocations.exchange.tests.test_sample import SAMPLE
from allocations.models import Allocation, Capability, Dyno, MaintenanceWindow, ProvingGround, TestRequest, Vehicle
from allocations.services.booking import book as book_place
from allocations.services.booking import move
from dynosite.accounts.models import User


@pytest.fixture
def ground(db):
    return ProvingGround.objects.create(code="WEST", name="West")


@pytest.fixture
def east(db):
    return ProvingGround.objects.create(code="EAST", name="East")


VEHICLE = (
    "tag",
    "vin",
    "placeholder",
    "drive",
    "weight_class",
    "program",
    "model_year",
    "team",
    "build_id",
    "build_type",
)
REQUEST = (
    "test_type__name",
    "step",
    "drive",
    "days",
    "miles",
    "miles_per_day",
    "extra_days",
    "earliest_start",
    "due_date",
    "status",
    "note",
)


def read_csv(lines):
    return list(csv.reader("".join(lines).removeprefix("\ufeff").splitlines()))


def records(lines):
    heading, *rows = read_csv(lines)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def schedule(ground):
    """All that a workbook holds of a ground, without ids."""
    vehicle = [f"vehicle__{name}" for name in ("tag", "vin")]

    def rows(model, *names, **which):
        return sorted(map(str, model.objects.filter(**(which or {"ground": ground})).values_list(*names)))

    return {
        "vehicles": rows(Vehicle, *VEHICLE, "powertrain"),
        "dynos": rows(Dyno, "name", "facility__name"),
        "rules": rows(Capability, "dyno__name", "test_type__name", "drives", "weight_classes", dyno__ground=ground),
        "windows": rows(MaintenanceWindow, "dyno__name", "first_day", "last_day", ground=ground, lifted_at=None),
        "requests": rows(TestRequest, *vehicle, *REQUEST),
        "bookings": rows(
            Allocation,
            *vehicle,
            "dyno__name",
            "test_type__name",
            "first_day",
            "last_day",
            "status",
            "note",
            "drive",
            "request__step",
        ),
    }


def test_export_of_the_sample_comes_back_the_same(ground, east):
    carry_out(SAMPLE, ground, actor=member(ground))
    exported = export_workbook(ground, user=member(ground).user)
    report = carry_out(exported, east, actor=member(east))
    assert (report.rows, report.booked, report.waiting, report.cancelled) == (297, 216, 73, 8)
    assert (report.refusals, report.conflicts) == ([], [])
    assert schedule(east) == schedule(ground)


def test_export_imported_where_it_came_from_changes_nothing(ground):
    carry_out(SAMPLE, ground, actor=member(ground))
    before = contents()
    report = carry_out(export_workbook(ground, user=member(ground).user), ground, actor=member(ground))
    assert contents() == before
    assert report.already_there == 297


def test_what_was_made_here_is_known_again_here_and_comes_in_elsewhere(ground, east):
    bring(ground, row(first=20))
    actor = member(ground)
    vehicle = Vehicle.objects.create(ground=ground, tag="222B222", drive="AWD", weight_class=">10K")
    hall = Dyno.objects.get(name="NPG 1").facility
    Dyno.objects.create(ground=ground, facility=hall, name="Cell 7")
    Capability.objects.create(
        dyno=Dyno.objects.get(name="Cell 7"),
        test_type=Capability.objects.first().test_type,
        drives=["AWD"],
        weight_classes=[">10K"],
    )
    test_type = Capability.objects.get(dyno__name="Cell 7").test_type
    book_place(
        vehicle.pk,
        Dyno.objects.get(name="Cell 7").pk,
        test_type_id=test_type.pk,
        first_day=d(0),
        last_day=d(4),
        actor=actor,
        note="by hand",
    )
    move(Allocation.objects.get(vehicle__tag="412W766").pk, actor=actor, first_day=d(30))
    exported = export_workbook(ground, user=actor.user)
    before = contents()
    assert carry_out(exported, ground, actor=actor).already_there == 2
    assert contents() == before
    carry_out(exported, east, actor=member(east))
    assert schedule(east)["bookings"] == [booking.replace("None)", "'')") for booking in schedule(ground)["bookings"]]
    assert schedule(east)["dynos"] == schedule(ground)["dynos"]
    assert schedule(east)["rules"] == schedule(ground)["rules"]


def test_formulas_in_the_schedule_are_exported_as_text(ground):
    bring(ground, row("=1+1", notes="@SUM(A1)", step="+cmd", program="-2"), edit=as_text)
    user = member(ground).user
    sheet = load_workbook(BytesIO(export_workbook(ground, user=user)))[FORECAST]
    cells = {cell.value: cell for line in sheet.iter_rows() for cell in line if isinstance(cell.value, str)}
    for words in ("=1+1", "@SUM(A1)", "+cmd", "-2"):
        assert (cells[words].data_type, cells[words].quotePrefix) == ("s", True)
    lines = read_csv(export_csv(ground, user=user))
    values = dict(zip(lines[0], lines[1], strict=True))
    assert [values[n] for n in ("Tag", "Notes", "Step", "Program")] == ["'=1+1", "'@SUM(A1)", "'+cmd", "'-2"]


def as_text(workbook):
    for line in workbook[FORECAST].iter_rows(min_row=6):
        for cell in line:
            if isinstance(cell.value, str):
                cell.data_type = "s"


def test_csv_says_who_is_where(ground):
    bring(ground, row(), row("222B222", 1), row("333C333", 9, status="CANCELLED"))
    lines = records(export_csv(ground, user=member(ground).user))
    assert [(line["Dyno"], line["Tag"], line["First day"], line["Last day"], line["Status"]) for line in lines] == [
        ("NPG 1", "412W766", "2027-03-01", "2027-03-05", "G"),
        ("", "222B222", "", "", "G"),
        ("", "333C333", "", "", "CANCELLED"),
    ]


def test_export_is_for_members(ground):
    outsider = User.objects.create(username="outsider")
    for export in (export_workbook, export_csv):
        with pytest.raises(NotFound):
            export(ground, user=outsider)
    viewer = member(ground, Role.VIEWER, "viewer").user
    assert export_workbook(ground, user=viewer)
    assert len(list(export_csv(ground, user=viewer))) == 1


def test_statements_do_not_grow_with_the_rows(ground, django_assert_max_num_queries):
    bring(
        ground,
        *(row(f"1{n:02}A111", n * 5, dyno=1 + n % 3) for n in range(40)),
        maintenance=[("Track", day(0), day(1))],
    )
    user = member(ground).user
    with django_assert_max_num_queries(8):
        export_workbook(ground, user=user)
    with django_assert_max_num_queries(4):
        list(export_csv(ground, user=user))


def test_an_empty_ground_is_exported_and_comes_in_again(ground, east):
    exported = export_workbook(ground, user=member(ground).user)
    assert carry_out(exported, east, actor=member(east)).rows == 0
    assert book() != exported


def test_added_days_come_back_as_added_days(ground, east):
    bring(ground, row(days=5, extra_days=3), row("412W767", first=day(20), days=5, extra_days=7))
    cut = Allocation.objects.get(vehicle__tag="412W767")
    Allocation.objects.filter(pk=cut.pk).update(last_day=cut.first_day)
    cells = [(line["days"], line["extra_days"], line["total_days"]) for line in schedule_rows(ground)]
    assert cells == [(5, 3, 8), (1, None, 1)]
