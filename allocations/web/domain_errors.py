"""Trying a write from a page: what the domain refuses becomes something that the page can show beside its form."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.urls import reverse

from allocations.enums import Door
from allocations.exceptions import Busy, DomainError, KeyReused, Refused, Stale
from allocations.models import Allocation, Change
from allocations.selectors.allocations import no_longer_fit
from allocations.services.unit_of_work import Actor
from dynosite.accounts.requests import UserRequest

TITLES = {
    Refused: "This cannot be done",
    Stale: "It has changed in the meantime",
    KeyReused: "This form has been used already",
    Busy: "Not just now",
}


@dataclass
class AttemptResult:
    """The change that was made, or why there is none: a title, sentences, and places that would do."""

    change: Any = None
    title: str = ""
    sentences: Sequence[str] = ()
    places: Sequence[Any] = ()
    status: int = 200
    codes: frozenset[str] = field(default_factory=frozenset)
    to_confirm: Sequence[str] = ()
    """The codes that have to come back as confirmed for it to be written after all."""

    @property
    def refused(self) -> bool:
        return self.status != 200

    @property
    def confirmed(self) -> str:
        """The codes as the button sends them that confirms all of them."""
        return " ".join(self.to_confirm)

    @property
    def confirmed_rest(self) -> str:
        """As `confirmed`, of the button that books fewer days and lets the rest go on waiting."""
        return " ".join([*(code for code in self.to_confirm if code != "fewer-days"), "rest"])


def actor_of(request: UserRequest, reason: str = "") -> Actor:
    return Actor(request.user, Door.FORM, reason.strip())


def key_of(request: UserRequest) -> str | None:
    """The idempotency key of what was sent: that of the form with a digest of what stands in it.

    The same press twice is one request. What came back to and was filled in otherwise, or another of its buttons, is
    another request. None where the form has no key.
    """
    key = request.POST.get("key", "")[:60]
    if not key:
        return None
    fields = sorted((name, values) for name, values in request.POST.lists() if name not in _NOT_ASKED)
    return f"{key}:{hashlib.sha256(json.dumps([request.path, fields]).encode()).hexdigest()[:32]}"


_NOT_ASKED = ("csrfmiddlewaretoken", "key")


def confirmed_in(request: UserRequest) -> frozenset[str]:
    """The codes that the button pressed confirms."""
    return frozenset(request.POST.get("confirm", "").split())


def say_done(request: UserRequest, change: Change, words: str = "{summary}") -> None:
    """Says what was done, with a button that takes it back; `{summary}` in the words is the change's own."""
    undo = reverse("allocations:change-undo", args=[change.pk]) if change.items else ""
    text = words.format(summary=change.summary).rstrip(".")
    messages.success(request, f"{text}.", extra_tags=undo)


def warn_of_misfits(request: UserRequest, rows: Sequence[Allocation]) -> None:
    """Says which bookings a change of their vehicle or dyno has left without a dyno that may run them."""
    if misfits := no_longer_fit(rows):
        names = "; ".join(map(str, misfits[:3])) + (" and others" if len(misfits) > 3 else "")
        messages.warning(request, f"No longer in keeping with the rules: {names}. They stay booked until moved.")


def attempt(write: Callable[[], Any], *, title: str = "") -> AttemptResult:
    """Runs `write`. What does not exist and what is not allowed is left to the edge of the site."""
    try:
        return AttemptResult(write())
    except (Refused, Stale, KeyReused, Busy) as error:
        return refusal(error, title=title)


def refusal(error: DomainError, *, title: str = "") -> AttemptResult:
    if isinstance(error, Refused):
        sentences = [reason.sentence for reason in error.refusals]
        codes = frozenset(reason.code.value for reason in error.refusals)
        confirm = sorted(error.to_confirm)
        title = "Is this meant so?" if confirm else title or TITLES[Refused]
        return AttemptResult(None, title, sentences, error.places, error.http_status, codes, confirm)
    kind = type(error)
    return AttemptResult(None, TITLES[kind], [error.sentence], (), error.http_status, frozenset({error.code}))
