"""The checks of single rows, the wall between grounds, and the history, against raw SQL."""

import pytest

from allocations import vehicle_details
from allocations.models import Allocation
from allocations.models.tests.raw import allocation, insert, refused, sql, window
from allocations.tests.world import allocation_of, day


@pytest.mark.parametrize(
    ("first", "last", "constraint"), [(1, 0, "allocation_days_order"), (0, 366, "allocation_days_length")]
)
def test_days_of_an_allocation(world, first, last, constraint):
    with refused(constraint):
        allocation(world, "412W101", "NPG 1", first, last)


@pytest.mark.parametrize(
    ("first", "last", "constraint"), [(1, 0, "window_days_order"), (0, 366, "window_days_length")]
)
def test_days_of_a_window(world, first, last, constraint):
    with refused(constraint):
        window(world, "NPG 1", first, last)


def test_longest_stay_is_accepted(world):
    allocation(world, "412W101", "NPG 1", 0, 365)
    window(world, "NPG 2", 0, 365)


@pytest.mark.parametrize(
    ("column", "constraint"),
    [("status", "allocation_status"), ("source", "allocation_source"), ("drive", "allocation_drive")],
)
def test_enums_of_an_allocation(world, column, constraint):
    with refused(constraint):
        allocation(world, "412W101", "NPG 1", 0, 1, **{column: "odd"})


def test_kind_of_a_window(world):
    with refused("window_kind"):
        window(world, "NPG 1", 0, 1, kind="odd")


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("status", "odd", "request_status"),
        ("priority", "odd", "request_priority"),
        ("drive", "odd", "request_drive"),
        ("days", 0, "request_days"),
        ("days", 367, "request_days"),
        ("due_date", day(-1), "request_due_after_earliest"),
    ],
)
def test_values_of_a_request(world, column, value, constraint):
    with refused(constraint):
        request(world, **{column: value})
    request(world)


def request(world, **more) -> int:
    values = {
        "ground_id": world.north.pk,
        "vehicle_id": world.vehicles["412W101"].pk,
        "test_type_id": world.tests["Brake"].pk,
        "step": "",
        "drive": "",
        "days": 3,
        "priority": "normal",
        "status": "waiting",
        "earliest_start": day(0),
        "note": "",
        "created_at": "2026-11-01T00:00:00Z",
        "version": 1,
    }
    return insert("testrequest", **values | more)


def vehicle(world, ground, **more) -> int:
    words = dict.fromkeys((*vehicle_details.TEXTS, "notes"), "")
    values = {"ground_id": ground.pk, "drive": "AWD", "weight_class": "<10K", "placeholder": False, "tag": ""}
    return insert("vehicle", **words | values | more)


def test_tag_and_vin_are_once_in_a_ground_whatever_their_case(world):
    vehicle(world, world.north, tag="Mule 7", vin="1FTFW1E50NFA00001")
    with refused("vehicle_tag_once"):
        vehicle(world, world.north, tag="MULE 7")
    with refused("vehicle_vin_once"):
        vehicle(world, world.north, tag="Mule 8", vin="1ftfw1e50nfa00001")
    vehicle(world, world.south, tag="Mule 7", vin="1FTFW1E50NFA00001")


def test_vehicles_without_a_tag_or_without_a_vin_do_not_meet(world):
    vehicle(world, world.north, vin="1FTFW1E50NFA00001")
    vehicle(world, world.north, vin="1FTFW1E50NFA00002")
    vehicle(world, world.north, tag="Mule 7")
    vehicle(world, world.north, tag="Mule 8")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"vin": None}, "vehicle_named"),
        ({"tag": "M", "vin": ""}, "vehicle_vin_not_empty"),
        ({"tag": "M", "drive": "6WD"}, "vehicle_drive"),
        ({"tag": "M", "weight_class": "10K"}, "vehicle_weight_class"),
        ({"tag": "M", "weight_lbs": 10_001}, "vehicle_weight_fits_class"),
        ({"tag": "M", "weight_lbs": 10_000, "weight_class": ">10K"}, "vehicle_weight_fits_class"),
    ],
)
def test_values_of_a_vehicle(world, values, constraint):
    with refused(constraint):
        vehicle(world, world.north, **values)


@pytest.mark.parametrize(
    ("drives", "weights", "constraint"),
    [
        ("{}", "{<10K}", "capability_drives"),
        ("{6WD}", "{<10K}", "capability_drives"),
        ("{AWD}", "{}", "capability_weight_classes"),
        ("{AWD}", "{10K}", "capability_weight_classes"),
    ],
)
def test_values_of_a_capability(world, drives, weights, constraint):
    with refused(constraint):
        insert(
            "capability",
            dyno_id=world.dynos["NPG 3"].pk,
            test_type_id=world.tests["Brake"].pk,
            drives=drives,
            weight_classes=weights,
        )


def test_available_days_of_a_dyno(world):
    with refused("dyno_available_order"):
        sql(
            "UPDATE allocations_dyno SET available_from = %s, available_to = %s WHERE id = %s",
            day(1),
            day(0),
            world.dynos["NPG 1"].pk,
        )


@pytest.mark.parametrize(
    ("column", "pick"),
    [
        ("dyno_id", lambda world: world.dynos["STC #1"].pk),
        ("vehicle_id", lambda world: world.vehicles["365W201"].pk),
        ("test_type_id", lambda world: world.tests["South brake"].pk),
        ("request_id", lambda world: southern_request(world)),
    ],
)
def test_allocation_stays_within_its_ground(world, column, pick):
    other = pick(world)
    with refused("within_ground"):
        allocation(world, "412W101", "NPG 1", 20, 21, **{column: other})
    own = allocation(world, "412W101", "NPG 1", 20, 21)
    with refused("within_ground"):
        sql(f"UPDATE allocations_allocation SET {column} = %s WHERE id = %s", other, own)


def southern_request(world) -> int:
    return request(
        world,
        ground_id=world.south.pk,
        vehicle_id=world.vehicles["365W201"].pk,
        test_type_id=world.tests["South brake"].pk,
    )


@pytest.mark.parametrize(
    ("column", "pick"),
    [
        ("vehicle_id", lambda world: world.vehicles["365W201"].pk),
        ("test_type_id", lambda world: world.tests["South brake"].pk),
        ("after_id", southern_request),
    ],
)
def test_request_stays_within_its_ground(world, column, pick):
    with refused("within_ground"):
        request(world, **{column: pick(world)})


def test_window_dyno_and_capability_stay_within_their_ground(world):
    with refused("within_ground"):
        window(world, "STC #1", 20, 21)
    with refused("within_ground"):
        sql(
            "UPDATE allocations_dyno SET facility_id = %s WHERE id = %s",
            world.dynos["STC #1"].facility_id,
            world.dynos["NPG 1"].pk,
        )
    with refused("same_ground"):
        sql(
            "UPDATE allocations_capability SET test_type_id = %s WHERE dyno_id = %s",
            world.tests["South brake"].pk,
            world.dynos["NPG 2"].pk,
        )


@pytest.mark.parametrize("table", ["allocation", "dyno", "vehicle", "testtype", "facility"])
def test_nothing_changes_its_ground(world, table):
    with refused("pgtrigger: Cannot update rows"):
        sql(f"UPDATE allocations_{table} SET ground_id = %s WHERE ground_id = %s", world.north.pk, world.south.pk)


def test_history_follows_raw_writes_and_cannot_be_changed(world):
    row = Allocation.objects.get(pk=allocation(world, "412W101", "NPG 1", 0, 2))
    sql("UPDATE allocations_allocation SET note = 'by hand' WHERE id = %s", row.pk)
    assert list(row.events.order_by("pgh_id").values_list("pgh_label", "note")) == [
        ("insert", ""),
        ("update", "by hand"),
    ]
    with refused("pgtrigger: Cannot update or delete rows"):
        sql("UPDATE allocations_allocationevent SET note = 'never'")
    with refused("pgtrigger: Cannot update or delete rows"):
        sql("DELETE FROM allocations_allocationevent")
    assert row.events.filter(note="by hand").count() == 1


def test_history_of_a_deleted_row_stays(world):
    row = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    events = row.events.model.objects.filter(pgh_obj_id=row.pk)
    sql("DELETE FROM allocations_allocation WHERE id = %s", row.pk)
    assert list(events.order_by("pgh_id").values_list("pgh_label", flat=True)) == ["insert", "delete"]


@pytest.mark.parametrize("table", ["dyno", "vehicle", "testtype"])
def test_what_the_schedule_stands_on_cannot_be_deleted(world, table):
    sql("DELETE FROM allocations_capability")
    with refused("allocations_allocati"):
        sql(f"DELETE FROM allocations_{table} WHERE ground_id = %s", world.south.pk)
        sql("SET CONSTRAINTS ALL IMMEDIATE")
