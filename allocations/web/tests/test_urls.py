"""Every address of the site, walked with the whole cast. An address without a decision fails."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse

from allocations.enums import Role
from allocations.web.tests.conftest import NORTHERN, SOUTHERN

PUBLIC = {"accounts:sign-in", "accounts:sign-out", "theme", "favicon", "healthz", "readyz", "metrics"}
"""Open to anybody; their own tests say what they do."""
OF_OTHERS = ("admin:", "api:", "assistant:", "accounts:token-", "accounts:password", "accounts:profile")
"""Namespaces with a walk of their own, which must not be open to a stranger."""


@dataclass(frozen=True)
class Decision:
    """Who may GET and who may POST: the least role, or None where the method is not served. `of` names the thing."""

    get: Role | None = Role.VIEWER
    post: Role | None = None
    of: str = ""


V, S, A = Role.VIEWER, Role.SCHEDULER, Role.ADMIN
DECISIONS = {
    "home": Decision(V, V),
    "allocations:schedule": Decision(),
    "allocations:schedule-rows": Decision(),
    "allocations:schedule-stream": Decision(),
    "allocations:schedule-print": Decision(),
    "allocations:help": Decision(),
    "allocations:search": Decision(),
    "allocations:figures": Decision(),
    "allocations:allocation-create": Decision(S, S),
    "allocations:allocation-detail": Decision(of="allocation"),
    "allocations:allocation-card": Decision(of="allocation"),
    "allocations:allocation-move": Decision(None, S, "allocation"),
    "allocations:allocation-change": Decision(None, S, "allocation"),
    "allocations:allocation-start": Decision(None, S, "allocation"),
    "allocations:allocation-complete": Decision(None, S, "allocation"),
    "allocations:allocation-extend": Decision(None, S, "allocation"),
    "allocations:allocation-cancel": Decision(S, S, "allocation"),
    "allocations:window-create": Decision(S, S),
    "allocations:window-detail": Decision(of="window"),
    "allocations:window-card": Decision(of="window"),
    "allocations:window-change": Decision(A, A, "window"),
    "allocations:window-lift": Decision(A, A, "window"),
    "allocations:import": Decision(S, S),
    "allocations:import-detail": Decision(S, of="upload"),
    "allocations:import-confirm": Decision(None, S, "upload"),
    "allocations:import-stop": Decision(None, S, "upload"),
    "allocations:export-xlsx": Decision(),
    "allocations:export-csv": Decision(),
    "allocations:late-list": Decision(),
    "allocations:request-list": Decision(),
    "allocations:request-create": Decision(S, S),
    "allocations:request-change-many": Decision(S, S),
    "allocations:request-cancel-many": Decision(S, S),
    "allocations:request-detail": Decision(of="request"),
    "allocations:request-edit": Decision(S, S, "request"),
    "allocations:request-cancel": Decision(S, S, "request"),
    "allocations:vehicle-list": Decision(),
    "allocations:vehicle-create": Decision(S, S),
    "allocations:vehicle-detail": Decision(of="vehicle"),
    "allocations:vehicle-edit": Decision(S, S, "vehicle"),
    "allocations:dyno-list": Decision(),
    "allocations:dyno-create": Decision(A, A),
    "allocations:dyno-detail": Decision(of="dyno"),
    "allocations:dyno-edit": Decision(A, A, "dyno"),
    "allocations:plan-list": Decision(),
    "allocations:plan-create": Decision(S, S),
    "allocations:plan-compare": Decision(),
    "allocations:plan-detail": Decision(of="plan"),
    "allocations:plan-stop": Decision(None, S, "plan"),
    "allocations:plan-apply": Decision(S, S, "plan"),
    "allocations:plan-describe": Decision(None, S, "plan"),
    "allocations:plan-again": Decision(None, S, "plan"),
    "allocations:plan-delete": Decision(None, S, "plan"),
    "allocations:plan-restore": Decision(None, S, "plan"),
    "allocations:notice-list": Decision(),
    "allocations:notice-seen": Decision(None, V),
    "allocations:notice-mail": Decision(None, V),
    "allocations:scenario-list": Decision(),
    "allocations:scenario-create": Decision(S, S),
    "allocations:scenario-compare": Decision(),
    "allocations:scenario-detail": Decision(of="scenario"),
    "allocations:scenario-change": Decision(S, S, "scenario"),
    "allocations:scenario-add-edit": Decision(S, S, "scenario"),
    "allocations:scenario-remove-edit": Decision(None, S, "scenario"),
    "allocations:scenario-ask": Decision(None, S, "scenario"),
    "allocations:scenario-stop": Decision(None, S, "scenario"),
    "allocations:scenario-delete": Decision(None, S, "scenario"),
    "allocations:scenario-restore": Decision(None, S, "scenario"),
    "allocations:change-list": Decision(),
    "allocations:change-undo": Decision(S, S, "change"),
}
ROLES = {"viewer": V, "scheduler": S, "admin": A}


def walk(resolver, namespace: str = "", above: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in resolver.url_patterns:
        arguments = (*above, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern, inner, arguments)
        else:
            yield f"{namespace}{pattern.name or pattern.pattern}", arguments


ADDRESSES = dict(walk(get_resolver()))


def test_every_address_has_a_decision():
    open_ = {name for name in ADDRESSES if not name.startswith(OF_OTHERS)}
    assert open_ - PUBLIC - DECISIONS.keys() == set(), "say in DECISIONS who may use these"
    assert DECISIONS.keys() - open_ == set(), "these addresses are gone"


def test_every_thing_has_the_arguments_that_its_address_takes():
    assert {name for name, rule in DECISIONS.items() if bool(rule.of) != bool(ADDRESSES[name])} == set()


def address_of(name: str, things) -> str:
    rule = DECISIONS[name]
    return reverse(name, args=[getattr(things, rule.of)] if rule.of else [])


def any_address_of(name: str) -> str:
    """An address of this name, whether or not there is such a thing."""
    names = ("app_label",) if name == "admin:app_list" else ADDRESSES[name]
    for value in ("1", str(uuid.UUID(int=1)), "allocations"):
        with suppress(NoReverseMatch):
            return reverse(name, kwargs=dict.fromkeys(names, value))
    raise AssertionError(f"say here what {name} takes: {ADDRESSES[name]}")


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def served(response) -> str:
    """What was answered, as text; an endless stream is not read."""
    if response.streaming:
        if response.is_async:
            return ""
        return b"".join(response.streaming_content).decode("latin-1")
    return response.content.decode("latin-1")


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_a_stranger_is_sent_to_sign_in(name, north_things):
    address = address_of(name, north_things)
    for response in (Client().get(address), Client().post(address)):
        assert response.status_code == 302
        assert response["Location"] == f"{reverse('accounts:sign-in')}?next={address}"


NAMED = {name for name in ADDRESSES if "<" not in name}
"""The admin has patterns without a name that lead on to others."""


@pytest.mark.parametrize("name", sorted(name for name in NAMED if name.startswith(OF_OTHERS)))
def test_a_stranger_gets_nothing_from_the_other_parts(name, north_things):
    assert Client().get(any_address_of(name)).status_code in (301, 302, 401, 403, 404, 405)


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_a_member_may_what_the_role_covers(name, north_things):
    rule, address = DECISIONS[name], address_of(name, north_things)
    for user, role in ROLES.items():
        client = client_of(north_things.world.users[user])
        for needed, ask in ((rule.get, client.get), (rule.post, client.post)):
            status = ask(address).status_code
            if needed is None:
                assert status == 405, user
            elif not role.covers(needed):
                assert status == 403, user
            else:
                assert status in (200, 302, 409, 422), user


@pytest.mark.parametrize("name", sorted(name for name, rule in DECISIONS.items() if rule.of))
def test_things_of_another_ground_do_not_exist(name, north_things, south_things):
    rule, address = DECISIONS[name], address_of(name, south_things)
    client = client_of(north_things.world.users["admin"])
    for served_at_all, ask in ((rule.get, client.get), (rule.post, client.post)):
        response = ask(address)
        assert response.status_code == (404 if served_at_all else 405)
        assert [word for word in SOUTHERN if word in served(response)] == []


LISTS = {name for name, rule in DECISIONS.items() if not rule.of and rule.get}
PACKED = {"allocations:export-xlsx"}
"""Not readable as text; the exchange's own tests read it."""


@pytest.mark.parametrize("name", sorted(LISTS - PACKED))
def test_lists_show_nothing_of_another_ground(name, north_things, south_things):
    for user, others in (("outsider", NORTHERN), ("scheduler", SOUTHERN)):
        client = client_of(north_things.world.users[user])
        for query in ({}, {"status": "all", "q": others[0]}):
            text = served(client.get(address_of(name, north_things), query))
            for echo in ('value="{}"', "q={}", 'aria-label="Stop looking for {}"', "</svg>{}<svg", "&quot;{}&quot;"):
                text = text.replace(echo.format(others[0]), "")
            assert [word for word in others if word in text] == [], user


@pytest.mark.parametrize("name", sorted(name for name, rule in DECISIONS.items() if not rule.of and name != "home"))
def test_another_ground_cannot_be_asked_for(name, north_things):
    client = client_of(north_things.world.users["scheduler"])
    if DECISIONS[name].get:
        assert client.get(address_of(name, north_things), {"ground": "SOUTH"}).status_code == 404


def test_the_data_that_could_leak_is_there(north_things, south_things):
    """The other ground's own people see every one of the words that nobody else may."""
    client = client_of(south_things.world.users["southern-admin"])
    contents = "".join(
        served(client.get(address_of(name, south_things), {"status": "all", "from": "2026-11-16"}))
        for name, rule in DECISIONS.items()
        if rule.get
    )
    assert [word for word in SOUTHERN if word not in contents] == []
