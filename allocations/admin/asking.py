"""A page between a form and its saving: it shows what would happen, and posts the same form again with the answer."""

from typing import Any

from django.http import HttpRequest

CONFIRMED = "_confirmed"
BACK = "_back"


class Ask(Exception):
    """Raised while saving: nothing is written, and `template` asks first."""

    def __init__(self, template: str, **context: Any):
        super().__init__(template)
        self.template = template
        self.context = context


def confirmed(request: HttpRequest) -> bool:
    return CONFIRMED in request.POST


def repeated(request: HttpRequest, *, without: str = "") -> list[tuple[str, str]]:
    """What was posted, to be posted again, save the answers given on the page between (names that begin so)."""
    left_out = {"csrfmiddlewaretoken", CONFIRMED, BACK}
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name not in left_out and not (without and name.startswith(without))
        for value in values
    ]
