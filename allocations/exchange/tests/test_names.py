"""Names that a sheet would read as something else: refused where they are made, exported so that they come back."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocations.exceptions import Invalid
from allocations.exchange.cells import fold
from allocations.exchange.export import export_workbook
from allocations.exchange.importing import carry_out
from allocations.exchange.tests.books import day, row
from allocations.exchange.tests.test_export import schedule
from allocations.exchange.tests.test_importing import bring, contents, d, member
from allocations.models import Allocation, Capability, Dyno, Facility, ProvingGround, TestRequest, TestType, Vehicle
from allocations.models.dyno import natural_key
from allocations.names import dyno_name_problem, listed, quoted, unquoted
from allocations.services import fleet

PIECES = ["Hall", "Cell", "1", "2", "Track", "TBD", "N/A", "-", ",", ";", '"', ".", "east", "No dyno available", "É"]
NAMES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).flatmap(
    lambda pieces: st.sampled_from([" ".join(pieces), "".join(pieces)])
)
GROUNDS = st.dictionaries(NAMES, NAMES, min_size=1, max_size=6)


@pytest.fixture
def ground(db):
    return ProvingGround.objects.create(code="WEST", name="West")


@pytest.fixture
def east(db):
    return ProvingGround.objects.create(code="EAST", name="East")


def with_dynos(ground, facility_of: dict[str, str]) -> None:
    """Dynos of these names, whatever can be given today, each with a booking of its own."""
    test_type = TestType.objects.create(ground=ground, name="Soak", code="soak")
    for n, (name, facility) in enumerate(facility_of.items()):
        hall = Facility.objects.filter(ground=ground, name__iexact=facility).first() or Facility.objects.create(
            ground=ground, name=facility
        )
        dyno = Dyno.objects.create(ground=ground, facility=hall, name=name, sort_key=natural_key(name))
        Capability.objects.create(dyno=dyno, test_type=test_type, drives=["AWD"], weight_classes=["<10K"])
        vehicle = Vehicle.objects.create(ground=ground, tag=f"1{n:02}A001", drive="AWD", weight_class="<10K")
        request = TestRequest.objects.create(
            ground=ground, vehicle=vehicle, test_type=test_type, days=2, earliest_start=d(0), status="placed"
        )
        Allocation.objects.create(
            ground=ground,
            vehicle=vehicle,
            dyno=dyno,
            test_type=test_type,
            first_day=d(0),
            last_day=d(1),
            request=request,
            source="form",
        )


def test_dynos_with_commas_come_back_as_they_were(ground, east):
    with_dynos(ground, {"Cell 5, north": "Hall, east", "Hall, east 9": "Hall, east", "TBD": "Hall, east"})
    exported = export_workbook(ground, user=member(ground).user)
    before = contents()
    assert carry_out(exported, ground, actor=member(ground)).already_there == 3
    assert contents() == before
    report = carry_out(exported, east, actor=member(east))
    assert (report.booked, report.refused, report.warnings) == (3, 0, [])
    assert schedule(east) == schedule(ground)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facility_of=GROUNDS)
def test_whatever_the_names_the_round_trip_is_the_same_schedule(ground, east, facility_of):
    names = {fold(name): name for name in facility_of}
    folded_facilities = {fold(name): name for name in facility_of.values()}
    facility_of = {name: folded_facilities[fold(facility_of[name])] for name in names.values()}
    with transaction.atomic():
        with_dynos(ground, facility_of)
        exported = export_workbook(ground, user=member(ground).user)
        before = contents()
        carry_out(exported, ground, actor=member(ground))
        assert contents() == before
        report = carry_out(exported, east, actor=member(east))
        assert (report.booked, report.refused) == (len(facility_of), 0)
        assert schedule(east) == schedule(ground)
        transaction.set_rollback(True)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=5))
def test_a_list_of_quoted_names_is_read_as_those_names(names):
    plain = [" ".join(name.split()) for name in names]
    assert [unquoted(quoted(name)) for name in plain] == plain
    readable = [name for name in plain if name and name.isascii() and name.isprintable()]
    assert listed(", ".join(map(quoted, readable))) == [(name, True) for name in readable]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Cell 5, north", "Cell 5 north would do"),
        ("a;b", "a b would do"),
        ("tbd", "there is no dyno"),
        ("No  dyno available", "there is no dyno"),
        ("N/A.", "there is no dyno"),
        ("track", "Track 1 would do"),
        ('"Cell"', "quotation mark"),
    ],
)
def test_such_names_are_given_to_no_dyno(ground, name, words):
    hall = Facility.objects.create(ground=ground, name="Hall")
    with pytest.raises(Invalid) as invalid:
        fleet.add_dyno(hall.pk, name=name, actor=member(ground))
    assert words in invalid.value.errors["name"][0]
    assert not Dyno.objects.exists()


def test_such_names_are_given_to_no_facility(ground):
    with pytest.raises(Invalid) as invalid:
        fleet.add_facility(ground.pk, name="Hall, east", actor=member(ground))
    assert invalid.value.errors["name"] == [
        "A name has no comma or semicolon, which separate dynos in the forecast workbook; Hall east would do."
    ]
    fleet.add_facility(ground.pk, name="Track", actor=member(ground))
    assert Facility.objects.get().name == "Track"


def test_a_dyno_that_has_such_a_name_can_be_changed_and_keeps_it(ground):
    with_dynos(ground, {"Cell 5, north": "Hall"})
    dyno = Dyno.objects.get()
    fleet.change_dyno(dyno.pk, actor=member(ground), notes="Roller worn")
    with pytest.raises(Invalid):
        fleet.change_dyno(dyno.pk, actor=member(ground), name="Cell 6, north")
    dyno.refresh_from_db()
    assert (dyno.name, dyno.notes) == ("Cell 5, north", "Roller worn")


def test_an_import_makes_no_dyno_of_such_a_name_and_says_so(ground):
    rules = [("4k certification", "any", "any", "NPG 1, N/A"), ("Soak", "any", "any", "tbd")]
    report = bring(ground, row(), rules=rules, maintenance=[("Cell 5, north", day(1), day(2))])
    assert list(Dyno.objects.values_list("name", flat=True)) == ["NPG 1"]
    assert [warning for warning in report.warnings if "was left out. " in warning] == [
        "DynoRules row 2: the dyno 'N/A' was left out. "
        "'N/A' says in the forecast workbook that there is no dyno; choose another name.",
        "DynoRules row 3: the dyno 'tbd' was left out. "
        "'tbd' says in the forecast workbook that there is no dyno; choose another name.",
        "Maintenance row 3: the dyno 'Cell 5, north' was left out. " + dyno_name_problem("Cell 5, north"),
    ]


def test_a_dyno_whose_name_is_too_long_is_left_out_and_the_rest_comes(ground):
    report = bring(ground, row(), rules=[("4k certification", "any", "any", f"NPG 1, {'x' * 61}")])
    assert (report.booked, Dyno.objects.count()) == (1, 1)
    assert any("60 characters" in warning for warning in report.warnings)


def test_what_nobody_sees_makes_no_second_name(ground):
    fleet.add_vehicle(ground.pk, actor=member(ground), tag="101A001", drive="AWD", weight_class="<10K")
    for tag in ("101A\u200b001", "\ufeff101A001", "101A001\u2060", "101\u00adA001", "101A001\ufe0f", "101A\u200d001"):
        with pytest.raises(Invalid) as invalid:
            fleet.add_vehicle(ground.pk, actor=member(ground), tag=tag, drive="AWD", weight_class="<10K")
        assert invalid.value.errors == {"": ["Another vehicle of this proving ground has this tag."]}
    hall = Facility.objects.create(ground=ground, name="Hall")
    fleet.add_dyno(hall.pk, name="Cell\u202e  5\u200b", actor=member(ground))
    assert Dyno.objects.get().name == "Cell 5"
    with pytest.raises(Invalid) as invalid:
        fleet.add_dyno(hall.pk, name="\u200b", actor=member(ground))
    assert invalid.value.errors == {"name": ["This has nothing that can be seen."]}
