"""What of SQL is let through: one SELECT over the views, with functions that are on the list. Pure.

The text is read into a tree; whatever the tree holds has to be on a list in the form in which it will be written. It
is then written anew, and what was written is read twice more: by the same parser, which has to see the same again,
and piece by piece as PostgreSQL does.
"""

import logging
import re
from collections import Counter

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from allocations.exceptions import DomainError
from assistant.tools.sql import lists, sizes, writing
from assistant.tools.sql.views import COLUMNS

# It would write what was asked into the log.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

MAX_NODES = 600
_MAX_NODES_OF: list[tuple[int, tuple[type, ...]]] = [
    (12, (exp.Table,)),
    # Joinings of text: each may double what the one before it made.
    (8, (exp.DPipe,)),
    (12, (exp.Mul, exp.Div, exp.Mod)),
    (12, (exp.Like, exp.ILike)),
    # Each may take memory of its own, as much as `work_mem`.
    (24, (exp.Join, exp.Order, exp.Window, exp.Distinct, exp.Group, exp.Union, exp.Intersect, exp.Except, exp.CTE)),
]
MAX_PATTERN_LENGTH, MAX_TRIMMED_LENGTH = 100, 20
"""Characters of what LIKE looks for and of what is trimmed off: both are tried at each place of a text."""
_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Like, exp.ILike, exp.Between)
_LARGE_NUMBER = re.compile(r"\s*[+-]?[\d._]+[eE][+-]?([\d_]+)\s*")


class NotLetThrough(DomainError):
    code = "query-refused"


def checked(text: str) -> str:
    """Returns the query, written anew from its syntax tree.

    Raises
    ------
    NotLetThrough
        If it is not one SELECT over the views, uses a function that is not on the list, or could become too large.
    """
    try:
        return _checked(text)
    except sizes.TooLargeError:
        raise NotLetThrough(
            f"A text or number of this query could be longer than {sizes.MAX_LENGTH:,} characters. Join and multiply"
            " less in a row, or cut texts with left(…, 100)."
        ) from None
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError) as error:
        raise NotLetThrough(f"I cannot read this as SQL: {_first_line(error)}") from None


def _checked(text: str) -> str:
    tree = _tree(text)
    _check_all(tree)
    _quote(tree)
    _bound_decimals(tree)
    query = tree.sql(dialect="postgres", comments=False)
    _check_written(query, tree)
    return query


def _tree(text: str) -> exp.Expr:
    statements = [statement for statement in sqlglot.parse(text, read="postgres") if statement is not None]
    if len(statements) != 1:
        raise NotLetThrough("Only one statement at a time.")
    if type(statements[0]) not in (exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery):
        raise NotLetThrough("Only SELECT: queries read, they write nothing.")
    return statements[0]


def _check_all(tree: exp.Expr) -> None:
    named = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    if any(name.startswith("pg_") for name in named):
        # Where it is out of scope, such a name would mean one of the server's catalogs.
        raise NotLetThrough("Names that begin with pg_ are not let through.")
    counts: Counter[type] = Counter()
    for node in tree.walk():
        counts[type(node)] += 1
        if counts.total() > MAX_NODES:
            raise NotLetThrough("This query is too long; ask for less at once.")
        _check(node, named)
    if any(sum(counts[kind] for kind in kinds) > most for most, kinds in _MAX_NODES_OF):
        raise NotLetThrough("This query is too long; ask for less at once.")


def _check_written(query: str, tree: exp.Expr) -> None:
    """That the text says what the tree said, and nothing beside it."""
    again = _tree(query)
    _check_all(again)
    if again.sql(dialect="postgres", comments=False) != query or _called(again) - _called(tree):
        raise NotLetThrough("This query can be read in two ways; write it more plainly.")
    if piece := writing.odd_piece(query):
        raise NotLetThrough(f"{piece.strip()[:40]} is not let through in a query.")
    sizes.check_sizes(again)


def _called(tree: exp.Expr) -> Counter[type[exp.Func] | str]:
    """Functions and tables. Not casts, of which writing may add one: their types are on a list."""
    functions = (type(node) for node in tree.find_all(exp.Func) if not isinstance(node, exp.Cast))
    return Counter(functions) + Counter(table.name for table in tree.find_all(exp.Table))


def _quote(tree: exp.Expr) -> None:
    """Every name in quotes, as PostgreSQL would fold it, so that none is taken for a word such as `user`."""
    for name in tree.find_all(exp.Identifier):
        if not name.quoted:
            name.set("this", name.name.lower())
            name.set("quoted", True)


def _bound_decimals(tree: exp.Expr) -> None:
    """A text as DECIMAL may have 131,072 digits; by way of a float it has no more than a float has."""
    for cast in list(tree.find_all(exp.Cast)):
        of_text = not sizes.is_number(cast.this) and not sizes.is_plain(cast.this)
        if of_text and cast.to.this == exp.DataType.Type.DECIMAL:
            cast.set("this", exp.Cast(this=cast.this.copy(), to=exp.DataType.build("double")))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _check(node: exp.Expr, named: set[str]) -> None:
    if type(node) not in lists.NODES:
        if isinstance(node, exp.Func):
            name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            raise NotLetThrough(f"The function {name.lower()} is not let through.")
        raise NotLetThrough(f"{type(node).__name__} is not let through in a query.")
    for part, value in node.args.items():
        for one in value if isinstance(value, list) else [value]:
            _check_part(node, part, one)
    if isinstance(node, exp.Table):
        _check_table(node, named)
    if isinstance(node, exp.Column):
        _check_column(node)
    if isinstance(node, exp.Literal):
        _check_literal(node)
    _check_text_function(node)


def _check_part(node: exp.Expr, part: str, value: object) -> None:
    if value is None or value is False:
        return
    if part not in lists.PARTS or (part == "kind" and not isinstance(node, exp.Join)):
        raise NotLetThrough(f"{part.strip('_').upper()} is not let through in a query.")
    if isinstance(value, exp.Expr) or value is True:
        return
    if isinstance(node, exp.Identifier | exp.Literal) and part == "this" and isinstance(value, str):
        return  # in quotes, or by `_check_literal`
    word = value.upper() if isinstance(value, str) else value
    if word not in lists.RAW_WORDS.get((type(node), part), ()):
        name = value if isinstance(value, str) else node.sql("postgres")
        prefix = "The type " if isinstance(node, exp.DataType) else ""
        raise NotLetThrough(f"{prefix}{str(name)[:40]} is not let through in a query.")


def _check_literal(literal: exp.Literal) -> None:
    if not literal.is_string:
        if not lists.NUMBER.fullmatch(literal.name) or sizes.digits(literal.name) > sizes.DIGITS:
            raise NotLetThrough(f"A number has at most {sizes.DIGITS} digits, its exponent counted.")
        return
    # PostgreSQL takes a text for a number where one is due. One that is compared is not reckoned with.
    match = None if isinstance(literal.parent, _COMPARED) else _LARGE_NUMBER.fullmatch(literal.name)
    if match and int("0" + match[1].replace("_", "")[:9]) > sizes.DIGITS:
        raise NotLetThrough(f"A number has at most {sizes.DIGITS} digits, its exponent counted.")


def _check_text_function(node: exp.Expr) -> None:
    if isinstance(node, exp.Like | exp.ILike) and not _is_text(node.expression, MAX_PATTERN_LENGTH):
        raise NotLetThrough(f"A pattern of LIKE is a text of at most {MAX_PATTERN_LENGTH} characters.")
    if isinstance(node, exp.TimeToStr | exp.ToChar) and not _is_text(node.args.get("format"), MAX_PATTERN_LENGTH):
        raise NotLetThrough(f"A format of to_char is a text of at most {MAX_PATTERN_LENGTH} characters.")
    if isinstance(node, exp.Trim) and (cut := node.expression) and not _is_text(cut, MAX_TRIMMED_LENGTH):
        raise NotLetThrough(f"What is trimmed off is a text of at most {MAX_TRIMMED_LENGTH} characters.")
    if isinstance(node, exp.Substring) and not all(_is_place(node.args.get(name)) for name in ("start", "length")):
        # A text in their place would be a regular expression.
        raise NotLetThrough("A substring is cut by numbers.")
    if isinstance(node, exp.Round) and (places := node.args.get("decimals")) and not _is_few(places):
        raise NotLetThrough(f"Round to at most {sizes.DIGITS} places, as a number.")


def _check_column(column: exp.Column) -> None:
    if column.args.get("db"):
        raise NotLetThrough("Name columns by their view only.")
    if column.args.get("table") and column.name.casefold() in lists.OF_ROWS:
        raise NotLetThrough(f"There is no column {column.name}.")


def _is_text(node: exp.Expr | None, longest: int) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and len(node.name) <= longest


def _is_few(node: exp.Expr) -> bool:
    number = node.this if isinstance(node, exp.Neg) else node
    return isinstance(number, exp.Literal) and number.name.isdecimal() and int(number.name) <= sizes.DIGITS


def _is_place(node: exp.Expr | None) -> bool:
    return node is None or all(
        isinstance(part, exp.Add | exp.Sub | exp.Neg | exp.Paren | exp.Length)
        or (isinstance(part, exp.Literal) and not part.is_string)
        for part in node.walk(prune=lambda part: isinstance(part, exp.Length))
    )


def _check_table(table: exp.Table, named: set[str]) -> None:
    name = table.name.casefold()
    if not isinstance(table.this, exp.Identifier) or table.args.get("catalog"):
        raise NotLetThrough("Only the views may be read.")
    if table.args.get("db") and table.db.casefold() != "assistant_sql":
        raise NotLetThrough(f"There is no {table.db}.{name} to read; the views are {', '.join(COLUMNS)}.")
    if name not in COLUMNS and (name not in named or table.args.get("db")):
        raise NotLetThrough(f"There is no {name} to read; the views are {', '.join(COLUMNS)}.")
