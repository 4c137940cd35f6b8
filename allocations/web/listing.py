"""Lists: search, sort and pages, all of it in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from allocations.selectors.search import LONGEST_TEXT, every_word
from allocations.web.live import live_list
from dynosite.lib.htmx import wants_fragment

PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class Listing:
    rows: QuerySet[Any]
    page_obj: Page
    text: str
    sort: str
    filtered: bool
    """Whether anything narrows the list, so that an empty one is not called the whole."""
    live: str
    """The address of the stream that says when the list has changed."""


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
    """The rows that `?q=` finds, in the order of `?sort=` and `then`, cut into pages. `sorts` are fields by name."""
    live = live_list(request)
    text = request.GET.get("q", "").strip()[:LONGEST_TEXT]
    rows = rows.filter(every_word(text, search))
    sort = request.GET.get("sort", "")
    if sort.removeprefix("-") not in sorts:
        sort = default
    field = F(sorts[sort.removeprefix("-")])
    order = field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True)
    rows = rows.order_by(order, *then, "pk")
    page = Paginator(rows, per_page).get_page(request.GET.get("page"))
    return Listing(rows, page, text, sort, filtered or bool(text), live)


def list_page(request: HttpRequest, folder: str, found: Listing, context: dict[str, Any]) -> HttpResponse:
    """The whole page, or for htmx the list alone."""
    template = "_list.html" if wants_fragment(request, "list") else "page.html"
    context |= {"found": found, "page_obj": found.page_obj, "sort": found.sort, "live": found.live}
    response = render(request, f"allocations/{folder}/{template}", context)
    response["Vary"] = "HX-Request, Cookie"
    return response
