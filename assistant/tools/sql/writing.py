"""Reads a query that was written anew, as PostgreSQL will read it, and knows nothing of how it came about. Pure."""

import re

from assistant.tools.sql.lists import NUMBER, WORDS

_TOKEN = re.compile(
    rf"""\s+
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")+")
    |(?P<number>(?:{NUMBER.pattern})(?![\w.$]))
    |(?P<word>[A-Za-z_]+(?![\w$'"\\&]))
    |(?P<operator>[-+*/<>=~!@\#%^&|`?]+)
    |(?P<sign>[(),.])
    """,
    re.VERBOSE | re.ASCII,
)
_OPERATORS = {"+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "||"}
_BEFORE_NAMED_COLUMNS = {"AS", "WITH", ","}


def odd_piece(query: str) -> str:
    """The first piece of the query that is on no list; empty where there is none.

    Texts and names stand in quotes, and every other word is one of `lists.WORDS`. Nothing can begin a comment, a
    second statement, a text with escapes, or a function by a name in quotes.
    """
    place, before, last = 0, "", ""
    while place < len(query):
        match = _TOKEN.match(query, place)
        if match is None or "\0" in match[0]:
            return query[place : place + 40]
        kind, piece = match.lastgroup, match[0]
        if kind == "operator" and piece not in _OPERATORS:
            return query[place : place + 40]
        if kind == "word" and piece.upper() not in WORDS:
            return piece
        if piece == "(" and last.startswith('"') and before.upper() not in _BEFORE_NAMED_COLUMNS:
            return last + piece
        if kind:
            before, last = last, piece
        place = match.end()
    return ""
