"""Lanes alike on the calendar: one row, its bars and how many are taken, and the single lanes behind it."""

import re

import pytest
from django.http import QueryDict
from django.urls import reverse

from allocations.models import Dyno, ProvingGround
from allocations.selectors.calendar import Bar, DynoRow, calendar
from allocations.selectors.proposed_bars import Ghost
from allocations.tests.boards import add_lanes, fill_board, maintain
from allocations.tests.world import MONDAY, World, day
from allocations.web.schedule.lanes import LaneRow, dynos_of, folded, stacked, taken_days, with_dynos
from allocations.web.schedule.query import read_query
from dynosite.lib.days import DayRange
from dynosite.tests.markup import markup

BOARD = "/g/NORTH/schedule/"
ROWS = "/g/NORTH/schedule/rows/"
DAYS = {"from": MONDAY.isoformat(), "to": day(48).isoformat()}


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@pytest.fixture
def track(world: World) -> World:
    add_lanes(world, 12)
    world.book("412W101", "Track 2", 0, 4)
    world.book("412W102", "Track 5", 2, 9)
    maintain(world.dynos["Track 3"], day(3), day(5), reason="Resurfacing")
    return world


@pytest.fixture
def viewer(client, track):
    client.force_login(track.users["viewer"])
    return client


def text_of(response) -> str:
    assert response.status_code == 200
    return markup(response)


def row_ids(text: str) -> list[str]:
    return re.findall(r'class="cal-row[^"]*"\s+role="row" id="([^"]+)"', text)


def pk(world: World, number: int) -> int:
    return world.dynos[f"Track {number}"].pk


def dyno_rows(world: World, *names: str) -> list[str]:
    return [f"dyno-{world.dynos[name].pk}" for name in names]


OTHERS = ("NPG 21", "NPG 1", "NPG 2", "NPG 3")


def test_lanes_alike_are_one_row_with_the_bars_of_all(viewer, track):
    text = text_of(viewer.get(BOARD, DAYS))
    assert row_ids(text) == [*dyno_rows(track, *OTHERS), f"lanes-{pk(track, 1)}"]
    assert f'data-lanes="{" ".join(str(pk(track, number)) for number in range(1, 13))}"' in text
    assert 'title="Track 1 – Track 12, at most 3 taken on a day">12 lanes<' in text
    assert "At most 3 of 12 taken on a day" in text
    bars = re.findall(r'title="([^"]+)" data-lane="(\d+)" style="--s:(\d+);--n:(\d+);--l:(\d)"', text)
    assert bars == [
        ("Track 2: 412W101, Brake. Scheduled, 16 – 20 Nov", f"{pk(track, 2)}", "0", "5", "0"),
        ("Track 5: 412W102, Brake. Scheduled, 18 – 25 Nov", f"{pk(track, 5)}", "2", "8", "1"),
        ("Track 3: Resurfacing. Maintenance, 19 – 21 Nov", f"{pk(track, 3)}", "3", "3", "2"),
    ]
    assert "<span><b>412W101</b> Brake · Track 2</span>" in text
    assert "--levels:3" in text
    assert "16 dynos · 2 bookings" in text


def test_how_many_are_taken_stands_below_them(viewer, track):
    text = text_of(viewer.get(BOARD, DAYS))
    spans = re.findall(r'<i style="--s:(\d+);--n:(\d+);--v:(\d+)"\s+title="([^"]+) lanes taken">([^<]+)</i>', text)
    assert spans == [
        ("0", "2", "8", "1 of 12", "1 of 12"),
        ("2", "1", "17", "2 of 12", "2"),
        ("3", "2", "25", "3 of 12", "3 of 12"),
        ("5", "1", "17", "2 of 12", "2"),
        ("6", "4", "8", "1 of 12", "1 of 12"),
    ]


def test_a_link_unfolds_them_and_another_folds_them_again(viewer, track):
    text = text_of(viewer.get(BOARD, DAYS))
    link = re.search(rf'id="unfold-{pk(track, 1)}" href="([^"]+)"[^>]*aria-expanded="false"', text)[1]
    assert link.endswith(f"&amp;lanes={pk(track, 1)}")
    text = text_of(viewer.get(BOARD + link.replace("&amp;", "&")))
    lanes = dyno_rows(track, *(f"Track {number}" for number in range(1, 13)))
    assert row_ids(text) == [*dyno_rows(track, *OTHERS), f"lanes-{pk(track, 1)}", *lanes]
    assert "data-lane=" not in text
    assert "3 of 12</i>" in text
    link = re.search(rf'id="unfold-{pk(track, 1)}" href="([^"]+)"[^>]*aria-expanded="true"', text)[1]
    assert "lanes" not in link
    assert len(row_ids(text_of(viewer.get(BOARD + link.replace("&amp;", "&"))))) == 5


def test_what_is_unfolded_is_come_back_to_and_kept_by_the_filters(viewer, track):
    text = text_of(viewer.get(BOARD, {"lanes": pk(track, 7), "zoom": "month"}))
    assert len(row_ids(text)) == 17
    assert f'<input type="hidden" name="lanes" value="{pk(track, 7)}">' in text
    again = viewer.get(BOARD, follow=True)
    assert again.wsgi_request.META["QUERY_STRING"] == f"lanes={pk(track, 7)}&zoom=month"
    assert len(row_ids(text_of(again))) == 17
    later = re.search(r'id="cal-later" href="([^"]+)"', text)[1]
    assert f"lanes={pk(track, 7)}" in later


@pytest.mark.parametrize("lanes", ["", "x", "-1", "0,,x", "9" * 30, ",".join("1" * 400)])
def test_what_unfolds_nothing_leaves_them_folded(viewer, lanes):
    assert len(row_ids(text_of(viewer.get(BOARD, {**DAYS, "lanes": lanes})))) == 5


def test_who_looks_for_bars_sees_the_lanes_that_have_them(viewer, track):
    assert row_ids(text_of(viewer.get(BOARD, {**DAYS, "q": "412W101"}))) == dyno_rows(track, "Track 2")
    assert row_ids(text_of(viewer.get(BOARD, {**DAYS, "q": "Track 7"}))) == dyno_rows(track, "Track 7")
    scheduled = text_of(viewer.get(BOARD, {**DAYS, "status": "scheduled"}))
    assert row_ids(scheduled) == dyno_rows(track, "Track 2", "Track 5")


def test_a_filter_of_dynos_leaves_them_one_row(viewer, track):
    awd = row_ids(text_of(viewer.get(BOARD, {**DAYS, "runs": "brake", "drive": "AWD"})))
    assert awd == [*dyno_rows(track, "NPG 1"), f"lanes-{pk(track, 1)}"]
    assert row_ids(text_of(viewer.get(BOARD, {**DAYS, "runs": "emission"}))) == dyno_rows(track, "NPG 3")


def test_a_lane_out_of_service_stands_beside_the_others(viewer, track):
    Dyno.objects.filter(pk=pk(track, 1)).update(enabled=False)
    text = text_of(viewer.get(BOARD, DAYS))
    assert row_ids(text)[4:] == [f"dyno-{pk(track, 1)}", f"lanes-{pk(track, 2)}"]
    assert ">11 lanes<" in text


def test_all_lanes_taken_are_marked(viewer, track):
    for number in range(1, 13):
        maintain(track.dynos[f"Track {number}"], day(30), day(33))
    text = text_of(viewer.get(BOARD, DAYS))
    full = '<i style="--s:30;--n:4;--v:100" class="full" title="12 of 12 lanes taken">12 of 12</i>'
    assert full in " ".join(text.split())


def parts(response) -> list[tuple[str, str]]:
    return re.findall(r'<hx-partial hx-target="#((?:dyno|lanes)-\d+)" hx-swap="(\w+)"', text_of(response))


def test_a_changed_lane_brings_the_row_that_shows_it(viewer, track):
    changed = {**DAYS, "changed": "1", "dynos": f"{pk(track, 5)},{track.dynos['NPG 1'].pk}"}
    answer = viewer.get(ROWS, changed)
    assert parts(answer) == [(f"dyno-{track.dynos['NPG 1'].pk}", "outerHTML"), (f"lanes-{pk(track, 1)}", "outerHTML")]
    assert "412W101" in text_of(answer)
    answer = viewer.get(ROWS, {**changed, "lanes": pk(track, 1)})
    assert parts(answer) == [
        (f"dyno-{track.dynos['NPG 1'].pk}", "outerHTML"),
        (f"lanes-{pk(track, 1)}", "outerHTML"),
        (f"dyno-{pk(track, 5)}", "outerHTML"),
    ]
    assert "412W102" in text_of(answer)
    assert "412W101" not in text_of(answer)


@pytest.mark.parametrize("unfolded", [False, True])
def test_lanes_of_a_large_board_come_together(client, track, unfolded):
    fill_board(track, dynos=60, per_dyno=1, days=40, first=MONDAY)
    add_lanes(track, 40, first=13)
    client.force_login(track.users["viewer"])
    more = {"lanes": pk(track, 1)} if unfolded else {}
    text = text_of(client.get(BOARD, {**DAYS, **more}))
    later = [link.replace("&amp;", "&") for link in re.findall(r'class="cal-later"[^>]*hx-get="([^"]+)"', text)]
    (block,) = [link for link in later if f"{pk(track, 30)}" in link.partition("dynos=")[2].split(",")]
    rows = row_ids(text_of(client.get(block)))
    lanes = dyno_rows(track, *(f"Track {number}" for number in range(1, 53))) if unfolded else []
    assert rows == [f"lanes-{pk(track, 1)}", *lanes]


def test_some_lanes_of_a_pool_are_rows_of_their_own(viewer, track):
    ids = f"{pk(track, 2)},{pk(track, 3)}"
    assert row_ids(text_of(viewer.get(ROWS, {**DAYS, "dynos": ids}))) == dyno_rows(track, "Track 2", "Track 3")


def test_paper_has_every_lane(viewer):
    text = text_of(viewer.get(reverse("allocations:schedule-print"), {**DAYS, "ground": "NORTH"}, follow=True))
    names = re.findall(r'<th scope="row" class="sheet-side">([^<\n]+)', text)
    assert [name.strip() for name in names if "Track" in name] == [f"Track {number}" for number in range(1, 13)]


def board(world: World):
    return calendar(world.north, DayRange(MONDAY, day(48)), user=world.users["viewer"])


def query(world: World, **params):
    return read_query(QueryDict("&".join(f"{name}={value}" for name, value in params.items())), world.north)


def test_a_proposal_is_shown_on_the_very_lane(track):
    rows = board(track).rows
    assert [len(dynos_of(row)) for row in folded(rows, query(track))] == [1, 1, 1, 1, 12]
    lane = next(row for row in rows if row.name == "Track 9")
    lane.ghosts = [Ghost("ghost-1", lane.id, 20, 3, "new", "412W103", "Brake", "Proposed")]
    assert folded(rows, query(track)) == rows


def test_use_of_the_row_is_that_of_its_lanes(track):
    pool = folded(board(track).rows, query(track))[-1]
    assert isinstance(pool, LaneRow)
    # 13 days are booked, 3 of the 12 × 49 are in maintenance.
    assert pool.use == round(100 * 13 / (12 * 49 - 3))
    assert pool.weekly == [round(100 * 10 / (12 * 7 - 3)), round(100 * 3 / (12 * 7)), 0, 0, 0, 0, 0]


def test_rows_that_show_a_dyno(track):
    rows = folded(board(track).rows, query(track, lanes=pk(track, 1)))
    assert [dynos_of(row) for row in with_dynos(rows, {pk(track, 4)})] == [rows[-1].dynos, [pk(track, 4)]]
    assert list(with_dynos(rows, set())) == []


def lane(number: int, *stays: tuple[int, int], over: int = 0) -> DynoRow:
    row = DynoRow(number, f"Track {number}", 1, "Track", True)
    for first, last in stays:
        row.bars.append(Bar(0, first, last - first + 1, day(first), day(last), "scheduled", "", "", over=over))
    return row


def test_bars_stand_at_the_first_level_that_is_free():
    levels = [
        (bar.lane.id, bar.bar.start, bar.level)
        for bar in stacked([lane(1, (0, 4), (5, 6)), lane(2, (-3, 2), (9, 9)), lane(3, (3, 8)), lane(4, (4, 4))])
    ]
    assert levels == [(2, -3, 0), (1, 0, 1), (3, 3, 0), (4, 4, 2), (1, 5, 1), (2, 9, 0)]


def test_a_test_past_its_end_holds_its_level():
    over = lane(1, (0, 1), over=3)
    assert [(bar.lane.id, bar.level) for bar in stacked([over, lane(2, (4, 5)), lane(3, (5, 6))])] == [
        (1, 0),
        (2, 1),
        (3, 0),
    ]


def test_no_lane_taken_says_nothing(world):
    add_lanes(world, 4)
    rows = [row for row in board(world).rows if row.pool]
    assert len(rows) == 4
    assert taken_days(rows, 34) == []
