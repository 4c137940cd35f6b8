"""How the panel stands, told by a cookie, so that a page comes from the server as it will stay."""

import re
from dataclasses import dataclass

from django.http import HttpRequest

COOKIE = "assistant"
MIN_WIDTH, MAX_WIDTH, USUAL = 300, 720, 372
"""Pixels."""


@dataclass(frozen=True)
class PanelState:
    open: bool = False
    width: int = USUAL
    least: int = MIN_WIDTH
    most: int = MAX_WIDTH


def state_of(request: HttpRequest) -> PanelState:
    """The cookie is `open` or `closed`, then the width: `open.420`. Anything else is the usual state."""
    match = re.fullmatch(r"(open|closed)\.(\d{2,4})", request.COOKIES.get(COOKIE, ""))
    if not match:
        return PanelState()
    return PanelState(match[1] == "open", min(max(int(match[2]), MIN_WIDTH), MAX_WIDTH))
