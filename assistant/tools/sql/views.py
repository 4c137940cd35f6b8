"""The views that queries may read: name → SELECT. Each is of one proving ground, the token's.

No column is longer than `sizes.COLUMN` characters: those of the tables are not, lists are cut.
"""

from allocations.selectors.lateness import late_sql
from allocations.vehicle_details import NAMES as DETAILS

GROUND = "(SELECT assistant_private.ground())"
_LATE, _DAYS_LATE = late_sql("a", "(now() AT TIME ZONE g.time_zone)::date")

VIEWS: dict[str, tuple[tuple[str, ...], str]] = {
    "dynos": (
        ("id", "name", "facility", "enabled", "available_from", "available_to"),
        f"""SELECT d.id, d.name, f.name AS facility, d.enabled, d.available_from, d.available_to
            FROM public.allocations_dyno d JOIN public.allocations_facility f ON f.id = d.facility_id
            WHERE d.ground_id = {GROUND}""",
    ),
    "capabilities": (
        ("dyno_id", "dyno", "test_type", "drives", "weight_classes"),
        f"""SELECT c.dyno_id, d.name AS dyno, t.name AS test_type,
                left(array_to_string(c.drives, ', '), 256) AS drives,
                left(array_to_string(c.weight_classes, ', '), 256) AS weight_classes
            FROM public.allocations_capability c JOIN public.allocations_dyno d ON d.id = c.dyno_id
            JOIN public.allocations_testtype t ON t.id = c.test_type_id
            WHERE d.ground_id = {GROUND}""",
    ),
    "vehicles": (
        ("id", "tag", "vin", *DETAILS, "drive", "weight_lbs", "weight_class"),
        f"""SELECT v.id, v.tag, v.vin, {", ".join(f"v.{name}" for name in DETAILS)}, v.drive, v.weight_lbs,
                v.weight_class
            FROM public.allocations_vehicle v WHERE v.ground_id = {GROUND}""",
    ),
    "allocations": (
        (
            "id",
            "vehicle_id",
            "vehicle",
            "program",
            "dyno_id",
            "dyno",
            "facility",
            "test_type",
            "first_day",
            "last_day",
            "days",
            "status",
            "held_until",
            "due_date",
            "late",
            "days_late",
        ),
        f"""SELECT a.id, a.vehicle_id, coalesce(nullif(v.tag, ''), v.vin) AS vehicle, v.program, a.dyno_id,
                d.name AS dyno, f.name AS facility, t.name AS test_type, a.first_day, a.last_day,
                a.last_day - a.first_day + 1 AS days, a.status,
                CASE WHEN a.status = 'running' THEN greatest(a.last_day, (now() AT TIME ZONE g.time_zone)::date)
                    ELSE a.last_day END AS held_until,
                (SELECT r.due_date FROM public.allocations_testrequest r WHERE r.id = a.request_id) AS due_date,
                {_LATE} AS late, {_DAYS_LATE} AS days_late
            FROM public.allocations_allocation a JOIN public.allocations_provingground g ON g.id = a.ground_id
            JOIN public.allocations_vehicle v ON v.id = a.vehicle_id
            JOIN public.allocations_dyno d ON d.id = a.dyno_id
            JOIN public.allocations_facility f ON f.id = d.facility_id
            JOIN public.allocations_testtype t ON t.id = a.test_type_id
            WHERE a.ground_id = {GROUND}""",
    ),
    "requests": (
        ("id", "vehicle_id", "vehicle", "test_type", "days", "earliest_start", "due_date", "priority", "status"),
        f"""SELECT r.id, r.vehicle_id, coalesce(nullif(v.tag, ''), v.vin) AS vehicle, t.name AS test_type, r.days,
                r.earliest_start, r.due_date, r.priority, r.status
            FROM public.allocations_testrequest r JOIN public.allocations_vehicle v ON v.id = r.vehicle_id
            JOIN public.allocations_testtype t ON t.id = r.test_type_id
            WHERE r.ground_id = {GROUND}""",
    ),
    "maintenance": (
        ("id", "dyno_id", "dyno", "first_day", "last_day", "kind", "reason"),
        f"""SELECT w.id, w.dyno_id, d.name AS dyno, w.first_day, w.last_day, w.kind, w.reason
            FROM public.allocations_maintenancewindow w JOIN public.allocations_dyno d ON d.id = w.dyno_id
            WHERE w.lifted_at IS NULL AND w.ground_id = {GROUND}""",
    ),
    "test_types": (
        ("id", "name", "default_days", "miles_per_day", "runs_through"),
        f"""SELECT t.id, t.name, t.default_days, t.miles_per_day, t.runs_through
            FROM public.allocations_testtype t WHERE t.ground_id = {GROUND}""",
    ),
    "working_calendar": (
        ("days_off", "holidays_country", "holidays_subdivision"),
        f"""SELECT (SELECT left(string_agg(trim(to_char(date '2024-01-01' + d, 'Day')), ', ' ORDER BY d), 256)
                FROM unnest(g.days_off) AS d) AS days_off, g.holidays_country, g.holidays_subdivision
            FROM public.allocations_provingground g WHERE g.id = {GROUND}""",
    ),
    "shutdowns": (
        ("name", "first_day", "last_day"),
        f"""SELECT s.name, s.first_day, s.last_day FROM public.allocations_shutdown s WHERE s.ground_id = {GROUND}""",
    ),
    "travel": (
        ("from_facility", "to_facility", "days"),
        f"""SELECT o.name AS from_facility, t.name AS to_facility, w.days
            FROM public.allocations_travel w JOIN public.allocations_facility o ON o.id = w.origin_id
            JOIN public.allocations_facility t ON t.id = w.to_id
            WHERE w.ground_id = {GROUND}""",
    ),
}
COLUMNS = {name: list(columns) for name, (columns, _) in VIEWS.items()}
