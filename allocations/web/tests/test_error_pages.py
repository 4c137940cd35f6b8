"""Every error page has the navigation for who is signed in, and a way on for everybody."""

import pytest
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.test import Client, RequestFactory
from django.urls import reverse

from allocations.tests.world import allocation_of
from dynosite.lib import errors
from dynosite.lib.pages import page_above, page_of

NAVIGATION = '<nav class="tabs" aria-label="Main">'
PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def scheduler(world) -> Client:
    client = Client()
    client.force_login(world.users["scheduler"])
    return client


@pytest.fixture
def booking(world) -> int:
    return allocation_of(world.book("412W101", "NPG 1", 0, 2)).pk


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "/nowhere/", 404),
        ("get", "/schedule/?ground=NOWHERE", 404),
        ("get", "/admin/", 403),
        ("get", "/dynos/new/", 403),
        ("delete", "/schedule/", 405),
    ],
)
def test_an_error_has_the_navigation_and_the_way_back(scheduler, method, address, status):
    if address == "/dynos/new/":
        address = reverse("allocations:dyno-create")
    before = "/vehicles/?q=412"
    answer = getattr(scheduler, method)(address, headers={"Referer": f"http://testserver{before}"})
    page = answer.content.decode()
    assert (answer.status_code, f"Error {status}" in page) == (status, True)
    assert page.count(NAVIGATION) == 1
    assert page.count(f'href="{before}"') == 1


def test_a_stranger_has_a_way_on_without_the_navigation(db):
    answer = Client().get("/nowhere/")
    page = answer.content.decode()
    assert (answer.status_code, NAVIGATION in page, '<a class="button" href="/">' in page) == (404, False, True)


def test_a_request_that_is_refused_before_anybody_is_known_has_its_page(db):
    answer = Client(raise_request_exception=False).get("/schedule/", headers={"Host": "evil.example"})
    assert (answer.status_code, '<a class="button" href="/">' in answer.content.decode()) == (400, True)


def test_what_is_too_large_is_413_and_a_fault_has_a_way_on(rf: RequestFactory):
    answer = errors.bad_request(rf.post("/requests/new/"), RequestDataTooBig("2 MB"))
    assert (answer.status_code, "That is too large" in answer.content.decode()) == (413, True)
    assert '<a class="button" href="/">' in errors.server_error(rf.get("/")).content.decode()


def test_an_address_for_forms_leads_to_its_page_when_it_is_opened(scheduler, booking):
    answer = scheduler.get(reverse("allocations:allocation-move", args=[booking]), headers=PAGE)
    assert (answer.status_code, answer["Location"]) == (302, f"/allocations/{booking}/")
    for headers in (PAGE | {"HX-Request": "true"}, {"Accept": "application/json"}):
        answer = scheduler.get(reverse("allocations:allocation-move", args=[booking]), headers=headers)
        assert (answer.status_code, answer["Allow"], "Error 405" in answer.content.decode()) == (405, "POST", True)


def test_opening_the_sign_out_says_that_nobody_was_signed_out(scheduler):
    answer = scheduler.get(reverse("accounts:sign-out"), headers=PAGE)
    assert (answer.status_code, "Nothing was changed." in answer.content.decode()) == (405, True)
    assert scheduler.get("/vehicles/").status_code == 200


def test_to_programs_a_wrong_method_stays_json(scheduler):
    answer = scheduler.delete("/api/v1/assistant/proposals")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


@pytest.fixture
def strict(world) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.users["scheduler"])
    return client


def test_a_form_that_is_out_of_date_says_so_and_leads_to_its_page(strict):
    headers = {"Referer": "http://testserver/vehicles/new/?tag=1"}
    answer = strict.post("/vehicles/new/", {"tag": "x"}, headers=headers)
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (403, "out-of-date")
    assert 'href="/vehicles/new/?tag=1"' in page
    assert page.count(NAVIGATION) == 1


def test_who_is_signed_out_and_has_no_token_signs_in_first(db):
    client = Client(enforce_csrf_checks=True)
    headers = {"Referer": "http://testserver/vehicles/new/"}
    answer = client.post("/vehicles/new/", {"tag": "x"}, headers=headers)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/sign-in/?next=/vehicles/new/")
    answer = client.post(settings.LOGIN_REDIRECT_URL, headers={"Referer": "https://evil.example/x"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/sign-in/?next=/")
    assert client.post("/accounts/sign-in/", {"username": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("http://testserver/vehicles/?q=1#row", "/vehicles/?q=1"),
        ("http://testserver", "/"),
        ("https://evil.example/vehicles/", None),
        ("http://testserver//evil.example/x", None),
        ("http://testserver/\\evil.example", None),
        ("javascript:alert(1)", None),
        ("http://[x", None),
        ("", None),
    ],
)
def test_a_page_to_go_back_to_is_of_this_site(rf: RequestFactory, referer, expected):
    assert page_of(rf.get("/x/", headers={"Referer": referer})) == expected
    assert page_of(rf.get("/x/", headers={"HX-Request": "true", "HX-Current-URL": referer})) == expected


@pytest.mark.parametrize(
    ("path", "above"),
    [("/allocations/7/move/", "/allocations/7/"), ("/schedule/x/y/", "/schedule/"), ("/x/y/", None), ("/", None)],
)
def test_the_page_above(path, above):
    assert page_above(path) == above


def test_the_icon_that_browsers_ask_for_is_there(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/img/favicon.ico")
    assert (settings.BASE_DIR / "static/img/favicon.ico").read_bytes()[:6] == b"\0\0\1\0\3\0"
