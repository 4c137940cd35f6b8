"""One row at a time: what it is read as, or the words that it is refused in."""

import datetime as dt

import pytest

from allocations.exchange.headings import NAMES
from allocations.exchange.opening import FORECAST
from allocations.exchange.reading import read_workbook
from allocations.exchange.tests.books import book, day, row


def read(**cells):
    """The row that comes of these cells, or why it is refused."""
    tag = cells.pop("tag", "412W766")
    sheets = read_workbook(book([row(tag, **cells)]))
    return sheets.rows[0] if sheets.rows else sheets.refusals[6]


def d(number):
    return day(number).date()


@pytest.mark.parametrize(
    ("cells", "first", "last"),
    [
        ({}, 0, 4),
        ({"days": 5.2}, 0, 5),
        ({"days": "5.2 "}, 0, 5),
        ({"new_estimate": day(7)}, 7, 11),
        ({"new_estimate": day(7), "actual": day(9)}, 9, 13),
        ({"new_estimate": "N/A", "actual": "TBD"}, 0, 4),
        ({"completed": day(9)}, 0, 9),
        ({"days": None, "projected": day(10)}, 0, 9),
        ({"days": None, "projected": day(10) + dt.timedelta(hours=5)}, 0, 10),
        ({"days": "N/A", "projected": "2027-03-11"}, 0, 9),
        ({"days": 5, "projected": day(30)}, 0, 4),
        ({"days": 5, "extra_days": 3}, 0, 7),
        ({"days": 1.5, "extra_days": 12, "projected": day(14)}, 0, 13),
        ({"days": 4.6, "extra_days": 1.4}, 0, 5),
        ({"days": 0, "extra_days": 7}, 0, 6),
        ({"days": 5, "extra_days": "some"}, 0, 4),
        ({"days": 5, "extra_days": 3, "completed": day(5)}, 0, 5),
        ({"first": "2027-03-01"}, 0, 4),
        ({"first": day(0) + dt.timedelta(hours=23)}, 0, 4),
        ({"days": 366}, 0, 365),
        ({"days": None, "completed": day(0)}, 0, 0),
    ],
)
def test_first_and_last_day(cells, first, last):
    parsed = read(**cells)
    assert (parsed.first, parsed.last, parsed.days) == (d(first), d(last), last - first + 1)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"first": "LAB01"}, "No start date: Estimated Start (L6) says 'LAB01', which is not a date"),
        ({"first": None}, "No start date: ACTUAL START DATE, NEW EST DATE and Estimated Start are all empty."),
        ({"actual": "soon"}, "No start date: ACTUAL START DATE (N6) says 'soon'"),
        ({"actual": "#REF!"}, "No start date: ACTUAL START DATE (N6) holds the error #REF!"),
        ({"first": "3/4/2027"}, "may be either of two days; write it as 2027-03-04"),
        (
            {"completed": day(-1)},
            "Ends before it starts: TESTING COMPLETED is 28 Feb 2027, and it starts on 1 Mar 2027.",
        ),
        ({"completed": "yes"}, "No end date: TESTING COMPLETED (P6) says 'yes', which is not a date"),
        ({"days": None}, "No end date: nothing can be read from TESTING COMPLETED, Days to complete"),
        ({"days": "two weeks"}, "No end date: Days to complete (AA6) says 'two weeks', which is not a number"),
        ({"days": 0}, "Ends before it starts: Days to complete (AA6) is 0"),
        ({"days": -3}, "Ends before it starts"),
        ({"days": 1e12}, "which is not a likely number of days; 1 to 366 will do"),
        ({"days": None, "projected": day(0)}, "Ends before it starts: its Projected End Date makes 28 Feb 2027"),
        ({"days": 367}, "Takes 367 days (Days to complete (AA6) is 367); a test takes 366 at most."),
        ({"completed": day(366)}, "Takes 367 days"),
        ({"first": dt.datetime(9998, 1, 1)}, "not a likely date"),  # noqa: DTZ001
        ({"weight": None}, "No weight class: ><10K (Q6) is empty; <10K or >10K will do."),
        ({"weight": "9,500 lb"}, "No weight class: ><10K (Q6) says '9,500 lb'"),
        ({"test": "Brake cooling"}, "Unknown test type: Test (A6) says 'Brake cooling'; DynoRules knows"),
        ({"test": None}, "No test type: Test (A6) is empty."),
        ({"status": "ON HOLD"}, "Unknown status: Status (K6) says 'ON HOLD'; G, RUNNING, COMPLETED"),
        ({"status": None}, "Unknown status: Status (K6) is empty"),
        ({"constraint": "FWD"}, "No drive: DYNO CONSTRAINT (2WD/AWD) (S6) says 'FWD'"),
        ({"constraint": None}, "No drive: neither DYNO CONSTRAINT nor AWD/2WD is filled in."),
        ({"tag": None}, "No vehicle: VIN # and Tag # are both empty."),
        ({"vin": "see notes"}, "No vehicle: VIN # (I6) says 'see notes', which is not a VIN"),
        ({"tag": "x" * 200}, "Tag # (G6) is longer than 52 characters"),
    ],
)
def test_refusals_say_which_cell_and_what_would_do(cells, reason):
    assert reason in read(**cells)


def test_every_problem_of_a_row_is_told():
    reason = read(first="?!", weight=None, status="?!")
    assert [word in reason for word in ("Unknown status", "No weight class", "No start date")] == [True] * 3


@pytest.mark.parametrize(
    ("word", "status", "note"),
    [
        ("g", "scheduled", ""),
        ("RUNNING ", "running", ""),
        ("Completed", "completed", ""),
        ("CANCELLED", "cancelled", ""),
        ("removed", "cancelled", ""),
        ("TBD", "waiting", ""),
        ("DELAYED", "scheduled", "DELAYED"),
        ("Traveling", "scheduled", "Traveling"),
    ],
)
def test_status_words(word, status, note):
    parsed = read(status=word)
    assert (parsed.status, parsed.note) == (status, note)


@pytest.mark.parametrize(
    ("constraint", "own", "tested", "vehicle"),
    [
        ("2WD", "AWD", "2WD", "AWD"),
        ("AWD ", "RWD/AWD", "AWD", "2WD"),
        (None, "4X4", "AWD", "AWD"),
        (None, "4x2 ", "2WD", "2WD"),
        ("N/A", "RWD / AWD", "2WD", "2WD"),
        ("2WD", "hovercraft", "2WD", "2WD"),
    ],
)
def test_drive_that_it_is_tested_as(constraint, own, tested, vehicle):
    parsed = read(constraint=constraint, drive=own)
    assert (parsed.drive, parsed.own_drive) == (tested, vehicle)


@pytest.mark.parametrize("weight", [">10K", "> 10k ", ">10,000", ">10,000 lbs"])
def test_weight_class_however_it_is_written(weight):
    assert read(weight=weight).weight_class == ">10K"


@pytest.mark.parametrize(
    ("tag", "vin", "expected"),
    [
        ("412w766", None, ("", "412W766", True)),
        ("TBD - 2028 S650", "N/A", ("", "TBD - 2028 S650", False)),
        ("4120W766", None, ("", "4120W766", False)),
        ("412W766", " 9zzd9pcf1wx 454710", ("9ZZD9PCF1WX454710", "412W766", True)),
        (None, "9ZZD9PCF1WX454710", ("9ZZD9PCF1WX454710", "", False)),
    ],
)
def test_vehicle(tag, vin, expected):
    row_read = read(tag=tag, vin=vin)
    assert (row_read.vin, row_read.tag, row_read.issued) == expected


def test_a_row_without_a_place_may_be_without_days():
    parsed = read(first=None, status="TBD", days=9)
    assert (parsed.first, parsed.last, parsed.days, parsed.status) == (None, None, 9, "waiting")
    assert "No end date: nothing can be read from Days to complete" in read(first=None, status="TBD", days=None)


def test_what_nothing_hangs_on_is_kept():
    parsed = read(
        miles="lots", extra_days=7, miles_per_day="750", contact="LAB01", notes="hot soak", model_year="soon"
    )
    assert (parsed.miles, parsed.extra_days, parsed.miles_per_day) == (None, 7, 750)
    assert parsed.note == "hot soak"
    assert set(parsed.full_note.split("; ")) == {
        "hot soak",
        "Contact: LAB01",
        "Mileage to complete: lots",
        "MY: soon",
    }


def test_an_error_in_days_falls_back_on_the_projected_end_with_a_remark():
    sheets = read_workbook(book([row(days="#VALUE!", projected=day(10))]))
    assert sheets.rows[0].last == d(9)
    assert any("Days to complete (AA6) holds the error #VALUE!" in warning for warning in sheets.warnings)


def test_rows_that_only_formulas_fill_are_no_rows():
    filled = {"days": 0, "projected": "#VALUE!", "miles_per_day": 750}
    sheets = read_workbook(book([row(), filled, {}, {"tag": "  "}, row("412W767", 9)]))
    assert [r.number for r in sheets.rows] == [6, 10]
    assert sheets.refusals == {}


def test_a_heading_that_stands_again_is_no_row():
    sheets = read_workbook(book([row(), NAMES, row("412W767", 9)]))
    assert [r.number for r in sheets.rows] == [6, 8]
    assert sheets.refusals == {}


def test_a_banner_between_rows_is_refused_not_lost():
    sheets = read_workbook(book([{"test": "2028 PROGRAMS"}, row()], edit=lambda b: b[FORECAST].merge_cells("A6:AD6")))
    assert list(sheets.refusals) == [6]


def test_two_columns_of_one_heading():
    headings = NAMES | {"status_again": "Status"}

    def second(status):
        return read_workbook(book([row() | {"status_again": status}], headings=headings))

    assert second(None).rows[0].status == second("g ").rows[0].status == "scheduled"
    assert "Status appears twice, and AG6 does not say what Status (K6) says" in second("TBD").refusals[6]


def test_headings_in_any_order_and_dress():
    names = list(reversed(NAMES))
    odd = {name: f" {NAMES[name].upper()}\n" for name in names}
    sheets = read_workbook(book([row(constraint="AWD", contact="LAB01")], headings=odd))
    assert (sheets.rows[0].drive, sheets.rows[0].tag) == ("AWD", "412W766")


def test_maintenance_rows():
    sheets = read_workbook(
        book(
            maintenance=[
                ("NPG 1", day(0), day(3)),
                ("NPG 2", None, None),
                (" npg  3", "2027-03-09", "2027-03-09"),
                ("NPG 1", day(9), None),
                ("NPG 1", day(9), day(8)),
                ("NPG 1", "next week", day(8)),
                (None, day(1), day(2)),
            ]
        )
    )
    assert [(w.dyno, w.first, w.last) for w in sheets.windows] == [("NPG 1", d(0), d(3)), ("npg 3", d(8), d(8))]
    places = [warning.split(":")[0] for warning in sheets.warnings]
    assert places == [f"Maintenance row {n} was left out" for n in (6, 7, 8, 9)]


def test_rules_that_cannot_be_read_are_left_out_with_a_warning():
    rules = [("evap", "any", "any", "NPG 1; NPG 2,"), ("evap", "FWD", "any", "NPG 3"), (None, "any", "any", "NPG 3")]
    sheets = read_workbook(book(rules=[*rules, ("evap", "2wd", "huge", "NPG 3"), (None, None, None, None)]))
    assert [(r.test_type, r.dynos) for r in sheets.rules] == [("evap", ("NPG 1", "NPG 2"))]
    assert len(sheets.warnings) == 3


@pytest.mark.parametrize(
    ("cells", "remarks"),
    [
        ({"days": 5, "extra_days": 3, "projected": day(8)}, []),
        (
            {"days": 5, "extra_days": 3, "projected": day(20)},
            [
                "Row 6: Projected End Date says 20 Mar 2027; by Days to complete and Added Cert time the last "
                "day is 8 Mar 2027, which was taken."
            ],
        ),
        (
            {"days": 5, "projected": day(20)},
            [
                "Row 6: Projected End Date says 20 Mar 2027; by Days to complete the last day is 5 Mar 2027, "
                "which was taken."
            ],
        ),
        ({"days": 5, "projected": day(20), "identity": "NORTH-R1"}, []),
    ],
)
def test_projected_end_that_disagrees_with_the_days_is_said_with_both(cells, remarks):
    sheets = read_workbook(book([row("412W766", **cells)]))
    assert sheets.warnings == remarks
