"""A page between a form and its saving: it shows what would happen, and posts the same form again with the answer."""

from typing import Any

from django.http import HttpRequest

from allocations.exceptions import Refused

CONFIRMED = "_confirmed"
CODES = "_codes"
BACK = "_back"


class ConfirmationRequired(Exception):
    """Raised while saving: nothing is written, and `template` asks first."""

    def __init__(self, template: str, **context: Any):
        super().__init__(template)
        self.template = template
        self.context = context


class RedirectRequired(Exception):
    """Raised while saving: nothing is written, and another page goes on with what was typed."""

    def __init__(self, address: str, sentence: str):
        super().__init__(address)
        self.address = address
        self.sentence = sentence


def confirmed(request: HttpRequest) -> bool:
    return CONFIRMED in request.POST


def asks_to_confirm(request: HttpRequest, refused: Refused) -> ConfirmationRequired:
    """The question for what can be confirmed: its sentences, and the same form again with the codes of them."""
    fields = [(name, value) for name, value in repeated(request) if name != CODES]
    return ConfirmationRequired(
        "admin/confirm.html",
        title="Is this meant so?",
        lead="Nothing is saved yet.",
        rows=[refusal.sentence for refusal in refused.refusals],
        button="Save it like this",
        fields=[*fields, (CODES, " ".join(sorted(refused.to_confirm)))],
    )


def codes_confirmed(request: HttpRequest) -> frozenset[str]:
    return frozenset(request.POST.get(CODES, "").split()) if confirmed(request) else frozenset()


def repeated(request: HttpRequest, *, without: str = "") -> list[tuple[str, str]]:
    """What was posted, to be posted again, save the answers given on the page between (names that begin so)."""
    left_out = {"csrfmiddlewaretoken", CONFIRMED, BACK}
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name not in left_out and not (without and name.startswith(without))
        for value in values
    ]
