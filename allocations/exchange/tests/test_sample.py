"""The sample workbook against what other code says it holds."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from allocations.exchange.outcome import BOOKED, CANCELLED, REFUSED, WAITING
from allocations.exchange.reading import read_workbook
from allocations.exchange.resolving import resolve

SAMPLE = Path(__file__).parents[1] / "sample" / "forecast_sample.xlsx"
EXPECTED = json.loads((Path(__file__).parent / "data" / "forecast_sample_expected.json").read_text())
ISSUED_AND_VIN = {"365W810": "9ZZM4Y2H4WX040697"}  # the tag stands beside this VIN in another row


@pytest.fixture(scope="module")
def sheets():
    return read_workbook(SAMPLE)


@pytest.fixture(scope="module")
def outcome(sheets):
    return resolve(sheets)


def test_sum_holds(outcome):
    counts = {name: outcome.count(name) for name in (BOOKED, WAITING, CANCELLED, REFUSED)}
    assert counts == {"booked": 216, "waiting": 73, "cancelled": 8, "refused": 5}
    assert sum(counts.values()) == outcome.rows == EXPECTED["rows"]


def test_conflicts_equal_the_overlaps_pair_by_pair(outcome):
    assert [[c.kind, c.name, *c.rows] for c in outcome.conflicts] == EXPECTED["overlaps"]


def test_refusals_name_the_unreadable_rows(outcome):
    assert sorted(outcome.refusals) == [row for row, _ in EXPECTED["unreadable"]]
    for row, reason in EXPECTED["unreadable"]:
        assert outcome.refusals[row].casefold().startswith(reason)


def test_claims_have_the_expected_dyno_vehicle_and_days(sheets, outcome):
    rows = {row.number: row for row in sheets.rows}
    by_row = {d.row.number: d for d in outcome.decisions}
    for number, dyno, vehicle, first, last in EXPECTED["claims"]:
        row, decision = rows[number], by_row[number]
        assert [str(row.first), str(row.last)] == [first, last]
        assert (row.facility if row.facility == "Track" else f"{row.facility} {row.dyno}") == dyno
        if vehicle is None:
            assert decision.vehicle[0] == "placeholder"
        else:
            assert decision.vehicle[1] == ISSUED_AND_VIN.get(vehicle, vehicle)


def test_cancelled_and_unplaced_are_the_expected_rows(outcome):
    claimed = {claim[0] for claim in EXPECTED["claims"]}
    by_outcome = {
        kind: {d.row.number for d in outcome.decisions if d.outcome == kind} for kind in (CANCELLED, WAITING)
    }
    assert by_outcome[CANCELLED] == set(EXPECTED["cancelled"])
    assert by_outcome[WAITING] - claimed == set(EXPECTED["unplaced"])


def test_every_lost_claim_names_the_row_that_keeps_the_place(outcome):
    pairs = {frozenset(c.rows) for c in outcome.conflicts}
    lost = [d for d in outcome.decisions if d.outcome == WAITING and d.other_row]
    assert len(lost) == 18
    assert all(frozenset((d.row.number, d.other_row)) in pairs for d in lost)


def test_the_earlier_of_two_equal_rows_keeps_the_place(outcome):
    by_row = {d.row.number: d for d in outcome.decisions}
    assert (by_row[65].outcome, by_row[66].outcome, by_row[66].other_row) == (BOOKED, WAITING, 65)
    assert by_row[65].vehicle != by_row[66].vehicle
    assert by_row[65].identity != by_row[66].identity


def test_scheduled_rows_in_maintenance_wait(outcome):
    reasons = {d.row.number: d.reason for d in outcome.decisions if "maintenance" in d.reason}
    assert reasons == dict.fromkeys([18, 246], "STC #2 is in maintenance on 26 Dec 2026 – 16 Jan 2027")


def test_rules_become_capability_rows(outcome):
    light_only = outcome.dynos["npg 23"]
    assert {(c.test_type, c.drives, c.weight_classes) for c in light_only.capabilities} == {
        ("150k mileage", ("2WD",), ("<10K",)),
        ("4k certification", ("2WD",), ("<10K",)),
    }
    assert {d.facility for d in outcome.dynos.values()} == {"NPG", "STC", "ELK", "Track"}
    assert Counter(d.facility for d in outcome.dynos.values())["Track"] == 12
    assert len(outcome.dynos) == 16 + 12


def test_test_types_are_spelt_as_in_the_rows(outcome):
    assert outcome.test_types == {
        "150k mileage": "150K Mileage",
        "4k certification": "4K Certification",
        "not cert-durability": "not cert-durability",
        "evap": "evap",
    }


def test_shift_moves_every_day_by_whole_weeks(outcome):
    shifted = resolve(read_workbook(SAMPLE, shift_weeks=-3))
    by_row = {d.row.number: d for d in shifted.decisions}
    for decision in outcome.decisions:
        moved = by_row[decision.row.number]
        assert moved.row.first == decision.row.first - timedelta(weeks=3)
        assert (moved.outcome, moved.dyno) == (decision.outcome, decision.dyno)
    assert [(w.first, w.last) for w in shifted.windows] == [
        (date(2026, 11, 16), date(2026, 11, 22)),
        (date(2026, 12, 5), date(2026, 12, 26)),
    ]


def test_same_workbook_gives_the_same_outcome(outcome):
    again = resolve(read_workbook(SAMPLE))
    assert again == outcome
