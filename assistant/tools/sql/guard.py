"""What of SQL is let through: one SELECT over the views, with functions that are on the list. Pure."""

import logging
from collections import Counter

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from allocations.exceptions import DomainError
from assistant.tools.sql.views import COLUMNS

# It would write what was asked into the log.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

MOST_NODES = 600
MOST_TABLES = 12
"""Each join and sort may take memory of its own."""
MOST_JOINED = 8
"""Joinings of text (`||`): each may double what the one before it made."""
MOST_RECKONED = 12
"""Multiplications and divisions, likewise: of numbers of 130,000 digits one takes most of a second."""
LONGEST_PATTERN, LONGEST_TRIMMED = 100, 20
"""Characters of what LIKE looks for and of what is trimmed off. Matching long texts by long ones takes minutes, in
which the server looks at no clock."""

_STRUCTURE = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.With, exp.CTE, exp.Table, exp.TableAlias, exp.Alias,
    exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple, exp.Window,
    exp.WindowSpec, exp.Filter, exp.Interval, exp.Var, exp.Case, exp.If, exp.Exists, exp.Between, exp.In, exp.Is,
    exp.Not, exp.Neg, exp.Like, exp.ILike, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.Cast, exp.DataType,
)  # fmt: skip
_FUNCTIONS = (
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Coalesce, exp.Lower, exp.Upper, exp.Length, exp.Round, exp.Abs,
    exp.Ceil, exp.Floor, exp.Extract, exp.TimestampTrunc, exp.DateTrunc, exp.CurrentDate, exp.Greatest, exp.Least,
    exp.Nullif, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.TimeToStr,
    exp.ToChar, exp.Lag, exp.Lead, exp.LogicalAnd, exp.LogicalOr, exp.TsOrDsToDate, exp.Date,
)  # fmt: skip
_ALLOWED = _STRUCTURE + _FUNCTIONS
_TYPES = {
    exp.DataType.Type[name]
    for name in (
        "INT BIGINT SMALLINT TEXT VARCHAR CHAR DATE TIMESTAMP TIMESTAMPTZ DECIMAL DOUBLE FLOAT BOOLEAN INTERVAL"
    ).split()
}
_RECKONING = (exp.Mul, exp.Div, exp.Mod)
_OF_ROWS = frozenset(
    "array_agg concat concat_ws format hash_record hash_record_extended json_agg json_agg_strict json_build_array"
    " json_build_object jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object num_nonnulls num_nulls"
    " pg_collation_for pg_column_compression pg_column_size pg_column_toast_chunk_id pg_typeof quote_literal"
    " quote_nullable record_out record_send row_to_json to_json to_jsonb".split()
)
"""Functions that take a row: PostgreSQL reads `d.to_json`, where there is no such column, as `to_json(d)`."""
_MARKS = {"kind", "recursive", "locks", "into", "laterals", "pivots", "sample", "hint", "only", "when", "version"}


class NotLetThrough(DomainError):
    code = "query-refused"


def checked(text: str) -> str:
    """The query, written anew from what was understood of it. Raises NotLetThrough with what is not let through."""
    try:
        return _checked(text)
    except (SqlglotError, RecursionError, ValueError) as error:
        raise NotLetThrough(f"This is no SQL that I can read: {_first_line(error)}") from None


def _checked(text: str) -> str:
    statements = [each for each in sqlglot.parse(text, read="postgres") if each is not None]
    if len(statements) != 1:
        raise NotLetThrough("Only one statement at a time.")
    tree = statements[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise NotLetThrough("Only SELECT: queries read, they write nothing.")
    named = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    if any(name.startswith("pg_") for name in named):
        # Where it is out of scope, such a name would mean one of the server's catalogs.
        raise NotLetThrough("Names that begin with pg_ are not let through.")
    counts: Counter[type] = Counter()
    for node in tree.walk():
        counts[type(node)] += 1
        if (
            counts.total() > MOST_NODES
            or counts[exp.Table] > MOST_TABLES
            or counts[exp.DPipe] > MOST_JOINED
            or sum(counts[kind] for kind in _RECKONING) > MOST_RECKONED
        ):
            raise NotLetThrough("This query is too long; ask for less at once.")
        _check(node, named)
    _quote(tree)
    return tree.sql(dialect="postgres", comments=False)


def _quote(tree: exp.Expr) -> None:
    """Every name in quotes, as PostgreSQL would fold it, so that none is taken for a word such as `user`."""
    for name in tree.find_all(exp.Identifier):
        if not name.quoted:
            name.set("this", name.name.lower())
            name.set("quoted", True)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _check(node: exp.Expr, named: set[str]) -> None:
    if type(node) not in _ALLOWED and not isinstance(node, exp.SetOperation):
        if isinstance(node, exp.Func):
            name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            raise NotLetThrough(f"The function {name.lower()} is not let through.")
        raise NotLetThrough(f"{type(node).__name__} is not let through in a query.")
    marks = [name for name in _MARKS if node.args.get(name) and not (name == "kind" and isinstance(node, exp.Join))]
    if marks:
        raise NotLetThrough(f"{marks[0].upper()} is not let through in a query.")
    if isinstance(node, exp.Table):
        _check_table(node, named)
    if isinstance(node, exp.DataType) and (node.this not in _TYPES or node.args.get("nested")):
        raise NotLetThrough(f"The type {node.sql('postgres')} is not let through.")
    if isinstance(node, exp.Column):
        _check_column(node)
    if isinstance(node, exp.Like | exp.ILike) and not _is_text(node.expression, LONGEST_PATTERN):
        raise NotLetThrough(f"A pattern of LIKE is a text of at most {LONGEST_PATTERN} characters.")
    if isinstance(node, exp.TimeToStr | exp.ToChar) and not _is_text(node.args.get("format"), LONGEST_PATTERN):
        raise NotLetThrough(f"A format of to_char is a text of at most {LONGEST_PATTERN} characters.")
    if isinstance(node, exp.Trim) and (cut := node.expression) and not _is_text(cut, LONGEST_TRIMMED):
        raise NotLetThrough(f"What is trimmed off is a text of at most {LONGEST_TRIMMED} characters.")
    if isinstance(node, exp.Substring) and not all(_is_place(node.args.get(name)) for name in ("start", "length")):
        # A text in their place would be a regular expression.
        raise NotLetThrough("A substring is cut by numbers.")


def _check_column(column: exp.Column) -> None:
    if column.args.get("db"):
        raise NotLetThrough("Name columns by their view only.")
    if column.args.get("table") and column.name.casefold() in _OF_ROWS:
        raise NotLetThrough(f"There is no column {column.name}.")


def _is_text(node: exp.Expr | None, longest: int) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and len(node.name) <= longest


def _is_place(node: exp.Expr | None) -> bool:
    return node is None or all(
        isinstance(each, exp.Add | exp.Sub | exp.Neg | exp.Paren | exp.Length)
        or (isinstance(each, exp.Literal) and not each.is_string)
        for each in node.walk(prune=lambda each: isinstance(each, exp.Length))
    )


def _check_table(table: exp.Table, named: set[str]) -> None:
    name = table.name.casefold()
    if not isinstance(table.this, exp.Identifier) or table.args.get("catalog"):
        raise NotLetThrough("Only the views may be read.")
    if table.args.get("db") and table.db.casefold() != "assistant_sql":
        raise NotLetThrough(f"There is no {table.db}.{name} to read; the views are {', '.join(COLUMNS)}.")
    if name not in COLUMNS and (name not in named or table.args.get("db")):
        raise NotLetThrough(f"There is no {name} to read; the views are {', '.join(COLUMNS)}.")
