"""How long a text or number of a query can become, at most, before any row of it is read. Pure.

PostgreSQL looks at no clock within one call of a function, and gives one as much memory as it asks for. So what a
single row may hold is bounded here, from the lengths of columns and literals, through every subquery and CTE.
"""

from collections.abc import Iterable

from sqlglot import exp

from assistant.tools.sql.lists import NUMBER, NUMBER_TYPES

MAX_LENGTH = 10_000
"""Characters of a text, or digits of a number."""
COLUMN = 256
"""Characters that a column of a view has at most; views cut what may be longer."""
PLAIN = 64
"""Characters of a date, an interval, a float or a whole number as text, and more."""
DIGITS = 40
"""Digits of a number that is written out, its exponent counted."""
_OF_ANY_TEXT = 150_000
"""Digits of what a text such as 1e131071 is as DECIMAL."""
_OF_A_FLOAT = 640
_NUMBERS = tuple(
    getattr(exp, name)
    for name in (
        "Count Sum Avg Round Abs Ceil Floor Extract Length Mul Div Mod Add Sub Neg RowNumber Rank DenseRank"
    ).split()
)
_SMALL = (exp.Count, exp.Extract, exp.Length, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Predicate, exp.Connector)
_LOOKED_AT = {"with_", "from_", "joins", "expressions", "this", "expression", "alias"}
_Sizes = dict[str, int]


class TooLargeError(ValueError):
    """A text or number of the query may become longer than MAX_LENGTH."""


def check_sizes(query: exp.Expr) -> None:
    """Raises TooLargeError."""
    _of_query(query, {}, 0)


def digits(number: str) -> int:
    """How many digits a number has when it is written out, as `1e40` has 41."""
    mantissa, _, exponent = number.lower().partition("e")
    return len(mantissa) + (abs(int(exponent)) if exponent else 0)


def is_number(node: exp.Expr | None) -> bool:
    """Whether its form alone says that it is a number, and not a text that could be read as one."""
    while isinstance(node, exp.Paren | exp.Window | exp.Filter):
        node = node.this
    if isinstance(node, exp.Cast):
        return node.to.this in NUMBER_TYPES
    return isinstance(node, _NUMBERS) or (isinstance(node, exp.Literal) and not node.is_string)


def is_plain(node: exp.Expr) -> bool:
    """Whether it is a number in quotes, and not a large one; or NULL."""
    return isinstance(node, exp.Null) or (isinstance(node, exp.Literal) and bool(NUMBER.fullmatch(node.name)))


def _of_query(node: exp.Expr, tables: _Sizes, outer: int) -> int:
    """The longest cell of what the query gives. `outer` is the longest column that it sees from around it."""
    tables = dict(tables)
    if with_ := node.args.get("with_"):
        for cte in with_.expressions:
            name = cte.alias_or_name.casefold()
            # Names that differ in case only are two tables; the longer one counts for both.
            tables[name] = max(tables.get(name, 0), _of_query(cte.this, tables, outer))
    if isinstance(node, exp.SetOperation):
        columns = max(_of_query(node.this, tables, outer), _of_query(node.expression, tables, outer))
        cells = columns
    elif isinstance(node, exp.Subquery):
        columns = cells = max(outer, _of_source(node, tables, outer))
    else:
        columns = max([outer, PLAIN, *(_of_source(one, tables, outer) for one in _sources(node))])
        cells = max((_of(one, tables, columns) for one in node.expressions), default=0)
    for part, value in node.args.items():
        if part not in _LOOKED_AT:
            for one in _nodes(value):
                _of(one, tables, max(columns, cells))
    _check_joins(node, tables, max(columns, cells))
    return cells


def _check_joins(source: exp.Expr, tables: _Sizes, columns: int) -> None:
    """What tables are joined on."""
    for join in source.args.get("joins") or ():
        if on := join.args.get("on"):
            _of(on, tables, columns)


def _sources(select: exp.Expr) -> Iterable[exp.Expr]:
    if from_ := select.args.get("from_"):
        yield from_.this
    for join in select.args.get("joins") or ():
        yield join.this


def _of_source(source: exp.Expr, tables: _Sizes, outer: int) -> int:
    """The longest column of a table, of a subquery, or of several joined in parentheses."""
    if isinstance(source, exp.Table):
        first = max(COLUMN, tables.get(source.name.casefold(), 0))
    elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Table):
        first = _of_source(source.this, tables, outer)
    else:
        inner = source.this if isinstance(source, exp.Subquery) else source
        first = _of_query(inner, tables, outer)
    size = max([first, *(_of_source(join.this, tables, outer) for join in source.args.get("joins") or ())])
    _check_joins(source, tables, max(size, outer))
    return size


def _nodes(value: object) -> list[exp.Expr]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, exp.Expr)]


def _of(node: exp.Expr, tables: _Sizes, columns: int) -> int:
    """The length of what the expression gives; raises TooLargeError where it or a part of it may be too long."""
    if isinstance(node, exp.Select | exp.SetOperation | exp.Subquery):
        return _of_query(node, tables, columns)
    parts = [_of(one, tables, columns) for one in node.iter_expressions() if not isinstance(one, exp.Table)]
    size = _grown(node, parts, columns)
    if size > MAX_LENGTH:
        raise TooLargeError
    return size


def _grown(node: exp.Expr, parts: list[int], columns: int) -> int:
    """From the lengths of its parts."""
    if isinstance(node, exp.Column | exp.Star):
        return columns
    if isinstance(node, exp.Literal):
        return _of_literal(node)
    if isinstance(node, exp.DPipe | exp.Mul | exp.Mod | exp.Add | exp.Sub):
        return sum(parts)
    if isinstance(node, exp.Div):
        return sum(parts) + max(parts) + PLAIN
    longest = max([PLAIN, *parts])
    if isinstance(node, _SMALL):
        return PLAIN
    if isinstance(node, exp.Avg):
        return 2 * longest + PLAIN
    if isinstance(node, exp.Sum | exp.Round):
        return longest + PLAIN
    if isinstance(node, exp.ToChar | exp.TimeToStr):
        return 12 * longest
    if isinstance(node, exp.Left | exp.Right) and (cut := _whole(node.expression)) is not None:
        return min(longest, max(cut, PLAIN))
    if isinstance(node, exp.Cast):
        return _of_cast(node, longest)
    return longest


def _of_literal(node: exp.Literal) -> int:
    return len(node.name) if node.is_string else digits(node.name)


def _of_cast(node: exp.Cast, longest: int) -> int:
    if node.to.this != exp.DataType.Type.DECIMAL:
        return longest
    if isinstance(node.this, exp.Cast) and node.this.to.this == exp.DataType.Type.DOUBLE:
        return _OF_A_FLOAT
    return longest if is_number(node.this) or is_plain(node.this) else _OF_ANY_TEXT


def _whole(node: exp.Expr | None) -> int | None:
    return int(node.name) if isinstance(node, exp.Literal) and node.name.isdecimal() else None
