"""What comes of rows that want the same place, vehicle or days."""

import pytest

from allocations.exchange.errors import WorkbookError
from allocations.exchange.ground import Ground, KnownCalendar, KnownDyno, KnownRow, KnownVehicle
from allocations.exchange.outcome import Capability, Conflict
from allocations.exchange.reading import read_workbook
from allocations.exchange.resolving import resolve
from allocations.exchange.tests.books import RULE_ROWS, book, day, row

VIN, OTHER_VIN = "9ZZD9PCF1WX454710", "9ZZMGN0G8WX574351"


def decided(*rows, lanes=12, ground=None, **how):
    return resolve(read_workbook(book(rows, **how)), ground, lanes=lanes)


def places(outcome):
    """Row number → the dyno that it is booked on, or its outcome."""
    return {d.row.number: d.dyno or d.outcome for d in outcome.decisions} | dict.fromkeys(outcome.refusals, "refused")


def d(number):
    return day(number).date()


@pytest.mark.parametrize(
    ("upper", "lower", "keeps"),
    [
        ({}, {}, 6),
        ({"first": 1}, {"first": 0}, 7),
        ({"first": 0}, {"first": 1, "status": "RUNNING"}, 7),
        ({"status": "RUNNING"}, {"first": 1, "status": "COMPLETED"}, 7),
        ({"first": 4}, {"first": 0, "days": 4}, None),
        ({"first": 4}, {"first": 0, "days": 5}, 7),
    ],
)
def test_who_keeps_a_dyno(upper, lower, keeps):
    outcome = decided(row("111A111", **upper), row("222B222", **lower))
    if keeps is None:
        assert places(outcome) == {6: "npg 1", 7: "npg 1"}
        assert outcome.conflicts == []
        return
    loses = 13 - keeps
    assert places(outcome) == {keeps: "npg 1", loses: "waiting"}
    assert outcome.conflicts == [Conflict("dyno", "NPG 1", (6, 7))]
    lost = next(decision for decision in outcome.decisions if decision.row.number == loses)
    assert (lost.other_row, f"NPG 1 goes to row {keeps}" in lost.reason) == (keeps, True)
    assert any(w.startswith(f"Row {loses}: waits") and f"row {keeps} " in w for w in outcome.warnings)


def test_a_claim_that_loses_does_not_hold_up_a_third():
    outcome = decided(row("111A111", 0, 5), row("222B222", 4, 5), row("333C333", 8, 5))
    assert places(outcome) == {6: "npg 1", 7: "waiting", 8: "npg 1"}
    assert [c.rows for c in outcome.conflicts] == [(6, 7), (7, 8)]


def test_one_vehicle_is_on_one_dyno_a_day():
    outcome = decided(row(vin=VIN), row(None, 4, vin=VIN.lower(), dyno=2))
    assert places(outcome) == {6: "npg 1", 7: "waiting"}
    assert outcome.conflicts == [Conflict("vehicle", VIN, (6, 7))]
    assert "is on the dyno of row 6" in outcome.decisions[1].reason


def test_a_pair_that_shares_dyno_and_vehicle_is_two_conflicts():
    outcome = decided(row(), row(first=2))
    assert outcome.conflicts == [Conflict("dyno", "NPG 1", (6, 7)), Conflict("vehicle", "412W766", (6, 7))]


def test_a_row_without_a_place_claims_nothing():
    words = ["No dyno available", "Invalid drive", "Invalid test", "no dyno candidates", None, "TBD"]
    rows = [
        row("111A111"),
        *(row("111A111", dyno=word, facility=None) for word in words),
        row("111A111", status="TBD"),
    ]
    outcome = decided(*rows)
    assert places(outcome) == {6: "npg 1"} | dict.fromkeys(range(7, 14), "waiting")
    assert outcome.conflicts == []


def test_cancelled_rows_claim_nothing_whatever_their_dyno():
    outcome = decided(row(), row(status="CANCELLED"), row(status="REMOVED", dyno=99))
    assert places(outcome) == {6: "npg 1", 7: "cancelled", 8: "cancelled"}


@pytest.mark.parametrize(
    ("facility", "dyno", "place"),
    [
        ("NPG", 1, "npg 1"),
        ("npg ", "1 ", "npg 1"),
        ("NPG", 1.0, "npg 1"),
        (None, "NPG 1", "npg 1"),
        ("NPG", "NPG 1", "npg 1"),
        ("STC", "#1", "stc #1"),
        ("Track", "TRACK ", "track 1"),
        ("Track", 7, "track 7"),
        ("Track", 13, "refused"),
        ("STC", 1, "refused"),
        ("STC", "NPG 1", "refused"),
        (None, 1, "refused"),
        ("NPG", "ask Bob", "refused"),
    ],
)
def test_which_dyno_a_row_means(facility, dyno, place):
    assert places(decided(row(facility=facility, dyno=dyno))) == {6: place}


def test_an_unknown_dyno_is_refused_with_what_may_be_meant():
    outcome = decided(row(facility="STC", dyno=1))
    assert outcome.refusals == {
        6: "Unknown dyno: '1' at the facility 'STC' is not among the dynos of DynoRules; did you mean STC #1?"
    }


def test_the_track_gives_each_row_the_first_free_lane():
    rows = [row(f"11{n}A111", first, facility="Track", dyno="Track") for n, first in enumerate([0, 2, 5, 4, 9])]
    assert places(decided(*rows)) == {6: "track 1", 7: "track 2", 8: "track 1", 9: "track 3", 10: "track 2"}


def test_a_row_waits_when_every_lane_is_taken():
    outcome = decided(*(row(f"11{n}A111", n, facility="Track", dyno="Track") for n in range(3)), lanes=2)
    assert places(outcome) == {6: "track 1", 7: "track 2", 8: "waiting"}
    assert outcome.decisions[2].reason == "all 2 lanes are taken (rows 6, 7)"
    assert outcome.conflicts == []


def test_a_lane_that_a_row_names_is_left_to_it():
    pooled = row("111A111", 0, facility="Track", dyno="Track")
    named = row("222B222", 2, facility="Track", dyno=1)
    assert places(decided(pooled, named)) == {6: "track 2", 7: "track 1"}
    assert places(decided(pooled, named, lanes=1)) == {6: "track 1", 7: "waiting"}


@pytest.mark.parametrize("lanes", [0, -1, 201])
def test_lanes_have_bounds(lanes):
    with pytest.raises(WorkbookError, match="number of lanes must be from 1 to 200"):
        decided(row(), lanes=lanes)


def test_placeholders_that_overlap_are_different_vehicles_as_few_as_the_days_allow():
    days = [(0, 5), (4, 5), (8, 3), (9, 3), (20, 2)]
    outcome = decided(*(row("TBD - 2028 S650", first, n, facility="Track", dyno="Track") for first, n in days))
    assert [decision.vehicle[2] for decision in outcome.decisions] == [1, 2, 1, 2, 1]
    assert [v.tag for v in outcome.vehicles.values()] == ["TBD - 2028 S650", "TBD - 2028 S650 (2)"]
    assert outcome.conflicts == []


def test_placeholder_numbers_keep_clear_of_names_in_the_sheet():
    outcome = decided(row("TBD X", dyno=1), row("tbd  x", dyno=2), row("TBD X (2)", dyno=3))
    assert [outcome.vehicles[decision.vehicle].tag for decision in outcome.decisions] == [
        "TBD X",
        "TBD X (3)",
        "TBD X (2)",
    ]


def test_a_tag_alone_is_the_vehicle_whose_vin_stands_beside_it_elsewhere():
    outcome = decided(row("412W766", 20, vin=VIN), row("412W766", 0), row("412w766", 3, dyno=2))
    assert {decision.vehicle for decision in outcome.decisions} == {("vin", VIN, 0)}
    assert outcome.conflicts == [Conflict("vehicle", VIN, (7, 8))]
    assert [(v.tag, v.vin) for v in outcome.vehicles.values()] == [("412W766", VIN)]


def test_two_tags_of_one_vin_are_one_vehicle():
    outcome = decided(row("111A111", vin=VIN), row("222B222", 9, vin=VIN), row("222B222", 2, dyno=2))
    assert {decision.vehicle for decision in outcome.decisions} == {("vin", VIN, 0)}
    assert [c.rows for c in outcome.conflicts] == [(6, 8)]
    assert any("stands with different tags, 111A111 (row 6) and 222B222 (row 7)" in w for w in outcome.warnings)


def test_a_tag_with_two_vins_is_told_apart_by_the_vin_and_refused_without():
    outcome = decided(row("111A111", vin=VIN), row("111A111", 9, vin=OTHER_VIN), row("111A111", 20))
    assert places(outcome) == {6: "npg 1", 7: "npg 1", 8: "refused"}
    assert f"tag 111A111 stands with different VINs ({VIN} in row 6, {OTHER_VIN} in row 7)" in outcome.refusals[8]
    assert [(v.tag, v.vin) for v in outcome.vehicles.values()] == [("111A111", VIN), ("", OTHER_VIN)]


@pytest.mark.parametrize(("status", "place"), [("G", "waiting"), ("RUNNING", "npg 2"), ("COMPLETED", "npg 2")])
def test_what_the_rules_do_not_allow(status, place):
    refused = row(test="150K mileage", weight=">10K", dyno=2, status=status)
    outcome = decided(refused)
    assert places(outcome) == {6: place}
    reason = "for 150K mileage, NPG 2 takes the weight class <10K (up to 10,000 lb) only"
    assert any(reason in warning for warning in outcome.warnings)


def test_a_capability_is_a_row_and_not_three_lists():
    allowed = {
        (drive, weight): places(decided(row(test="150K Mileage", dyno=3, constraint=drive, weight=weight)))[6]
        for drive in ("2WD", "AWD")
        for weight in ("<10K", ">10K")
    }
    assert allowed == {
        ("2WD", "<10K"): "waiting",
        ("2WD", ">10K"): "waiting",
        ("AWD", "<10K"): "npg 3",
        ("AWD", ">10K"): "npg 3",
    }


def test_a_vehicle_of_two_weight_classes_needs_a_dyno_that_takes_both():
    rows = [row(), row(first=9, test="150K mileage", weight=">10K", constraint="AWD", dyno=3)]
    rows += [row("222B222", weight=">10K", dyno=2), row("222B222", 9, test="150K mileage", dyno=1)]
    outcome = decided(*rows)
    assert places(outcome) == {6: "npg 1", 7: "npg 3", 8: "npg 2", 9: "waiting"}
    warning = "Row 9: 222B222 is <10K here and >10K in an upper row; the vehicle is kept as >10K."
    assert warning in outcome.warnings


@pytest.mark.parametrize(
    ("status", "place", "windows"),
    [
        ("G", "waiting", [(3, 20)]),
        ("RUNNING", "npg 1", [(5, 20)]),
        ("COMPLETED", "npg 1", [(5, 20)]),
    ],
)
def test_maintenance(status, place, windows):
    outcome = decided(row(status=status), maintenance=[("npg 1", day(3), day(20))])
    assert places(outcome) == {6: place}
    assert [(w.first, w.last) for w in outcome.windows] == [(d(a), d(b)) for a, b in windows]
    assert any("NPG 1 is in maintenance on 4 – 21 Mar 2027" in warning for warning in outcome.warnings)
    sentence = "NPG 1 is not free on 4 – 21 Mar 2027; the window keeps 6 – 21 Mar 2027."
    assert (f"Maintenance row 3: {sentence}" in outcome.warnings) == (status != "G")


def test_maintenance_of_the_track_is_of_every_lane_and_long_windows_are_cut():
    outcome = decided(row(), lanes=2, maintenance=[("Track", day(0), day(2)), ("NPG 2", day(0), day(400))])
    assert [(w.dyno, w.first, w.last) for w in outcome.windows] == [
        ("Track 1", d(0), d(2)),
        ("Track 2", d(0), d(2)),
        ("NPG 2", d(0), d(365)),
        ("NPG 2", d(366), d(400)),
    ]


def test_a_dyno_that_only_maintenance_names_may_run_nothing():
    outcome = decided(row(dyno=9), maintenance=[("NPG 9", None, None)])
    assert outcome.dynos["npg 9"].capabilities == ()
    assert places(outcome) == {6: "waiting"}
    assert "Maintenance row 3 names NPG 9, which no row of DynoRules names: it may run no test." in outcome.warnings


def known_ground() -> Ground:
    anything = Capability("4k certification", ("2WD", "AWD"), ("<10K", ">10K"))
    ground = Ground(
        dynos={"npg 1": KnownDyno("NPG 1", "NPG", (anything,)), "npg 2": KnownDyno("NPG 2", "NPG", (), enabled=True)},
        test_types={"4k certification": "4K Certification"},
        vehicles=[KnownVehicle(7, "412W766", "", False, "2WD", "<10K")],
    )
    ground.dyno_days["npg 1"], ground.vehicle_days[7] = KnownCalendar(), KnownCalendar()
    ground.dyno_days["npg 1"].take(d(2), d(3), "booked for 999Z999")
    ground.vehicle_days[7].take(d(30), d(31), "booked on NPG 2")
    return ground


@pytest.mark.parametrize("status", ["G", "RUNNING", "COMPLETED"])
def test_what_the_ground_has_keeps_its_place(status):
    outcome = decided(row("111A111", status=status), ground=known_ground())
    assert outcome.decisions[0].outcome == "waiting"
    assert outcome.decisions[0].reason == "NPG 1 is already booked for 999Z999 on 3 – 4 Mar 2027"


def test_a_vehicle_that_is_elsewhere_in_the_ground_waits():
    outcome = decided(row("412W766", 28, vin=VIN, dyno=3), ground=known_ground())
    assert outcome.decisions[0].reason == f"{VIN} is already booked on NPG 2 on 31 Mar – 1 Apr 2027"
    assert outcome.known_vehicles == {("vin", VIN, 0): 7}


def test_the_rules_of_a_dyno_that_the_ground_knows_are_the_grounds_own():
    outcome = decided(row(first=10, dyno=2), row("222B222", 10, test="150K Mileage", dyno=2), ground=known_ground())
    assert places(outcome) == {6: "waiting", 7: "npg 2"}


def test_a_row_that_was_imported_before_is_left_as_it_is():
    sheets = read_workbook(book([row(), row("222B222", 20)]))
    identity = next(decision.identity for decision in resolve(sheets).decisions)
    ground = known_ground()
    ground.rows[identity] = KnownRow("booked", "NPG 2", d(50), d(54))
    outcome = resolve(sheets, ground)
    assert [(decision.outcome, decision.already_there) for decision in outcome.decisions] == [
        ("booked", True),
        ("booked", False),
    ]
    warning = "Row 6 was imported before and is on NPG 2, 20 – 24 Apr 2027; it was left as it is."
    assert warning in outcome.warnings


def test_identities_do_not_hang_on_the_order_of_rows():
    rows = [
        row(),
        row("TBD X", 3),
        row("TBD X", 3, dyno=2),
        row("TBD X", 3, dyno=2),
        row("412W766", 9, step="0K - 5K"),
        *(row("TBD Y", dyno=3, status=word, miles=n) for n, word in enumerate(["G", "TBD", "CANCELLED"])),
    ]

    def by_content(order):
        outcome = decided(*(rows[n] for n in order))
        return {(e.row.tag, e.row.dyno, e.row.first, e.row.miles, e.identity) for e in outcome.decisions}

    assert by_content(range(8)) == by_content([7, 4, 3, 0, 5, 2, 1, 6])
    assert len({identity for *_, identity in by_content(range(8))}) == 8


def test_facilities_come_from_the_rows_and_else_from_the_name():
    rules = [*RULE_ROWS, ("evap", "any", "any", "East Hall 3, Lone, NPG South 1")]
    outcome = decided(row(), row("222B222", facility="NPG South", dyno=1), rules=rules)
    assert {key: outcome.dynos[key].facility for key in ("east hall 3", "lone", "npg south 1", "npg 1")} == {
        "east hall 3": "East Hall",
        "lone": "Lone",
        "npg south 1": "NPG South",
        "npg 1": "NPG",
    }
