"""HTML as tests compare it: without whitespace beside blocks and controls and at the edges of elements.

The layout of the templates may change it there. Where a space is to be seen beside a control, a test looks for it in
a browser.
"""

import re
from typing import Any

_BLOCKS = (
    "html head body title meta link script header main nav section article aside footer div p ul ol li dl dt dd table"
    " thead tbody tr th td caption form fieldset legend h1 h2 h3 h4 details summary option select button label input"
)
_BESIDE_BLOCKS = re.compile(rf" ?(</?(?:{_BLOCKS.replace(' ', '|')})\b[^>]*>) ?")
_AFTER_OPENING = re.compile(r"(<[a-z][^>]*>) ")
_BEFORE_CLOSING = re.compile(r" (</[^>]*>)")


def tidy(page: str) -> str:
    """Runs of whitespace as one space, and none at the edges of elements, beside blocks or between declarations."""
    text = re.sub(r"\s+", " ", page).strip().replace(" >", ">")
    text = _BESIDE_BLOCKS.sub(r"\1", text)
    text = _BEFORE_CLOSING.sub(r"\1", _AFTER_OPENING.sub(r"\1", text))
    return text.replace("; --", ";--").replace("<!DOCTYPE html>", "<!doctype html>")


def markup(response: Any) -> str:
    """The page of a test client's answer, tidied."""
    return tidy(response.content.decode())
