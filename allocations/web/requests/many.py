"""Several waiting requests changed or cancelled together, with a page between that says what will become of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from allocations.enums import Role
from allocations.models import ProvingGround, TestRequest
from allocations.selectors.requests import requests_named
from allocations.services.many_requests import cancel_requests, change_requests, differs, in_words, why_not
from allocations.web.domain_errors import AttemptResult, actor_of, attempt, key_of, say_done
from allocations.web.forms.requests import ManyForm
from allocations.web.ground_context import current_ground
from allocations.web.requests.rows import list_named, list_url
from dynosite.accounts.requests import UserRequest
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import numbers_of

NOT_DONE = "Nothing was changed"


@dataclass(frozen=True, slots=True)
class Line:
    """One of the requests, and what will become of it: it is changed, it is so already, or it cannot be."""

    row: TestRequest
    sentences: tuple[str, ...] = ()
    same: bool = False

    @property
    def ready(self) -> bool:
        return not self.sentences and not self.same


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: UserRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    data = _data(request)
    rows = _rows(request, ground)
    if not rows:
        return _none_ticked(request)
    form = ManyForm(data, ground=ground, user=request.user)
    values = form.values if form.is_valid() else {}
    outcome = None
    if request.method == "POST" and values:
        outcome = attempt(
            lambda: change_requests(_versions(request), actor=actor_of(request), key=key_of(request), **values),
            title=NOT_DONE,
        )
        if not outcome.refused:
            say_done(request, outcome.change)
            return redirect(list_url(list_named(data)))
    return _page(request, rows, values, form=form, outcome=outcome)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: UserRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    rows = _rows(request, ground)
    if not rows:
        return _none_ticked(request)
    outcome = None
    if request.method == "POST":
        actor = actor_of(request, request.POST.get("reason", "")[:500])
        outcome = attempt(
            lambda: cancel_requests(_versions(request), actor=actor, key=key_of(request)), title=NOT_DONE
        )
        if not outcome.refused:
            say_done(request, outcome.change)
            return redirect(list_url(list_named(request.POST)))
    return _page(request, rows, {}, outcome=outcome)


def _data(request: UserRequest) -> QueryDict:
    return request.POST if request.method == "POST" else request.GET


def _rows(request: UserRequest, ground: ProvingGround) -> list[TestRequest]:
    """The requests that were ticked, and those that are to be written."""
    ids = {*numbers_of(_data(request).getlist("request")), *_versions(request)}
    return requests_named(ids, ground, user=request.user) if ids else []


def _versions(request: UserRequest) -> dict[int, int]:
    """The requests to be written, each with the version that the page showed: `ID/VERSION`."""
    pairs = [numbers_of(text.split("/")) for text in request.POST.getlist("row")]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _none_ticked(request: UserRequest) -> HttpResponse:
    messages.info(request, "Tick the requests first.")
    return redirect(list_url(list_named(_data(request))))


def _lines(rows: list[TestRequest], values: Mapping[str, Any], *, cancels: bool) -> list[Line]:
    return [
        Line(
            row,
            tuple(refusal.sentence for refusal in why_not(row, values)),
            same=not cancels and not differs(row, values),
        )
        for row in rows
    ]


def _page(
    request: UserRequest,
    rows: list[TestRequest],
    values: Mapping[str, Any],
    *,
    form: ManyForm | None = None,
    outcome: AttemptResult | None = None,
) -> HttpResponse:
    """With a `form` what is to be set; without one they are to be cancelled."""
    data = _data(request)
    cancels = form is None
    lines = _lines(rows, values, cancels=cancels)
    text = list_named(data)
    context = {
        "form": form,
        "lines": lines,
        "ready": [line.row for line in lines if line.ready],
        "same": sum(line.same and not line.sentences for line in lines),
        "refused": sum(bool(line.sentences) for line in lines),
        "chosen": cancels or bool(values),
        "words": in_words(values),
        "again": [(name, data[name]) for name in form.fields if data.get(name)] if form else [],
        "list_text": text,
        "list_url": list_url(text),
        "outcome": outcome,
        "trail": [("Requests", list_url(text)), ("Cancel several" if cancels else "Change several", "")],
    }
    part = wants_fragment(request, "many")
    status = outcome.status if outcome else (422 if request.method == "POST" else 200)
    template = "allocations/requests/_many.html" if part else "allocations/requests/many.html"
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response
