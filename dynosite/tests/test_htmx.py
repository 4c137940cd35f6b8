"""Fragments never hold a sign-in page, and the theme is remembered."""

import pytest
from django.http import HttpResponseRedirect
from django.test import RequestFactory
from django.urls import reverse

from dynosite.lib.htmx import HtmxRedirectMiddleware, wants_fragment
from dynosite.tests.markup import markup

FROM_HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/schedule/?zoom=week"}


def answer(address, headers):
    request = RequestFactory().get("/schedule/", headers=headers)
    return HtmxRedirectMiddleware(lambda _request: HttpResponseRedirect(address))(request)


def test_redirect_to_sign_in_moves_the_whole_page_and_comes_back_to_it():
    response = answer(reverse("accounts:sign-in") + "?next=/schedule/rows/", FROM_HTMX)
    assert response.status_code == 204
    assert response["HX-Redirect"] == reverse("accounts:sign-in") + "?next=%2Fschedule%2F%3Fzoom%3Dweek"


def test_any_other_redirect_moves_the_whole_page():
    assert answer("/allocations/7/", FROM_HTMX)["HX-Redirect"] == "/allocations/7/"


def test_redirect_without_htmx_stays_a_redirect():
    response = answer("/allocations/7/", {})
    assert (response.status_code, response["Location"]) == (302, "/allocations/7/")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"HX-Request": "true", "HX-Target": "div#board"}, True),
        ({"HX-Request": "true", "HX-Target": "div#other"}, False),
        ({"HX-Request": "true", "HX-Request-Type": "full", "HX-Target": "div#board"}, False),
    ],
)
def test_fragment_is_wanted_only_for_its_own_target(headers, expected):
    assert wants_fragment(RequestFactory().get("/", headers=headers), "board") is expected


def test_theme_is_kept_in_a_cookie_and_rendered_by_the_server(client):
    response = client.post(reverse("theme"), {"theme": "dark", "next": "/accounts/sign-in/"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/sign-in/")
    assert '<html lang="en" data-theme="dark">' in markup(client.get("/accounts/sign-in/"))


def test_theme_goes_back_to_this_site_only(client):
    assert client.post(reverse("theme"), {"theme": "dark", "next": "https://example.org/"})["Location"] == "/"


def test_unknown_theme_is_refused(client):
    assert client.post(reverse("theme"), {"theme": "mauve"}).status_code == 400
