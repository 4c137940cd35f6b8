from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from allocations.enums import Role
from allocations.tests.world import World, day


def admin_url(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:allocations_{model}_{page}", args=args)


class _Fields(HTMLParser):
    """The values of a page's form, as a browser would post them without a change."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self._select = self._textarea = ""
        self._text: list[str] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        name = attributes.get("name", "")
        if tag == "input" and name and "disabled" not in attributes:
            kind = attributes.get("type", "text")
            if (kind in ("checkbox", "radio") and "checked" not in attributes) or kind == "submit":
                return
            self.values.append((name, attributes.get("value", "on" if kind == "checkbox" else "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in attributes:
            self.values.append((self._select, attributes.get("value", "")))
        elif tag == "textarea":
            self._textarea, self._text = name, []

    def handle_data(self, data):
        if self._textarea:
            self._text.append(data)

    def handle_endtag(self, tag):
        if tag == "select":
            self._select = ""
        elif tag == "textarea" and self._textarea:
            self.values.append((self._textarea, "".join(self._text).strip("\n")))
            self._textarea = ""


def fields_of(response) -> dict[str, Any]:
    """By name; names that come more than once have lists."""
    parser = _Fields()
    parser.feed(response.content.decode())
    fields: dict[str, Any] = {}
    for name, value in parser.values:
        if name in fields:
            fields[name] = [*fields[name], value] if isinstance(fields[name], list) else [fields[name], value]
        else:
            fields[name] = value
    fields.pop("csrfmiddlewaretoken", None)
    return fields


@dataclass
class Cast:
    world: World

    def client(self, name: str) -> Client:
        client = Client()
        client.force_login(self.world.users[name])
        return client


def add_staff(world: World) -> Cast:
    """`keeper` is admin of the north and staff, `root` a superuser; `admin` is admin of the north but no staff.

    `climber` is staff, but no admin of any ground. Both have every permission that Django knows: it must not matter.
    """
    from django.contrib.auth.models import Permission

    world.user("keeper", north=Role.ADMIN)
    world.user("root")
    world.user("climber", north=Role.SCHEDULER)
    for name, flag in (
        ("keeper", "is_staff"),
        ("root", "is_superuser"),
        ("root", "is_staff"),
        ("climber", "is_staff"),
    ):
        setattr(world.users[name], flag, True)
        world.users[name].save()
    for name in ("keeper", "climber"):
        world.users[name].user_permissions.set(Permission.objects.all())
    return Cast(world)


@pytest.fixture
def cast(world) -> Cast:
    return add_staff(world)


@pytest.fixture
def keeper(cast) -> Client:
    return cast.client("keeper")


@pytest.fixture
def root(cast) -> Client:
    return cast.client("root")


@pytest.fixture
def _today(monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(2))


def errors_in(response) -> dict[str, list[str]]:
    """The form's errors by field, as the page has them."""
    return {name: list(sentences) for name, sentences in response.context["adminform"].form.errors.items()}


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]
