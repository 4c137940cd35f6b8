"""Names that changed between two imports: never a second dyno, test type or vehicle without a doubt and a choice."""

import pytest

from allocations.exchange.importing import carry_out, preview
from allocations.exchange.tests.books import book, row
from allocations.exchange.tests.test_importing import bring, contents, member
from allocations.models import Allocation, Dyno, ProvingGround, TestRequest, TestType, Vehicle
from allocations.services import fleet

RULES = [("4k certification", "any", "any", "Bay 1, Bay 2, Track")]


@pytest.fixture
def ground(db):
    return ProvingGround.objects.create(code="WEST", name="West")


def bay(*args, **cells):
    return row(*args, facility="Bay", **cells)


def again(ground, *rows, rules=RULES, choices=()):
    return carry_out(book(rows, rules=rules), ground, actor=member(ground), choices=choices)


def test_a_dyno_that_was_renamed_here_is_no_new_dyno(ground):
    bring(ground, bay(), rules=RULES)
    fleet.change_dyno(Dyno.objects.get(name="Bay 1").pk, actor=member(ground), name="Bay One")
    before = contents()
    report = again(ground, bay())
    assert contents() == before
    assert [(doubt.key, doubt.choice) for doubt in report.doubts] == [("dyno:bay 1", "'Bay 1' is a new dyno")]
    assert "it is Bay One now" in report.doubts[0].sentence
    report = again(ground, bay(), bay("222B222", 20))
    assert (report.booked, report.made["dynos"], report.warnings) == (2, 0, [])
    assert Allocation.objects.get(vehicle__tag="222B222").dyno.name == "Bay One"


def test_it_is_a_new_dyno_where_that_is_chosen(ground):
    bring(ground, bay(), rules=RULES)
    fleet.change_dyno(Dyno.objects.get(name="Bay 1").pk, actor=member(ground), name="Bay One")
    report = again(ground, bay("222B222", 20), choices=["dyno:bay 1"])
    assert (report.doubts, report.made["dynos"]) == ([], 1)
    assert Allocation.objects.get(vehicle__tag="222B222").dyno.name == "Bay 1"


def test_a_test_type_that_was_renamed_here_is_no_new_test_type(ground):
    bring(ground, bay(), rules=RULES)
    fleet.change_test_type(TestType.objects.get().pk, actor=member(ground), name="Certification")
    before = contents()
    report = again(ground, bay())
    assert contents() == before
    assert [doubt.key for doubt in report.doubts] == ["test:4k certification"]
    again(ground, bay(), bay("222B222", 20))
    assert TestRequest.objects.get(vehicle__tag="222B222").test_type.name == "Certification"
    again(ground, bay("333C333", 40), choices=["test:4k certification"])
    assert TestRequest.objects.get(vehicle__tag="333C333").test_type.name.casefold() == "4k certification"


def test_a_test_type_that_the_sheet_calls_by_its_new_name_is_the_same_test(ground):
    bring(ground, bay(), rules=RULES)
    fleet.change_test_type(TestType.objects.get().pk, actor=member(ground), name="Certification")
    before = contents()
    report = again(ground, bay(test="Certification"), rules=[("Certification", "any", "any", "Bay 1, Bay 2, Track")])
    assert (contents() == before, report.already_there, len(report.doubts)) == (True, 1, 1)


def test_a_placeholder_that_became_a_vehicle_makes_no_second_one(ground):
    bring(ground, bay("TBD - 2028 X"), rules=RULES)
    before = contents()
    report = again(ground, bay("101A001"))
    assert contents() == before
    (doubt,) = report.doubts
    assert doubt.choice == "Row 6 is another test"
    assert "the test of TBD - 2028 X, a placeholder" in doubt.sentence
    assert "give TBD - 2028 X here the tag 101A001" in doubt.sentence
    # What the doubt proposes.
    fleet.change_vehicle(Vehicle.objects.get().pk, actor=member(ground), tag="101A001", placeholder=False)
    before = contents()
    report = again(ground, bay("101A001"))
    assert (contents() == before, report.already_there) == (True, 1)
    assert "was left as it is here" in report.doubts[0].sentence


def test_a_row_is_another_test_where_that_is_chosen(ground):
    bring(ground, bay("TBD - 2028 X"), rules=RULES)
    (doubt,) = preview(book([bay("101A001", dyno=2)], rules=RULES), ground).doubts
    report = again(ground, bay("101A001", dyno=2), choices=[doubt.key])
    assert (report.booked, report.doubts) == (1, [])
    assert sorted(Vehicle.objects.values_list("tag", flat=True)) == ["101A001", "TBD - 2028 X"]


def test_a_vin_that_was_filled_in_makes_no_second_test(ground):
    bring(ground, bay("412W766"), rules=RULES)
    report = again(ground, bay("412W766", vin="9ZZD9PCF1WX454710"))
    assert (report.already_there, TestRequest.objects.count(), len(report.doubts)) == (1, 1, 1)


def test_other_tests_raise_no_doubt(ground):
    bring(ground, bay("TBD - 2028 X"), bay("412W766", 20), rules=RULES)
    others = [bay("101A001", 1), bay("102A001", days=6), bay("103A001", step="5K"), bay("104A001", 20, dyno=2)]
    report = again(ground, *others)
    assert (report.doubts, report.already_there, TestRequest.objects.count()) == ([], 0, 6)
