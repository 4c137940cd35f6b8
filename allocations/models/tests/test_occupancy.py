"""One occupant a dyno-day and one place a vehicle-day, against raw SQL."""

import pytest
from django.db import transaction

from allocations.models.tests.raw import allocation, refused, sql, window
from allocations.tests.invariants import expect_sound, overlaps, strays
from allocations.tests.world import day

ONE_STAY = "one_stay_a_day"


@pytest.fixture(autouse=True)
def _sound(world):
    yield
    expect_sound()


def occupied_days() -> list[tuple]:
    """The days taken in the north, as (dyno, first, last) from the occupancy table."""
    return sql(
        "SELECT d.name, o.first_day, o.last_day FROM allocations_occupancy o JOIN allocations_dyno d"
        " ON d.id = o.dyno_id WHERE d.name LIKE 'NPG%%' ORDER BY 1, 2"
    )


@pytest.mark.parametrize(("first", "last"), [(0, 0), (2, 2), (1, 1), (-3, 0), (2, 9), (-3, 9)])
def test_second_allocation_on_a_taken_dyno_is_refused(world, first, last):
    allocation(world, "412W101", "NPG 1", 0, 2)
    with refused(ONE_STAY):
        allocation(world, "412W102", "NPG 1", first, last)
    assert occupied_days() == [("NPG 1", day(0), day(2))]


def test_days_side_by_side_are_accepted(world):
    allocation(world, "412W101", "NPG 1", 0, 2)
    allocation(world, "412W102", "NPG 1", 3, 5)
    window(world, "NPG 1", -2, -1)
    assert occupied_days() == [("NPG 1", day(-2), day(-1)), ("NPG 1", day(0), day(2)), ("NPG 1", day(3), day(5))]


def test_allocation_and_window_refuse_each_other(world):
    allocation(world, "412W101", "NPG 1", 0, 2)
    with refused(ONE_STAY):
        window(world, "NPG 1", 2, 4)
    window(world, "NPG 1", 3, 4)
    with refused(ONE_STAY):
        allocation(world, "412W102", "NPG 1", 4, 6)
    with refused(ONE_STAY):
        window(world, "NPG 1", 4, 4)


def test_vehicle_has_one_place_a_day(world):
    allocation(world, "412W101", "NPG 1", 0, 2)
    with refused(ONE_STAY):
        allocation(world, "412W101", "NPG 21", 2, 4)
    allocation(world, "412W101", "NPG 21", 3, 4)


def test_rows_of_one_statement_are_held_against_each_other(world):
    columns = (
        "ground_id, vehicle_id, dyno_id, test_type_id, drive, first_day, last_day, status, note, source,"
        " created_at, version"
    )
    with refused(ONE_STAY):
        sql(
            f"INSERT INTO allocations_allocation ({columns}) SELECT %s, v.id, %s, %s, '', %s, %s, 'scheduled', '',"
            " 'form', now(), 1 FROM allocations_vehicle v WHERE v.ground_id = %s",
            world.north.pk,
            world.dynos["NPG 1"].pk,
            world.tests["Brake"].pk,
            day(0),
            day(1),
            world.north.pk,
        )
    assert occupied_days() == []


@pytest.mark.parametrize(
    "change",
    [
        "last_day = last_day + 3",
        "first_day = first_day - 9",
        "first_day = first_day + 3, last_day = last_day + 3",
    ],
)
def test_update_into_taken_days_is_refused(world, change):
    allocation(world, "412W101", "NPG 1", -4, -3)
    allocation(world, "412W102", "NPG 1", 3, 5)
    moved = allocation(world, "412W103", "NPG 1", 0, 2)
    with refused(ONE_STAY):
        sql(f"UPDATE allocations_allocation SET {change} WHERE id = %s", moved)
    assert ("NPG 1", day(0), day(2)) in occupied_days()


def test_update_to_a_taken_dyno_or_vehicle_is_refused(world):
    allocation(world, "412W101", "NPG 1", 0, 2)
    other = allocation(world, "412W102", "NPG 2", 0, 2)
    with refused(ONE_STAY):
        sql("UPDATE allocations_allocation SET dyno_id = %s WHERE id = %s", world.dynos["NPG 1"].pk, other)
    with refused(ONE_STAY):
        sql("UPDATE allocations_allocation SET vehicle_id = %s WHERE id = %s", world.vehicles["412W101"].pk, other)
    sql("UPDATE allocations_allocation SET dyno_id = %s WHERE id = %s", world.dynos["NPG 3"].pk, other)
    assert occupied_days() == [("NPG 1", day(0), day(2)), ("NPG 3", day(0), day(2))]


def test_cancelled_days_are_free_and_come_back_only_while_they_are(world):
    first = allocation(world, "412W101", "NPG 1", 0, 2)
    sql("UPDATE allocations_allocation SET status = 'cancelled' WHERE id = %s", first)
    assert occupied_days() == []
    second = allocation(world, "412W102", "NPG 1", 2, 4)
    with refused(ONE_STAY):
        sql("UPDATE allocations_allocation SET status = 'scheduled' WHERE id = %s", first)
    sql("DELETE FROM allocations_allocation WHERE id = %s", second)
    sql("UPDATE allocations_allocation SET status = 'scheduled' WHERE id = %s", first)
    assert occupied_days() == [("NPG 1", day(0), day(2))]


def test_cancelled_row_may_overlap_and_completed_may_not(world):
    allocation(world, "412W101", "NPG 1", 0, 2)
    allocation(world, "412W102", "NPG 1", 0, 2, status="cancelled")
    with refused(ONE_STAY):
        allocation(world, "412W102", "NPG 1", 0, 2, status="completed")


def test_lifted_window_frees_its_days_and_comes_back_only_while_they_are_free(world):
    shut = window(world, "NPG 1", 0, 4)
    sql("UPDATE allocations_maintenancewindow SET lifted_at = now() WHERE id = %s", shut)
    assert occupied_days() == []
    booked = allocation(world, "412W101", "NPG 1", 4, 6)
    with refused(ONE_STAY):
        sql("UPDATE allocations_maintenancewindow SET lifted_at = NULL WHERE id = %s", shut)
    sql("UPDATE allocations_allocation SET first_day = %s WHERE id = %s", day(5), booked)
    sql("UPDATE allocations_maintenancewindow SET lifted_at = NULL WHERE id = %s", shut)
    assert occupied_days() == [("NPG 1", day(0), day(4)), ("NPG 1", day(5), day(6))]


def test_equal_ids_of_an_allocation_and_a_window_are_kept_apart(world):
    both = allocation(world, "412W101", "NPG 1", 0, 2)
    window(world, "NPG 2", 0, 2, id=both)
    sql("DELETE FROM allocations_maintenancewindow WHERE id = %s", both)
    assert occupied_days() == [("NPG 1", day(0), day(2))]
    window(world, "NPG 2", 0, 2, id=both)
    sql("DELETE FROM allocations_allocation WHERE id = %s", both)
    assert occupied_days() == [("NPG 2", day(0), day(2))]


def test_occupancy_follows_rows_whose_ids_change_places(world):
    one, other = allocation(world, "412W101", "NPG 1", 0, 2), allocation(world, "412W102", "NPG 2", 0, 2)
    for old, new in ((one, 10**9), (other, one), (10**9, other)):
        sql("UPDATE allocations_allocation SET id = %s WHERE id = %s", new, old)
    sql("UPDATE allocations_allocation SET status = 'cancelled' WHERE id = %s", other)
    assert occupied_days() == [("NPG 2", day(0), day(2))]


def test_two_stays_change_places_through_a_free_day_only(world):
    one, other = allocation(world, "412W101", "NPG 1", 0, 2), allocation(world, "412W102", "NPG 1", 3, 5)
    swap = "UPDATE allocations_allocation SET first_day = %s, last_day = %s WHERE id = %s"
    with refused(ONE_STAY):
        sql(swap, day(3), day(5), one)
    with transaction.atomic():
        sql(swap, day(9), day(11), one)
        sql(swap, day(0), day(2), other)
        sql(swap, day(3), day(5), one)
    assert occupied_days() == [("NPG 1", day(0), day(2)), ("NPG 1", day(3), day(5))]


def test_failed_statement_leaves_the_earlier_ones(world):
    with transaction.atomic():
        allocation(world, "412W101", "NPG 1", 0, 2)
        with refused(ONE_STAY):
            allocation(world, "412W102", "NPG 1", 1, 3)
        allocation(world, "412W102", "NPG 1", 3, 3)
    assert occupied_days() == [("NPG 1", day(0), day(2)), ("NPG 1", day(3), day(3))]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO allocations_occupancy (dyno_id, first_day, last_day) VALUES (1, '2026-11-16', '2026-11-17')",
        "UPDATE allocations_occupancy SET first_day = first_day - 1",
        "DELETE FROM allocations_occupancy",
    ],
)
def test_nobody_writes_the_occupancy_table_itself(world, statement):
    with refused("pgtrigger: Cannot"):
        sql(statement)


def test_occupancy_cannot_be_truncated_alone(world):
    window(world, "NPG 1", 0, 4)
    with refused("the days of allocations and maintenance windows cannot be truncated"):
        sql("TRUNCATE allocations_occupancy")
    assert occupied_days() == [("NPG 1", day(0), day(4))]


def test_delete_and_truncate_free_the_days_of_their_own_table(world):
    deleted_id = allocation(world, "412W101", "NPG 1", 0, 2)
    allocation(world, "412W102", "NPG 1", 3, 5)
    window(world, "NPG 1", 6, 7)
    sql("DELETE FROM allocations_allocation WHERE id = %s", deleted_id)
    assert occupied_days() == [("NPG 1", day(3), day(5)), ("NPG 1", day(6), day(7))]
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("TRUNCATE allocations_allocation CASCADE")
    assert occupied_days() == [("NPG 1", day(6), day(7))]


def test_occupancy_row_that_fits_no_source_is_found(world):
    """The checker itself can fail: it sees both kinds of difference, and an overlap."""
    allocation(world, "412W101", "NPG 1", 0, 2)
    with transaction.atomic():
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("ALTER TABLE allocations_allocation DISABLE TRIGGER USER")
        allocation(world, "412W102", "NPG 1", 2, 4)
        assert len(strays()) == 1
        assert [kind for kind, *_ in overlaps()] == ["dyno"]
        transaction.set_rollback(True)
