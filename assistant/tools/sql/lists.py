"""All that a query may hold. What is on none of these lists is not let through, whatever it may be."""

import re

from sqlglot import exp

from assistant.tools.sql.views import COLUMNS

NODES = frozenset(
    getattr(exp, name)
    for name in (
        # what holds a query together
        "Select Union Intersect Except Subquery From Join Where Group Having Order Ordered Limit Offset Distinct With"
        " CTE Table TableAlias Alias Column Identifier Star Literal Boolean Null Paren Tuple Window Filter Interval"
        " Var Case If Exists Between In Is Not Neg Like ILike EQ NEQ GT GTE LT LTE And Or Add Sub Mul Div Mod DPipe"
        " Cast DataType"
        # functions
        " Count Sum Avg Min Max Coalesce Lower Upper Length Round Abs Ceil Floor Extract TimestampTrunc DateTrunc"
        " CurrentDate Greatest Least Nullif RowNumber Rank DenseRank Trim Substring Left Right TimeToStr ToChar Lag"
        " Lead LogicalAnd LogicalOr TsOrDsToDate Date"
    ).split()
)
"""Kinds of nodes, each by itself: a kind that is made from one of these is another kind."""

PARTS = frozenset(
    "alias big_int coalesce columns db decimals default desc distinct expression expressions false format from_ group"
    " having high ifs ignore_nulls is_string joins kind length limit low method negate nested nulls_first offset on"
    " order over partition_by position query quoted safe side start table this to true typed unit using where"
    " with_".split()
)
"""What a node may have parts of."""

TYPES = {
    exp.DataType.Type[name]
    for name in (
        "INT BIGINT SMALLINT TEXT VARCHAR CHAR DATE TIMESTAMP TIMESTAMPTZ DECIMAL DOUBLE FLOAT BOOLEAN INTERVAL"
    ).split()
}
NUMBER_TYPES = {exp.DataType.Type[name] for name in "INT BIGINT SMALLINT DECIMAL DOUBLE FLOAT".split()}

_DATE_PARTS = (
    "MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR DECADE CENTURY MILLENNIUM DOW ISODOW DOY"
    " ISOYEAR EPOCH JULIAN"
).split()
DATE_PARTS = frozenset(_DATE_PARTS) | {f"{part}S" for part in _DATE_PARTS} | {"CENTURIES", "MILLENNIA"}

RAW_WORDS: dict[tuple[type, str], frozenset[str] | frozenset[exp.DType]] = {
    (exp.Var, "this"): DATE_PARTS,
    (exp.Join, "kind"): frozenset({"CROSS", "INNER", "OUTER"}),
    (exp.Join, "side"): frozenset({"LEFT", "RIGHT", "FULL"}),
    (exp.Join, "method"): frozenset({"NATURAL"}),
    (exp.Trim, "position"): frozenset({"BOTH", "LEADING", "TRAILING"}),
    (exp.Window, "over"): frozenset({"OVER"}),
    (exp.DataType, "this"): frozenset(TYPES),
}
"""What stands in the tree as it is written, and not in quotes: by the node and its part."""

NUMBER = re.compile(r"\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,2})?|\.\d{1,40}(?:[eE][+-]?\d{1,2})?")

OF_ROWS = frozenset(
    "array_agg concat concat_ws format hash_record hash_record_extended json_agg json_agg_strict json_build_array"
    " json_build_object jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object num_nonnulls num_nulls"
    " pg_collation_for pg_column_compression pg_column_size pg_column_toast_chunk_id pg_typeof quote_literal"
    " quote_nullable record_out record_send row_to_json to_json to_jsonb".split()
)
"""Functions that take a row: PostgreSQL reads `d.to_json`, where there is no such column, as `to_json(d)`."""

WORDS = DATE_PARTS | frozenset(
    # what holds a query together
    "SELECT DISTINCT ON AS FROM WHERE GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET UNION INTERSECT"
    " EXCEPT ALL WITH JOIN LEFT RIGHT FULL OUTER INNER CROSS NATURAL USING CASE WHEN THEN ELSE END AND OR NOT IN IS"
    " NULL TRUE FALSE BETWEEN LIKE ILIKE EXISTS FILTER OVER PARTITION FOR BOTH LEADING TRAILING CAST"
    # types
    " INT BIGINT SMALLINT TEXT VARCHAR CHAR DATE TIMESTAMP TIMESTAMPTZ DECIMAL DOUBLE PRECISION REAL BOOLEAN INTERVAL"
    # functions
    " COUNT SUM AVG MIN MAX COALESCE LOWER UPPER LENGTH ROUND ABS CEIL FLOOR EXTRACT DATE_TRUNC CURRENT_DATE GREATEST"
    " LEAST NULLIF ROW_NUMBER RANK DENSE_RANK TRIM LTRIM RTRIM SUBSTRING TO_CHAR TO_DATE LAG LEAD BOOL_AND"
    " BOOL_OR".split()
)
"""Each word that the written query may have outside of quotes."""

VIEWS = frozenset(COLUMNS)
