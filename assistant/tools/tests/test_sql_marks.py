"""Nothing that somebody wrote comes out of the guard as anything but a text or a name in quotes."""

import re

import pytest

from assistant.tools.sql import guard, lists, writing
from assistant.tools.tests.marks import MARK, marked_queries
from assistant.tools.tests.test_sql import WELCOME

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


def _let_through(queries: list[str]) -> dict[str, str]:
    through = {}
    for query in queries:
        try:
            through[query] = guard.checked(query)
        except guard.NotLetThrough:
            continue
    return through


def _bare(query: str) -> str:
    """What stands outside of quotes."""
    return _QUOTED.sub("''", query)


def test_a_mark_is_written_in_quotes_only():
    queries = marked_queries()
    assert len(queries) > 10_000
    through = _let_through(queries)
    assert len(through) > 500, "or this shows nothing"
    assert [text for text in through.values() if MARK in _bare(text).upper()] == []


def test_words_outside_of_quotes_are_on_the_list():
    through = _let_through(marked_queries()[::3] + WELCOME)
    words = {word.upper() for text in through.values() for word in re.findall(r"[A-Za-z_]\w*", _bare(text))}
    assert words - lists.WORDS - {"E3"} == set()


class _Anything(frozenset):
    def __contains__(self, word: object) -> bool:
        return True


def test_the_marks_would_show_a_raw_date_part(monkeypatch):
    """The negative control: without the lists of words it is there."""
    monkeypatch.setattr(lists, "RAW_WORDS", {key: _Anything() for key in lists.RAW_WORDS})
    monkeypatch.setattr(guard, "_check_written", lambda query, tree: None)
    through = _let_through([query for query in marked_queries() if "extract" in query])
    assert [text for text in through.values() if MARK in _bare(text).upper()]


def test_what_was_written_is_read_again_even_if_the_tree_was_let_through(monkeypatch):
    monkeypatch.setattr(lists, "RAW_WORDS", {key: _Anything() for key in lists.RAW_WORDS})
    through = _let_through([query for query in marked_queries() if "extract" in query])
    assert [text for text in through.values() if MARK in _bare(text).upper()] == []


@pytest.mark.parametrize(
    ("query", "piece"),
    [
        ("SELECT 1; SELECT 2", "; SELECT 2"),
        ("SELECT 1 -- x", "-- x"),
        ("SELECT 1 /* x */", "/* x */"),
        ("SELECT PG_SLEEP(1)", "PG_SLEEP"),
        ('SELECT "pg_sleep"(1)', '"pg_sleep"('),
        ("SELECT $$x$$", "$$x$$"),
        ("SELECT E'x'", "E'x'"),
        ("SELECT U&'x'", "U&'x'"),
        ("SELECT 1::regclass", "::regclass"),
        ("SELECT 'x", "'x"),
        ("SELECT 1e131071", "1e131071"),
        ("SELECT 'a' ~ 'b'", "~ 'b'"),
        ("SELECT 1 ||/ 2", "||/ 2"),
        ("SELECT ａ", "ａ"),
        ('SELECT \'it\'\'s\', "a""b", 1.5e3, .5 FROM "dynos" AS "d"("x")', ""),
    ],
)
def test_pieces_are_read_as_postgresql_reads_them(query, piece):
    assert writing.odd_piece(query) == piece


@pytest.mark.parametrize("query", WELCOME)
def test_a_written_query_is_written_the_same_again(query):
    assert guard.checked(guard.checked(query)) == guard.checked(query)
