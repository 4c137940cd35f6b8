"""The SQL of `availability`: facts about one place, and the search for places."""

from allocations.models.dyno import MAX_WARM_UP_DAYS
from allocations.selectors.ground_rules import RULES

WARM_UP = "CASE WHEN o.window_id IS NULL THEN 0 ELSE {dyno}.warm_up_days END"
"""Days after the stay `o` on which its dyno still takes no test."""

_WARM_UP_OD = WARM_UP.format(dyno="od")

STAY_COLUMNS = f"""
    json_build_object(
        'kind', CASE WHEN o.window_id IS NULL THEN 'allocation' ELSE 'maintenance' END,
        'id', coalesce(o.window_id, o.allocation_id), 'dyno_id', o.dyno_id, 'dyno', od.name,
        'purpose', coalesce(t.name, CASE WHEN w.reason = '' THEN w.kind ELSE w.kind || ': ' || w.reason END),
        'days', json_build_array(o.first_day, o.last_day),
        'vehicle_id', o.vehicle_id, 'vehicle', coalesce(nullif(ov.tag, ''), ov.vin, ''),
        'facility_id', od.facility_id, 'facility', ofa.name, 'status', a.status,
        'warm_up_days', {_WARM_UP_OD},
        'owner', coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, ''))
    FROM allocations_occupancy o
    JOIN allocations_dyno od ON od.id = o.dyno_id
    JOIN allocations_facility ofa ON ofa.id = od.facility_id
    LEFT JOIN allocations_vehicle ov ON ov.id = o.vehicle_id
    LEFT JOIN allocations_allocation a ON a.id = o.allocation_id
    LEFT JOIN accounts_user u ON u.id = a.created_by_id
    LEFT JOIN allocations_testtype t ON t.id = a.test_type_id
    LEFT JOIN allocations_maintenancewindow w ON w.id = o.window_id
    WHERE o.allocation_id IS DISTINCT FROM %(leaving_out)s
        AND """

THEN = f"""o.first_day <= %(last)s AND o.first_day > %(first)s::date - %(longest)s - {MAX_WARM_UP_DAYS}
        AND o.last_day >= %(first)s::date - {MAX_WARM_UP_DAYS}
        AND o.last_day + {_WARM_UP_OD} >= %(first)s"""
"""On these days, or a window so shortly before them that its dyno still warms up."""

ABOUT_THEN = """o.first_day <= %(last)s::date + reach.days
            AND o.first_day > %(first)s::date - %(longest)s - reach.days
            AND o.last_day >= %(first)s::date - reach.days"""
"""So near that the vehicle may be on the way."""

_RUNNING = """o.allocation_id = ANY (ARRAY(SELECT r.id FROM allocations_allocation r
            WHERE r.{column} = {value} AND r.status = 'running' AND r.last_day < %(first)s))"""
RUNNING_ON = _RUNNING.format(column="dyno_id", value="%(dyno)s")
RUNNING_IN = _RUNNING.format(column="ground_id", value="%(ground)s")
"""Running tests whose last day is before these days. They are in the way if it is past, which the caller checks."""

_RUNNING_ON_IT = _RUNNING.format(column="dyno_id", value="d.id")
_RUNNING_ELSEWHERE = _RUNNING.format(column="vehicle_id", value="v.id")

FACTS = f"""
    SELECT
        json_build_array(d.name, d.ground_id, d.enabled, d.available_from, d.available_to,
            (SELECT coalesce(json_agg(json_build_array(c.drives, c.weight_classes)), '[]')
                FROM allocations_capability c WHERE c.dyno_id = d.id AND c.test_type_id = t.id),
            d.facility_id, f.name),
        json_build_array(v.ground_id, coalesce(nullif(v.tag, ''), v.vin), t.name,
            coalesce(nullif(%(drive)s, ''), v.drive), v.weight_class, t.ground_id, t.runs_through),
        ({RULES} d.ground_id),
        ARRAY(SELECT {STAY_COLUMNS} {THEN} AND o.dyno_id = d.id),
        ARRAY(SELECT {STAY_COLUMNS} {ABOUT_THEN} AND o.vehicle_id = v.id AND o.dyno_id <> d.id),
        ARRAY(SELECT {STAY_COLUMNS} {_RUNNING_ON_IT}),
        ARRAY(SELECT {STAY_COLUMNS} {_RUNNING_ELSEWHERE} AND o.dyno_id <> d.id)
    FROM allocations_dyno d
    JOIN allocations_facility f ON f.id = d.facility_id
    CROSS JOIN LATERAL (
        SELECT coalesce(max(w.days), 0) AS days FROM allocations_travel w WHERE w.ground_id = d.ground_id) reach,
        allocations_vehicle v, allocations_testtype t
    WHERE d.id = %(dyno)s AND v.id = %(vehicle)s AND t.id = %(test_type)s"""  # noqa: S608

_SEARCH = """
    WITH d AS MATERIALIZED (
        SELECT d.id, d.name, d.sort_key, d.facility_id, d.warm_up_days,
            daterange(greatest(%(first)s, d.available_from), least(d.available_to, %(end)s), '[]') AS span,
            sum(cardinality(c.drives) * cardinality(c.weight_classes)) AS breadth
        FROM allocations_dyno d JOIN allocations_capability c ON c.dyno_id = d.id
        WHERE d.ground_id = %(ground)s AND d.enabled
            AND greatest(%(first)s, d.available_from) <= least(d.available_to, %(end)s)
            AND (%(dynos)s::bigint[] IS NULL OR d.id = ANY(%(dynos)s))
        GROUP BY d.id
        HAVING bool_or(c.test_type_id = %(test_type)s AND c.drives @> ARRAY[%(drive)s]::varchar[]
            AND c.weight_classes @> ARRAY[%(weight)s]::varchar[])
    ), vehicle AS MATERIALIZED (
        -- The days of its stays, and before and after each, as seen from a facility, those on the way.
        SELECT f.id AS facility_id, range_agg(daterange(
            o.first_day - coalesce(there.days, 0), o.last_day + coalesce(back.days, 0), '[]')) AS days
        FROM allocations_occupancy o
        JOIN allocations_dyno od ON od.id = o.dyno_id
        JOIN allocations_facility f ON f.ground_id = od.ground_id
        LEFT JOIN allocations_travel there ON there.origin_id = f.id AND there.to_id = od.facility_id
        LEFT JOIN allocations_travel back ON back.origin_id = od.facility_id AND back.to_id = f.id
        WHERE o.vehicle_id = %(vehicle)s AND o.allocation_id IS DISTINCT FROM %(leaving_out)s
            AND o.first_day <= %(end)s::date + %(reach)s AND o.last_day >= %(first)s::date - %(reach)s
        GROUP BY f.id
    ), overrun AS MATERIALIZED (
        -- Until somebody ends them they hold their dynos and vehicles, nobody knows how long.
        SELECT a.dyno_id, a.vehicle_id, daterange(a.first_day, NULL) AS days FROM allocations_allocation a
        WHERE a.ground_id = %(ground)s AND a.status = 'running' AND a.last_day < %(today)s
            AND a.id <> %(leaving_out)s
    ), spoken_for AS MATERIALIZED (
        SELECT * FROM unnest(%(taken_dynos)s::bigint[], %(taken_first)s::date[], %(taken_last)s::date[])
            AS taken (dyno_id, first_day, last_day)
    ), gaps AS (
        SELECT d.*, unnest(
            datemultirange(d.span)
            - coalesce((SELECT v.days FROM vehicle v WHERE v.facility_id = d.facility_id), '{}')
            - coalesce((
                SELECT range_agg(daterange(o.first_day, o.last_day + {warm_up}, '[]'))
                FROM allocations_occupancy o
                WHERE o.dyno_id = d.id AND o.first_day <= %(end)s
                    AND o.first_day > %(first)s::date - %(longest)s - {max_warm_up}
                    AND o.last_day + {warm_up} >= %(first)s
                    AND o.allocation_id IS DISTINCT FROM %(leaving_out)s), '{}')
            - coalesce((
                SELECT range_agg(r.days) FROM overrun r
                WHERE r.dyno_id = d.id OR r.vehicle_id = %(vehicle)s), '{}')
            - coalesce((
                SELECT range_agg(daterange(s.first_day, s.last_day, '[]')) FROM spoken_for s
                WHERE s.dyno_id = d.id), '{}')) AS gap
        FROM d
    ), {places}
    SELECT p.id, p.name, f.name, p.starts, p.ends, p.slack
    FROM places p JOIN allocations_facility f ON f.id = p.facility_id
    WHERE p.starts <= %(latest)s
    ORDER BY abs(p.starts - %(wanted)s), p.breadth, p.slack, p.sort_key, p.starts
    LIMIT %(limit)s"""

_ON_ANY_DAY = """begins AS (
        SELECT *, greatest(lower(gap), least(%(wanted)s, upper(gap) - %(days)s)) AS starts,
            upper(gap) - lower(gap) - %(days)s AS slack
        FROM gaps WHERE upper(gap) - lower(gap) >= %(days)s
    ), places AS (SELECT *, starts + %(days)s - 1 AS ends FROM begins)"""

_ON_WORKING_DAYS = """stretches AS MATERIALIZED (
        SELECT * FROM unnest(%(starts)s::date[], %(ends)s::date[]) AS stretch (starts, ends)
    ), places AS (
        SELECT gaps.*, s.starts, s.ends, upper(gap) - lower(gap) - (s.ends - s.starts + 1) AS slack
        FROM gaps CROSS JOIN LATERAL (
            SELECT * FROM stretches WHERE stretches.starts >= lower(gap) AND stretches.ends < upper(gap)
            ORDER BY abs(stretches.starts - %(wanted)s), stretches.starts LIMIT 1) s
    )"""

_FIND = _SEARCH.replace("{max_warm_up}", str(MAX_WARM_UP_DAYS)).replace("{warm_up}", WARM_UP.format(dyno="d"))
FIND_ON_ANY_DAY = _FIND.replace("{places}", _ON_ANY_DAY)
FIND_ON_WORKING_DAYS = _FIND.replace("{places}", _ON_WORKING_DAYS)
