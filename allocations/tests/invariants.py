"""What must hold of the schedule's tables at any time, read by plain SQL that shares nothing with the guards."""

from django.db import connection

_OVERLAPS = """
    SELECT 'dyno' AS what, a.dyno_id AS id, a.first_day, b.first_day FROM stays a JOIN stays b
        ON a.dyno_id = b.dyno_id AND a.key < b.key AND a.first_day <= b.last_day AND b.first_day <= a.last_day
    UNION ALL
    SELECT 'vehicle', a.vehicle_id, a.first_day, b.first_day FROM stays a JOIN stays b
        ON a.vehicle_id = b.vehicle_id AND a.key < b.key AND a.first_day <= b.last_day AND b.first_day <= a.last_day
"""
_STAYS = """
    WITH stays AS (
        SELECT 'a' || id AS key, dyno_id, vehicle_id, first_day, last_day FROM allocations_allocation
            WHERE status <> 'cancelled'
        UNION ALL
        SELECT 'w' || id, dyno_id, NULL, first_day, last_day FROM allocations_maintenancewindow
            WHERE lifted_at IS NULL
    )
"""
_OCCUPIED = """
    SELECT coalesce('a' || allocation_id, 'w' || window_id) AS key, dyno_id, vehicle_id, first_day, last_day
        FROM allocations_occupancy
"""


def _rows(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def overlaps() -> list[tuple]:
    """Pairs of stays that claim a dyno or a vehicle for the same day."""
    return _rows(_STAYS + _OVERLAPS)


def strays() -> list[tuple]:
    """Where the occupancy table and the allocations and windows differ, either way."""
    stays = "SELECT * FROM stays"
    return _rows(f"{_STAYS} (({stays} EXCEPT ({_OCCUPIED})) UNION ALL (({_OCCUPIED}) EXCEPT {stays}))")


def expect_sound() -> None:
    """The occupancy is exactly the allocations and windows, and none of them overlap."""
    assert strays() == []
    assert overlaps() == []
