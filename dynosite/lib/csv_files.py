"""Tables as CSV: the one writer of all exports. A spreadsheet opens them in their own letters and runs nothing."""

import csv
import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Number
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from dynosite.lib.plain_text import visible

BOM = "\ufeff"
"""Without it Excel on Windows takes UTF-8 for the machine's own code page."""

_DANGEROUS = frozenset("=+-@|%")
_NOT_READ = re.compile(r'[\s"]+')


class _Line:
    """A file that hands back what is written to it."""

    @staticmethod
    def write(line: str) -> str:
        return line


def csv_answer(
    name: str,
    heading: Sequence[str],
    rows: Iterable[Any],
    cells: Callable[[Any], Sequence[Any]] = list,
) -> StreamingHttpResponse:
    """The table as a file to save; moments are given in the time zone that is current now."""
    lines = csv_lines(heading, map(cells, rows), timezone.get_current_timezone())
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def csv_lines(heading: Sequence[str], rows: Iterable[Sequence[Any]], zone: dt.tzinfo) -> Iterator[str]:
    """Lines of CSV, each cell in quotation marks, so that only the commas between them separate."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield BOM + writer.writerow([harmless(cell) for cell in heading])
    for row in rows:
        yield writer.writerow([harmless(_local(cell, zone)) for cell in row])


def _local(value: Any, zone: dt.tzinfo) -> Any:
    """A moment as ISO 8601 in the zone, with its offset; anything else as it is."""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return value.astimezone(zone).isoformat(timespec="minutes")
    return value


def harmless(value: Any) -> str:
    """The text of a cell that no spreadsheet takes for a formula, without what nobody sees."""
    if value is None:
        return ""
    if isinstance(value, Number):
        return str(value)
    text = visible(str(value))
    return f"'{text}" if is_like_formula(text) else text


def is_like_formula(text: str) -> bool:
    """Whether a spreadsheet might run it: by its first letter, be it wide, or behind spaces or quotation marks."""
    first = _NOT_READ.sub("", unicodedata.normalize("NFKC", visible(text))[:200])[:1]
    return text[:1] in ("\t", "\r", "\n") or first in _DANGEROUS
