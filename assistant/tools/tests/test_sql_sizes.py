"""How long a text or number may become is known before a query runs, whatever it is made of."""

import pytest

from assistant.tools.sql import guard


def _grown(base: str, steps: int, step: str = "s || s", last: str = "length(s)") -> str:
    parts = [f"t0 AS (SELECT {base} AS s)"] + [f"t{n} AS (SELECT {step} AS s FROM t{n - 1})" for n in range(1, steps)]
    return f"WITH {', '.join(parts)} SELECT {last} FROM t{steps - 1}"


HUNDREDS = "'" + "x" * 500 + "'"
THOUSANDS = f"WITH a AS (SELECT {HUNDREDS} || {HUNDREDS} AS s), b AS (SELECT s || s || s AS s FROM a)"
TOO_LARGE = {
    "a number with a large exponent": "SELECT 1e131071",
    "a number of many digits": f"SELECT {'9' * 41}",
    "a small number with a large exponent": "SELECT 1e-16000",
    "a number in quotes, as a number": "SELECT '1e131071'::decimal",
    "a number in quotes where one is due": "SELECT '1e131071' * 1.5",
    "a number in quotes among numbers": "SELECT coalesce('1e131071', 1.5)",
    "a number in quotes beside a number": "SELECT '1e131071' UNION SELECT 1.5",
    "a number in quotes with underscores": "SELECT '1e1_31071' + 1.5",
    "many places": "SELECT round(1.5, 16383)",
    "places that are reckoned": "SELECT round(1.5, 400 * 40)",
    "doublings": _grown(HUNDREDS, 7),
    "doublings of a number's text": _grown("1e39::text", 9),
    "doublings inside of other functions": _grown(HUNDREDS, 7, "upper(s || coalesce(s, ''))"),
    "squares": _grown("1e39", 12, "s * s", "s"),
    "doublings in subqueries": "SELECT s || s FROM (SELECT s || s AS s FROM (SELECT s || s AS s FROM "
    f"(SELECT s || s AS s FROM (SELECT s || s AS s FROM (SELECT {HUNDREDS} AS s) a) b) c) d) e",
    "doublings where they are compared": f"{THOUSANDS} SELECT 1 FROM b WHERE s || s || s || s > 'x'",
    "doublings where tables are joined": f"{THOUSANDS} SELECT 1 FROM (b JOIN dynos d ON s || s || s || s = name)",
    "doublings of what an outer query has": f"{THOUSANDS} SELECT (SELECT b.s || b.s || b.s || b.s) FROM b",
    "two tables that differ in case": f'WITH "T" AS (SELECT {" || ".join([HUNDREDS] * 5)} AS s), '
    "t AS (SELECT 'x' AS s), u AS (SELECT s || s || s || s || s AS s FROM \"T\") SELECT s FROM u",
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_too_large_is_refused_before_it_runs(kind):
    with pytest.raises(guard.NotLetThrough, match=r"could be longer than|at most 40 digits|at most 40 places"):
        guard.checked(TOO_LARGE[kind])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT tag || ' ' || vin || ' (' || program || ')' FROM vehicles",
        "SELECT tag FROM vehicles WHERE tag = '412E131071' OR vin IN ('1E99999999')",
        "SELECT round(100.0 * count(*) / nullif(sum(days), 0), 2) FROM allocations",
        "SELECT 1e39, 0.1, 123456789012345678901234567890",
        _grown(HUNDREDS, 5),
        _grown(HUNDREDS, 7, "left(s || s, 100)"),
    ],
)
def test_what_stays_small_is_let_through(query):
    assert guard.checked(query)


def test_a_text_becomes_a_number_by_way_of_a_float():
    """'1e1310' || '71' as DECIMAL has 131,072 digits; as a float it is an error."""
    assert guard.checked("SELECT (left(tag, 3) || '1')::decimal FROM vehicles").startswith(
        "SELECT CAST(CAST((LEFT(\"tag\", 3) || '1') AS DOUBLE PRECISION) AS DECIMAL)"
    )
