"""Lists: search, sort and pages, all of it in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from allocations.selectors.search import MAX_TEXT_LENGTH, every_word
from allocations.web.live import live_list
from dynosite.lib.htmx import wants_fragment

PER_PAGE = 30
MAX_AT_ONCE = 1000
"""Rows that a page shows which is asked for all of them, to be printed."""


@dataclass(frozen=True, slots=True)
class Listing:
    rows: QuerySet[Any]
    page_obj: Page
    text: str
    sort: str
    filtered: bool
    """Whether anything narrows the list, so that an empty one is not called the whole."""
    is_cut: bool
    """Whether all rows were asked for and there are too many for one page."""
    live: str
    """The address of the stream that says when the list has changed."""


class Arranged(NamedTuple):
    """Rows searched and sorted, with the text and the sort that did it."""

    rows: QuerySet[Any]
    text: str
    sort: str


def arranged(
    query: Mapping[str, str],
    rows: QuerySet[Any],
    *,
    search: Sequence[str],
    sorts: Mapping[str, str],
    default: str,
    then: Sequence[Any] = (),
) -> Arranged:
    """The rows that `?q=` finds, in the order of `?sort=` and `then`. `sorts` are fields by name."""
    text = query.get("q", "").strip()[:MAX_TEXT_LENGTH]
    rows = rows.filter(every_word(text, search))
    sort = query.get("sort", "")
    if sort.removeprefix("-") not in sorts:
        sort = default
    field = F(sorts[sort.removeprefix("-")])
    order = field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True)
    return Arranged(rows.order_by(order, *then, "pk"), text, sort)


def listing(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    search: Sequence[str],
    sorts: Mapping[str, str],
    default: str,
    filtered: bool = False,
    per_page: int = PER_PAGE,
    then: Sequence[Any] = (),
) -> Listing:
    """The rows as `arranged`, cut into pages; `?all=1` asks for one page, such as to print it."""
    live = live_list(request)
    ordered = arranged(request.GET, rows, search=search, sorts=sorts, default=default, then=then)
    return paged(request, ordered, live=live, filtered=filtered, per_page=per_page)


def paged(
    request: HttpRequest, ordered: Arranged, *, live: str, filtered: bool = False, per_page: int = PER_PAGE
) -> Listing:
    """`live` is to be made before anything is read: `live.live_list`."""
    everything = bool(request.GET.get("all"))
    page = Paginator(ordered.rows, MAX_AT_ONCE if everything else per_page).get_page(request.GET.get("page"))
    is_cut = everything and page.paginator.num_pages > 1
    return Listing(ordered.rows, page, ordered.text, ordered.sort, filtered or bool(ordered.text), is_cut, live)


def list_page(request: HttpRequest, folder: str, results: Listing, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or for htmx the list alone."""
    template = "_list.html" if wants_fragment(request, "list") else "page.html"
    context |= {"found": results, "page_obj": results.page_obj, "sort": results.sort, "live": results.live}
    response = render(request, f"allocations/{folder}/{template}", context)
    response["Vary"] = "HX-Request, Cookie"
    return response
