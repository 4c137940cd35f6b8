"""The client's address: from the connection, or from a proxy that is named, and from nobody else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.test import RequestFactory

from dynosite.lib.addresses import UNKNOWN, client_address, network
from dynosite.ops.proxy import NamedProxies
from dynosite.web_server import OPTIONS

CLIENT = "203.0.113.9"


def address_and_scheme(peer: str, *forwarded: str, proxies: list[str]) -> tuple[str, str]:
    """The address and the scheme that the site sees of a connection from `peer`."""
    scopes = []

    async def site(scope, receive, send) -> None:
        scopes.append(scope)

    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded] + [(b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": (peer, 4711), "scheme": "http", "headers": headers}
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, NamedProxies(site, proxies=proxies)(scope, None, None)).result()
    request = RequestFactory().get("/", REMOTE_ADDR=scopes[0]["client"][0])
    return client_address(request), scopes[0]["scheme"]


def test_named_proxy_is_believed():
    assert address_and_scheme("10.0.0.5", CLIENT, proxies=["10.0.0.5"]) == (CLIENT, "https")
    assert address_and_scheme("10.0.0.77", CLIENT, proxies=["10.0.0.0/24"]) == (CLIENT, "https")


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.0.0.6", "198.51.100.1"])
def test_nobody_else_is_believed(peer):
    assert address_and_scheme(peer, CLIENT, proxies=["10.0.0.5"]) == (peer, "http")
    assert address_and_scheme(peer, CLIENT, proxies=[]) == (peer, "http")


def test_client_cannot_choose_its_address_through_a_proxy_that_adds_to_the_header():
    assert address_and_scheme("10.0.0.5", f"192.0.2.1, {CLIENT}", proxies=["10.0.0.5"])[0] == CLIENT
    assert address_and_scheme("10.0.0.5", "192.0.2.1", CLIENT, proxies=["10.0.0.5"])[0] == CLIENT
    assert address_and_scheme("10.0.0.5", f"192.0.2.1, {CLIENT}, 10.0.0.7", proxies=["10.0.0.0/24"])[0] == CLIENT


def test_proxy_is_recognised_on_a_socket_of_both_kinds():
    assert address_and_scheme("::ffff:10.0.0.5", CLIENT, proxies=["10.0.0.5"]) == (CLIENT, "https")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", UNKNOWN),
        ("no address'; --", UNKNOWN),
        ("::ffff:203.0.113.9", CLIENT),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_address_is_always_a_valid_one_in_its_usual_form(address, expected):
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=address)) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [(CLIENT, CLIENT), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64")],
)
def test_limits_count_the_network_of_one_subscriber(address, expected):
    assert network(address) == expected


@pytest.mark.django_db
def test_attempts_from_this_machine_are_counted_whatever_header_they_carry(asgi_server, settings):
    """On loopback a header that changes with each attempt opened as many attempts as anybody liked."""
    page = f"{asgi_server.url}/accounts/sign-in/"
    statuses = []
    for number in range(settings.SIGN_IN_ATTEMPTS + 1):
        with httpx.Client() as client:
            client.get(page)
            statuses.append(
                client.post(
                    page,
                    data={
                        "username": "nobody",
                        "password": "wrong",
                        "csrfmiddlewaretoken": client.cookies[settings.CSRF_COOKIE_NAME],
                    },
                    headers={"X-Forwarded-For": f"203.0.113.{number}"},
                ).status_code
            )
    assert statuses == [200] * settings.SIGN_IN_ATTEMPTS + [429]


@pytest.mark.parametrize("name", ["deploy/web.sh", "dynosite/management/commands/up.py", "benchmarks/web_process.py"])
def test_every_way_of_starting_has_the_options_of_one_place(name):
    text = Path(settings.BASE_DIR, name).read_text()
    assert "dynosite.web_server" in text
    assert '"uvicorn"' not in text
    assert OPTIONS["proxy_headers"] is False


def test_compose_names_the_gateway_of_its_own_network():
    text = Path(settings.BASE_DIR, "docker-compose.yml").read_text()
    assert "FORWARDED_ALLOW_IPS: ${FORWARDED_ALLOW_IPS:-172.29.213.1}" in text
    assert "config: [{ subnet: 172.29.213.0/24, gateway: 172.29.213.1 }]" in text
