"""What of SQL is let through: one SELECT over the views, with functions that are on the list. Pure."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from allocations.exceptions import DomainError
from assistant.tools.sql.views import COLUMNS

MOST_NODES = 600

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
_MARKS = {"kind", "recursive", "locks", "into", "laterals", "pivots", "sample", "hint", "only", "when", "version"}


class NotLetThrough(DomainError):
    code = "query-refused"


def checked(text: str) -> str:
    """The query, written anew from what was understood of it. Raises NotLetThrough with what is not let through."""
    try:
        statements = [each for each in sqlglot.parse(text, read="postgres") if each is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise NotLetThrough(f"This is no SQL that I can read: {str(error).splitlines()[0]}") from None
    if len(statements) != 1:
        raise NotLetThrough("Only one statement at a time.")
    tree = statements[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise NotLetThrough("Only SELECT: queries read, they write nothing.")
    named = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    for number, node in enumerate(tree.walk()):
        if number > MOST_NODES:
            raise NotLetThrough("This query is too long.")
        _check(node, named)
    return tree.sql(dialect="postgres", comments=False)


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
    if isinstance(node, exp.Column) and node.args.get("db"):
        raise NotLetThrough("Name columns by their view only.")


def _check_table(table: exp.Table, named: set[str]) -> None:
    name = table.name.casefold()
    if not isinstance(table.this, exp.Identifier) or table.args.get("catalog"):
        raise NotLetThrough("Only the views may be read.")
    if table.args.get("db") and table.db.casefold() != "assistant_sql":
        raise NotLetThrough(f"There is no {table.db}.{name} to read; the views are {', '.join(COLUMNS)}.")
    if name not in COLUMNS and (name not in named or table.args.get("db")):
        raise NotLetThrough(f"There is no {name} to read; the views are {', '.join(COLUMNS)}.")
