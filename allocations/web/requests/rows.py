"""Which requests the list of an address shows, and in which order: for the list, and to go through it one by one."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from allocations.enums import Priority, RequestStatus
from allocations.models import ProvingGround, TestRequest
from allocations.selectors.lateness import late_requests
from allocations.selectors.requests import request_list
from allocations.selectors.search import REQUEST_FIELDS
from allocations.web.listing import Arranged, arranged
from dynosite.accounts.requests import UserRequest
from dynosite.lib.params import number_of
from dynosite.lib.plain_text import has_nul

SORTS = {
    "vehicle": "vehicle__tag",
    "test": "test_type__name",
    "days": "days",
    "earliest": "earliest_start",
    "due": "due_date",
    "priority": "urgency",
    "place": "place_first",
    "created": "created_at",
}
FILTERS = ("test", "priority", "late")
MAX_QUERY_LENGTH = 2000
"""Characters of a list's query that a form carries along."""
_THEN = (F("due_date").asc(nulls_last=True), F("earliest_start").asc(nulls_first=True))
_NOT_OF_THE_LIST = ("page", "format", "all", "ground")


@dataclass(frozen=True, slots=True)
class Queue:
    """A request on its way through a list of those that wait, whose query is `text`."""

    text: str
    following: TestRequest | None
    """The one that comes next; None after the last."""
    remaining: int

    @property
    def list_url(self) -> str:
        return list_url(self.text)

    @property
    def next_url(self) -> str:
        """Where the next one finds its place; after the last the list."""
        if self.following is None:
            return self.list_url
        query = urlencode({"request": str(self.following.pk), "list": self.text})
        return f"{reverse('allocations:allocation-create')}?{query}"


def status_of(query: QueryDict) -> str:
    return query.get("status", RequestStatus.WAITING)


def rows_of(
    ground: ProvingGround, query: QueryDict, user: Any, *, status: str, besides: int | None = None
) -> Arranged:
    """The requests of the status, and the one `besides`, that the query's other filters leave, in its order."""
    rows = request_list(ground, user=user)
    if status in RequestStatus.values:
        rows = rows.filter(Q(status=status) | Q(pk=besides) if besides else Q(status=status))
    rows = _narrowed(rows, query, ground.today())
    sort = "priority" if status_of(query) == RequestStatus.WAITING else "-created"
    return arranged(query, rows, search=REQUEST_FIELDS, sorts=SORTS, default=sort, then=_THEN)


def list_text(query: QueryDict) -> str:
    """What of the list's address makes its rows and their order; never empty."""
    of_list = query.copy()
    for name in _NOT_OF_THE_LIST:
        of_list.pop(name, None)
    return of_list.urlencode() or urlencode({"status": RequestStatus.WAITING})


def list_url(text: str) -> str:
    address = reverse("allocations:request-list")
    return f"{address}?{text}" if text else address


def list_named(data: QueryDict) -> str:
    """The list that somebody came from, as `list_text` gives it; empty for none, and for what is no query."""
    text = data.get("list", "")
    if len(text) > MAX_QUERY_LENGTH or has_nul(QueryDict(text)):
        return ""
    return QueryDict(text).urlencode()


def queue_of(request: UserRequest, data: QueryDict, wish: TestRequest | None) -> Queue | None:
    """What comes after the request in the list that `data` names; None for who came from no list."""
    text = list_named(data)
    if wish is None or not text:
        return None
    query = QueryDict(text)
    rows = rows_of(wish.ground, query, request.user, status=RequestStatus.WAITING, besides=wish.pk).rows
    ids = list(rows.values_list("pk", flat=True))
    # One that has its place already may be in the list no more: then the first that waits comes next.
    later = ids[ids.index(wish.pk) + 1 :] if wish.pk in ids else ids
    following = rows.filter(pk=later[0]).first() if later else None
    return Queue(text, following, len(later))


def _narrowed(rows: QuerySet, query: QueryDict, today: dt.date) -> QuerySet:
    priority = query.get("priority", "")
    if (test_type := number_of(query.get("test"))) is not None:
        rows = rows.filter(test_type=test_type)
    if priority in Priority.values:
        rows = rows.filter(priority=priority)
    return rows.filter(late_requests(today)) if query.get("late") else rows
