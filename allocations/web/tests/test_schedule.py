"""The calendar's page, its parts and its card."""

import gzip
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from allocations.models import Allocation, ProvingGround, Shutdown
from allocations.tests.boards import fill_board, maintain
from allocations.tests.world import MONDAY, World, allocation_of, day
from dynosite.lib.ground_address import in_ground
from dynosite.tests.markup import markup

BOARD = reverse("allocations:schedule")
ROWS = reverse("allocations:schedule-rows")
FRAGMENT = {"HX-Request": "true", "HX-Target": "div#schedule", "HX-Request-Type": "partial"}
DAYS = {"from": MONDAY.isoformat(), "to": day(48).isoformat()}


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@pytest.fixture
def booked(world: World) -> World:
    world.book("412W101", "NPG 1", 0, 4)
    world.book("412W102", "NPG 2", 7, 9, test="4K Certification")
    return world


def page(client, world, user="scheduler", headers=None, **params):
    client.force_login(world.users[user])
    return client.get(BOARD, {**DAYS, **params}, headers=headers)


def html(response) -> str:
    assert response.status_code == 200
    return markup(response)


def bars(response) -> list[str]:
    """The words on each bar, in their order on the page."""
    contents = re.findall(r'<a class="bar [^>]*><span>(.*?)</span></a>', html(response))
    return [re.sub(r"<[^>]+>", "", words).strip() for words in contents]


def dyno_names(response) -> list[str]:
    names = re.findall(r'<div class="cal-name">(?:<a[^>]*>|<b>)([^<]*)<', html(response))
    return [name.replace("&gt;", ">") for name in names]


def test_board_shows_dynos_by_facility_and_bars_by_day(client, booked):
    response = page(client, booked)
    assert dyno_names(response) == ["NPG 21", "NPG 1", "NPG 2", "NPG 3"]
    assert bars(response) == ["412W101 Brake", "412W102 4K Certification"]
    allocation = Allocation.objects.get(vehicle__tag="412W102")
    assert f'id="a{allocation.pk}" href="/g/NORTH/allocations/{allocation.pk}/"' in html(response)
    assert 'style="--s:7;--n:3"' in html(response)


def test_a_bar_names_all_that_it_has_no_room_for(client, booked):
    Allocation.objects.filter(vehicle__tag="412W101").update(status="running")
    Allocation.objects.filter(vehicle__tag="412W102").update(first_day=day(-9), last_day=day(2))
    maintain(booked.dynos["NPG 3"], day(1), day(3), reason="Roller <service>")
    assert re.findall(r'class="bar [^>]* title="([^"]*)"', html(page(client, booked, zoom="quarter"))) == [
        "412W101, Brake. Running, 16 – 20 Nov",
        "412W102, 4K Certification. Scheduled, 7 – 18 Nov. It should have started on Sat 7 Nov.",
        "Roller &lt;service&gt;. Maintenance, 17 – 19 Nov",
    ]


def test_maintenance_is_a_bar_of_its_own(client, world):
    window = maintain(world.dynos["NPG 3"], day(1), day(3), reason="Roller service")
    text = html(page(client, world))
    assert f'class="bar status-maintenance" id="w{window.pk}" href="/g/NORTH/maintenance/{window.pk}/"' in text
    assert bars(page(client, world)) == ["Roller service"]


@pytest.mark.parametrize(
    ("params", "names", "words"),
    [
        ({"drive": "AWD"}, ["NPG 1", "NPG 2", "NPG 3"], ["412W101 Brake", "412W102 4K Certification"]),
        ({"weight": ">10K"}, ["NPG 1", "NPG 2"], ["412W101 Brake", "412W102 4K Certification"]),
        ({"runs": "brake"}, ["NPG 21", "NPG 1"], ["412W101 Brake"]),
        ({"runs": "brake", "drive": "AWD"}, ["NPG 1"], ["412W101 Brake"]),
        ({"test": "brake"}, ["NPG 1"], ["412W101 Brake"]),
        ({"status": "running"}, [], []),
        ({"status": "scheduled"}, ["NPG 1", "NPG 2"], ["412W101 Brake", "412W102 4K Certification"]),
        ({"q": "w102"}, ["NPG 2"], ["412W102 4K Certification"]),
        ({"mine": "1"}, ["NPG 1", "NPG 2"], ["412W101 Brake", "412W102 4K Certification"]),
        ({"from": "nonsense", "facility": "-4", "zoom": "x"}, ["NPG 21", "NPG 1", "NPG 2", "NPG 3"], None),
    ],
)
def test_filters_stand_in_the_address(client, booked, params, names, words):
    response = page(client, booked, **params)
    assert dyno_names(response) == names
    if words is not None:
        assert bars(response) == words


def test_mine_are_the_users_own(client, booked):
    response = page(client, booked, user="viewer", mine="1")
    assert dyno_names(response) == []
    assert "Nothing matches" in html(response)


def test_bars_that_do_not_match_stay_as_taken_days(client, booked):
    booked.book("412W102", "NPG 1", 12, 13)
    text = html(page(client, booked, q="412W101"))
    assert re.findall(r'class="bar ([^"]*)"', text) == ["status-scheduled", "status-scheduled d2 dim"]


def test_head_says_what_its_figures_and_marks_mean(client, booked):
    text = html(page(client, booked))
    assert re.search(r'<span class="muted" title="([^"]*)">Use</span>', text)[1].startswith(
        "Booked days, of the days"
    )
    assert re.search(r'id="cal-load"[^>]* title="([^"]*)"', text)[1].startswith("How busy the dynos shown are")


def test_filters_are_kept_by_the_links_of_the_toolbar(client, booked):
    text = html(page(client, booked, q="412", drive="AWD"))
    later = re.search(r'id="cal-later" href="([^"]+)"', text)[1].replace("&amp;", "&")
    assert later == "?q=412&drive=AWD&from=2026-12-14&to=2027-01-31"


@pytest.mark.parametrize("zoom", ["day", "week", "month", "quarter"])
def test_zoom_chooses_the_days_and_their_width(client, booked, zoom):
    client.force_login(booked.users["viewer"])
    text = html(client.get(BOARD, {"zoom": zoom}))
    days = {"day": 21, "week": 49, "month": 98, "quarter": 371}[zoom]
    assert f'data-days="{days}" data-zoom="{zoom}"' in text
    assert re.search(r'aria-current="true">(\w+)</a>', text)[1].lower() == zoom


def test_viewer_gets_no_way_to_book(client, booked):
    text = html(page(client, booked))
    assert text.count('class="cal-book" href="/g/NORTH/allocations/new/?dyno=') == 4
    assert 'data-booking="/g/NORTH/allocations/new/"' in text
    text = html(page(client, booked, user="viewer"))
    assert "/allocations/new/" not in text
    assert "data-booking" not in text
    assert "cal-book" not in text


def test_another_ground_does_not_exist(client, booked):
    assert page(client, booked, ground="SOUTH").status_code == 404
    assert page(client, booked, ground="NOWHERE").status_code == 404
    text = html(page(client, booked))
    assert "365W201" not in text
    assert "STC #1" not in text


def test_rows_of_another_ground_are_never_sent(client, booked):
    client.force_login(booked.users["scheduler"])
    ids = f"{booked.dynos['STC #1'].pk},{booked.dynos['NPG 2'].pk}"
    response = client.get(ROWS, {**DAYS, "ground": "NORTH", "dynos": ids})
    assert dyno_names(response) == ["NPG 2"]
    assert "365W201" not in html(response)
    assert client.get(ROWS, {"ground": "SOUTH", "dynos": ids}).status_code == 404


def test_outsider_sees_only_the_own_ground(client, booked):
    response = page(client, booked, user="outsider")
    assert dyno_names(response) == ["STC #1"]
    assert bars(response) == ["365W201 South brake"]


def test_ground_that_was_chosen_is_remembered(client, booked):
    booked.users["outsider"].memberships.create(ground=booked.north, role="viewer")
    assert dyno_names(page(client, booked, user="outsider", ground="SOUTH")) == ["STC #1"]
    assert dyno_names(client.get(BOARD)) == ["STC #1"]
    assert len(dyno_names(client.get(BOARD, {"ground": "NORTH"}))) == 4


def test_user_without_a_ground_is_told_so(client, world):
    world.user("nobody")
    client.force_login(world.users["nobody"])
    assert "You belong to no proving ground yet" in html(client.get(BOARD))


def test_anonymous_goes_to_sign_in_and_a_fragment_moves_the_page(client, db):
    assert client.get(BOARD)["Location"] == f"{reverse('accounts:sign-in')}?next=/schedule/"
    moved = client.get(BOARD, headers=FRAGMENT | {"HX-Current-URL": "http://testserver/schedule/?q=1"})
    assert (moved.status_code, moved["HX-Redirect"]) == (
        204,
        f"{reverse('accounts:sign-in')}?next=%2Fschedule%2F%3Fq%3D1",
    )


def test_fragment_holds_the_schedule_and_nothing_round_it(client, booked):
    text = html(page(client, booked, headers=FRAGMENT))
    assert text.lstrip().startswith('<div class="schedule" id="schedule"')
    assert "<html" not in text
    assert "site-header" not in text


def test_going_back_gets_the_whole_page(client, booked):
    text = html(page(client, booked, headers=FRAGMENT | {"HX-Request-Type": "full"}))
    assert "<html" in text


def test_changed_rows_come_as_parts_with_the_pages_filters(client, booked):
    client.force_login(booked.users["viewer"])
    ids = {name: dyno.pk for name, dyno in booked.dynos.items()}
    dyno_ids = f"{ids['NPG 1']},{ids['NPG 2']}"
    response = client.get(ROWS, {**DAYS, "q": "412W101", "changed": "1", "dynos": dyno_ids})
    parts = re.findall(r'<hx-partial hx-target="([^"]+)" hx-swap="(\w+)"', html(response))
    assert parts == [
        (f"#dyno-{ids['NPG 1']}", "outerHTML"),
        (f"#dyno-{ids['NPG 2']}", "delete"),
        ("#cal-load", "outerHTML"),
        ("#cal-counts", "outerHTML"),
    ]
    assert bars(response) == ["412W101 Brake"]


def test_rows_that_make_no_sense_are_none(client, booked):
    client.force_login(booked.users["viewer"])
    assert html(client.get(ROWS, {"dynos": "a,-1,99999999999999999999,,"})).strip() == ""


def test_board_takes_the_same_few_queries_however_large(client, booked):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            html(client.get(in_ground(BOARD, "NORTH"), DAYS))
        return len(captured)

    client.force_login(booked.users["scheduler"])
    client.get(BOARD, DAYS)  # the session remembers the ground and the view from here on
    few = queries()
    fill_board(booked, dynos=30, per_dyno=6, days=48, first=MONDAY)
    assert (queries(), few) == (few, few)
    assert few <= 9  # one of them for the proposals that wait


def test_days_off_are_shaded_and_holidays_told_to_everyone(client, booked):
    client.force_login(booked.users["viewer"])
    plain = html(client.get(BOARD, DAYS))
    assert "cal-off" not in plain
    assert "data-off " not in plain
    ProvingGround.objects.filter(pk=booked.north.pk).update(days_off=[5, 6], holidays_country="US")
    Shutdown.objects.create(ground=booked.north, name="Inventory <1>", first_day=day(15), last_day=day(16))
    Shutdown.objects.create(ground=booked.south, name="Elsewhere", first_day=day(1), last_day=day(2))
    page = html(client.get(BOARD, DAYS))
    assert '<i style="--s:5;--n:2"></i>' in page
    assert 'title="Day off: Saturday"' in page
    assert "Thanksgiving Day, 26 Nov 2026" in " ".join(page.split())
    assert "Inventory &lt;1&gt;, 1 – 2 Dec 2026" in page
    assert "Elsewhere" not in page


def test_first_answer_of_a_large_board_is_small_and_the_rest_comes_in_blocks(client, world):
    fill_board(world, dynos=200, per_dyno=15, days=120, first=MONDAY)
    client.force_login(world.users["scheduler"])
    address = {"from": MONDAY.isoformat(), "to": day(119).isoformat()}
    client.get(BOARD, address)  # the session remembers the ground from here on
    with CaptureQueriesContext(connection) as captured:
        response = client.get(in_ground(BOARD, "NORTH"), address)
    text = html(response)
    assert len(captured) <= 9
    assert len(gzip.compress(response.content)) <= 30_000
    later = [url.replace("&amp;", "&") for url in re.findall(r'class="cal-later"[^>]*hx-get="([^"]+)"', text)]
    sent = len(dyno_names(response))
    assert 1 <= sent <= 50
    for block in later:
        sent += len(dyno_names(client.get(block)))
    assert sent == 204
    assert text.count('class="cal-later"') == len(later) >= 6
    whole = client.get(BOARD, {**address, "whole": "1"})
    assert (len(dyno_names(whole)), len(bars(whole))) == (204, 3000)


def test_small_board_is_sent_at_once(client, world):
    fill_board(world, dynos=20, per_dyno=10, days=60, first=MONDAY)
    client.force_login(world.users["scheduler"])
    response = client.get(BOARD, {"from": MONDAY.isoformat(), "to": day(59).isoformat()})
    assert 'class="cal-later"' not in html(response)
    assert len(bars(response)) == 200


def test_counts_are_of_what_matches(client, booked):
    assert "4 dynos · 2 bookings · 14 % booked in the next 14 days" in html(page(client, booked))
    assert "1 dyno · 1 booking ·" in html(page(client, booked, q="412W101"))
    assert "0 dynos · 0 bookings" in html(page(client, booked, q="nothing"))


def test_text_of_others_is_escaped(client, world):
    world.vehicle('<b onclick="x">W&1')
    world.book('<b onclick="x">W&1', "NPG 1", 0, 4)
    text = html(page(client, world))
    assert "<b onclick" not in text
    assert "&lt;b onclick=&quot;x&quot;&gt;W&amp;1" in text


def test_card_tells_what_the_bar_stands_for(client, booked):
    allocation = allocation_of(booked.book("412W101", "NPG 21", 20, 22, note="Cold soak first"))
    client.force_login(booked.users["scheduler"])
    text = html(client.get(reverse("allocations:allocation-card", args=[allocation.pk])))
    for words in ("412W101", "Brake", "Sun 6 Dec – Tue 8 Dec 2026", "3 days", "NPG 21", "Annex", "Cold soak first"):
        assert words in re.sub(r"<[^>]+>", "", text)
    assert ("Edit</a>" in text, "Open</a>" in text) == (True, False)
    client.force_login(booked.users["viewer"])
    assert "Edit</a>" not in html(client.get(reverse("allocations:allocation-card", args=[allocation.pk])))


def test_cards_of_another_ground_do_not_exist(client, booked):
    theirs = Allocation.objects.get(vehicle__tag="365W201")
    window = maintain(booked.dynos["STC #1"], day(10), day(11))
    client.force_login(booked.users["scheduler"])
    for name, pk in (("allocation-card", theirs.pk), ("window-card", window.pk), ("window-detail", window.pk)):
        assert client.get(reverse(f"allocations:{name}", args=[pk])).status_code == 404


@pytest.mark.parametrize("name", ["window-card", "window-detail"])
def test_admin_may_change_a_window_from_its_card(client, world, name):
    window = maintain(world.dynos["NPG 3"], day(1), day(3))
    client.force_login(world.users["admin"])
    text = html(client.get(reverse(f"allocations:{name}", args=[window.pk])))
    assert f'href="/g/NORTH/maintenance/{window.pk}/change/"' in text
    assert f'href="/g/NORTH/maintenance/{window.pk}/lift/"' in text


def test_window_has_a_card_and_a_page(client, world):
    window = maintain(world.dynos["NPG 3"], day(1), day(3), reason="Roller service", reference="WO-7")
    client.force_login(world.users["viewer"])
    for name in ("window-card", "window-detail"):
        text = html(client.get(reverse(f"allocations:{name}", args=[window.pk])))
        assert "Roller service" in text
        assert "WO-7" in text
        assert f"/maintenance/{window.pk}/change/" not in text
        client.force_login(world.users["admin"])
        assert f"/maintenance/{window.pk}/change/" in html(
            client.get(reverse(f"allocations:{name}", args=[window.pk]))
        )
        client.force_login(world.users["viewer"])


def test_search_for_what_stands_on_other_days_says_on_which(client, world):
    client.force_login(world.users["viewer"])
    booked = allocation_of(world.book("412W101", "NPG 1", 200, 202))
    world.book("412W102", "NPG 1", 210, 212)
    board = html(client.get(BOARD, {"ground": "NORTH", "q": "w101"}))
    assert "Not on these days" in board
    assert re.findall(r"<b>(412W\d+)</b> · Brake on NPG 1", board) == ["412W101"]
    address = re.search(r'href="(\?[^"]*from=[^"]*)" hx-get', board[board.index("Not on these days") :])[1]
    other_days = client.get(BOARD + address.replace("&amp;", "&"))
    assert f'id="a{booked.pk}"' in html(other_days)


@pytest.mark.parametrize(
    ("query", "remark"),
    [
        (
            {"from": "2026-11-20", "to": "2026-11-10"},
            "The last day, 10 Nov 2026, is before the first, 20 Nov 2026. Shown: 20 Nov 2026 – 7 Jan 2027.",
        ),
        (
            {"from": "2026-11-20", "to": "2028-01-01"},
            "The schedule shows 400 days at once; the days up to 1 Jan 2028 follow with Later."
            " Shown: 20 Nov 2026 – 24 Dec 2027.",
        ),
        ({"from": "soon"}, "“soon” is not a day that the schedule can show. Shown: 9 Nov 2026 – 3 Jan 2027."),
        ({"from": "2026-11-20", "to": "2026-12-24"}, ""),
    ],
)
def test_days_that_cannot_be_shown_are_said(client, world, monday, query, remark):
    response = page(client, world, **query)
    assert response.context["query"].remark == remark
    assert (remark in html(response), "cal-remark" in html(response)) == (True, bool(remark))
