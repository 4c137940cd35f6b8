"""Puts what was typed back into a form of a page, as HTML goes out: no view and no form class has to know.

Nothing is sent by it. Passwords, files and tokens stay as the page has them; values that the form takes no more are
handed back.
"""

import html as escaping
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

Attributes = dict[str, str | None]
Typed = Mapping[str, Sequence[str]]
"""The values by name, as a form sends them."""
UNTOUCHED = {"submit", "button", "image", "reset", "file", "password"}
TOKEN = "csrfmiddlewaretoken"  # noqa: S105 the name of a field


@dataclass
class Tag:
    """A start tag of a control, with where it stands in the page; of a textarea also where its text does."""

    name: str
    attributes: Attributes
    start: int
    end: int
    select: "Tag | None" = None
    text_end: int = 0

    def of(self, attribute: str) -> str:
        return self.attributes.get(attribute) or ""

    def markup(self) -> str:
        parts = [
            name if value is None else f'{name}="{escaping.escape(value)}"' for name, value in self.attributes.items()
        ]
        return f"<{' '.join([self.name, *parts])}>"


@dataclass
class Form:
    """A form of the page that posts to the address."""

    identity: str
    start: int
    """Just after its tag."""
    controls: list[Tag] = field(default_factory=list)

    def likeness(self, typed: Typed) -> tuple[int, int]:
        """How much of what was typed fits: hidden values tell the forms of a list apart."""
        hidden = [tag for tag in self.controls if tag.of("type") == "hidden" and tag.of("name") != TOKEN]
        same = sum(tag.of("value") in typed.get(tag.of("name"), ()) for tag in hidden)
        return same, len({tag.of("name") for tag in self.controls} & set(typed))


class _Page(HTMLParser):
    """The forms of a page that post to an address."""

    def __init__(self, text: str, *, page: str, action: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._page, self._action = page, action
        self._lines = [0]
        for line in text.split("\n")[:-1]:
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._form: Form | None = None
        self._open: Tag | None = None
        """The select or textarea that the parser is in."""
        self._elsewhere: list[tuple[str, Tag]] = []
        """Controls outside of their form, by its id."""
        self.feed(text)
        self.close()
        for identity, tag in self._elsewhere:
            for form in self.forms:
                if form.identity == identity:
                    form.controls.append(tag)

    def _position(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start = self._position()
        start_tag = Tag(tag, dict(attrs), start, start + len(self.get_starttag_text() or ""))
        if tag == "form":
            self._form = self._form_of(start_tag)
        elif tag in ("input", "select", "textarea", "option", "button"):
            if tag == "option":
                start_tag.select = self._open
            elif tag in ("select", "textarea"):
                self._open = start_tag
            self._add(start_tag)

    def _form_of(self, tag: Tag) -> Form | None:
        action = tag.of("hx-post") or (tag.of("action") or self._page) * (tag.of("method").lower() == "post")
        if not action or urlsplit(urljoin(self._page, action)).path != self._action:
            return None
        form = Form(tag.of("id"), tag.end)
        self.forms.append(form)
        return form

    def _add(self, tag: Tag) -> None:
        owner = (tag.select or tag).of("form")
        if owner:
            self._elsewhere.append((owner, tag))
        elif self._form:
            self._form.controls.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag in ("select", "textarea") and self._open:
            self._open.text_end = self._position()
            self._open = None


class _Filling:
    """Changes to one form's controls."""

    def __init__(self, form: Form, typed: Typed) -> None:
        self.edits: list[tuple[int, int, str]] = []
        self._typed = typed
        self._next: dict[str, int] = {}
        self._taken: dict[str, set[str]] = {}
        self._ignored = {TOKEN}
        for tag in form.controls:
            self._fill(tag)

    def left_over(self) -> dict[str, list[str]]:
        """What was typed and found no place."""
        values = {
            name: [value for value in values if value and value not in self._taken.get(name, ())]
            for name, values in self._typed.items()
            if name not in self._ignored
        }
        return {name: rest for name, rest in values.items() if rest}

    def _fill(self, tag: Tag) -> None:
        name = (tag.select or tag).of("name")
        kind = tag.of("type").lower() if tag.name == "input" else tag.name
        if kind in UNTOUCHED or name == TOKEN:
            self._ignored.add(name)
        elif kind in ("checkbox", "radio"):
            self._mark(tag, name, "checked", tag.of("value") if "value" in tag.attributes else "on")
        elif kind == "option":
            if name in self._typed and "value" in tag.attributes:
                self._mark(tag, name, "selected", tag.of("value"))
        elif kind != "select" and (value := self._value(name)) is not None:
            self._write(tag, value)

    def _value(self, name: str) -> str | None:
        """The next of the values of this name."""
        values, index = self._typed.get(name, ()), self._next.get(name, 0)
        if index >= len(values):
            return None
        self._next[name] = index + 1
        self._taken.setdefault(name, set()).add(values[index])
        return values[index]

    def _mark(self, tag: Tag, name: str, attribute: str, value: str) -> None:
        marked = value in self._typed.get(name, ())
        if marked:
            self._taken.setdefault(name, set()).add(value)
        if marked != (attribute in tag.attributes):
            if marked:
                tag.attributes[attribute] = None
            else:
                del tag.attributes[attribute]
            self.edits.append((tag.start, tag.end, tag.markup()))

    def _write(self, tag: Tag, value: str) -> None:
        if tag.name == "textarea":
            self.edits.append((tag.end, tag.text_end, f"\n{escaping.escape(value)}"))
        else:
            tag.attributes["value"] = value
            self.edits.append((tag.start, tag.end, tag.markup()))


@dataclass(frozen=True)
class Refilled:
    """A page whose form has what was typed; `at` is where a notice can stand, just within the form."""

    text: str
    at: int
    left_over: dict[str, list[str]]
    is_button: bool
    """Whether the form has nothing to type in or to choose."""

    def with_notice(self, notice: str) -> str:
        return self.text[: self.at] + notice + self.text[self.at :]


def refill(text: str, *, page: str, action: str, typed: Typed) -> Refilled | None:
    """None where the page (at the path `page`) has no form that posts to the path `action`."""
    forms = _Page(text, page=page, action=action).forms
    if not forms:
        return None
    form = max(forms, key=lambda candidate: candidate.likeness(typed))
    filling = _Filling(form, typed)
    at = form.start
    for start, end, replacement in sorted(filling.edits, reverse=True):
        text = text[:start] + replacement + text[end:]
        if end <= form.start:
            at += len(replacement) - (end - start)
    is_button = all(tag.of("type") == "hidden" or tag.name == "button" for tag in form.controls)
    return Refilled(text, at, filling.left_over(), is_button)
