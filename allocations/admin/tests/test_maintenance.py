from urllib.parse import parse_qsl, urlsplit

import pytest

from allocations.admin.tests.conftest import admin_url, errors_in, fields_of, messages_of
from allocations.enums import DisplacedTo
from allocations.models import Allocation, Change, MaintenanceWindow
from allocations.selectors.maintenance import Answer
from allocations.services import booking
from allocations.services.maintenance import set_maintenance
from allocations.tests.world import allocation_of, day, window_of

pytestmark = pytest.mark.usefixtures("_today")

ADD = "/admin/allocations/maintenancewindow/add/"


def typed(world, first, last, dyno="NPG 1", **more):
    days = {
        name: value if isinstance(value, str) else f"{day(value)}"
        for name, value in (("first_day", first), ("last_day", last))
    }
    return {"dyno": world.dynos[dyno].pk, "kind": "outage", "reason": "Bearing", "reference": "WO-7"} | days | more


def place_of(allocation):
    allocation.refresh_from_db()
    return allocation.dyno.name, allocation.first_day, allocation.last_day, allocation.status


def set_window(world, first, last, dyno="NPG 1", **more) -> MaintenanceWindow:
    return window_of(
        set_maintenance(
            world.dynos[dyno].pk,
            first_day=day(first),
            last_day=day(last),
            kind="outage",
            actor=world.actor("keeper"),
            **more,
        )
    )


def change_url(window):
    return admin_url("maintenancewindow", "change", window.pk)


def lift_url(window):
    return admin_url("maintenancewindow", "lift", window.pk)


def test_window_without_hits_is_set_at_once(cast, keeper):
    answer = keeper.post(ADD, typed(cast.world, 3, 6), follow=True)
    assert answer.redirect_chain == [(admin_url("maintenancewindow"), 302)]
    window = MaintenanceWindow.objects.get()
    assert (window.dyno.name, window.first_day, window.last_day, window.kind, window.reason, window.reference) == (
        "NPG 1",
        day(3),
        day(6),
        "outage",
        "Bearing",
        "WO-7",
    )
    assert window.created_by == cast.world.users["keeper"]
    change = Change.objects.get(action="set-maintenance")
    assert (change.door, change.user.username, change.ground) == ("admin", "keeper", cast.world.north)


@pytest.mark.parametrize(
    ("days", "more", "field", "sentence"),
    [
        ((6, 3), {}, "last_day", "The last day (19 Nov 2026) is before the first (22 Nov 2026)."),
        ((3, 369), {}, "last_day", "367 days are too many; 366 days is the limit."),
        ((-9, 1), {}, "last_day", "17 Nov 2026 is past; today is 18 Nov 2026."),
        ((1, 4), {"kind": "planned"}, "first_day", "17 Nov 2026 is past; only an outage may have begun already."),
        (("2026-02-30", 4), {}, "first_day", "This is not a date; write it like 2026-11-16."),
        (("next week", 4), {}, "first_day", "This is not a date; write it like 2026-11-16."),
        (("2198-01-01", "2198-01-02"), {}, "last_day", "2 Jan 2198 is more than ten years ahead."),
        ((1, "9998-01-02"), {}, "last_day", "The last day that can be meant is 2200-12-31."),
        (("", 4), {}, "first_day", "This field is required."),
    ],
)
def test_wrong_days_are_said_beside_the_field_and_what_was_typed_stays(cast, keeper, days, more, field, sentence):
    posted = typed(cast.world, *days, **more)
    answer = keeper.post(ADD, posted)
    assert errors_in(answer) == {field: [sentence]}
    again = fields_of(answer)
    assert {name: again[name] for name in posted} == {name: str(value) for name, value in posted.items()}
    assert MaintenanceWindow.objects.count() == 0


def test_an_outage_may_have_begun(cast, keeper):
    keeper.post(ADD, typed(cast.world, 1, 4))
    assert MaintenanceWindow.objects.get().first_day == day(1)


def test_another_window_in_the_way_is_named(cast, keeper):
    set_window(cast.world, 3, 6)
    answer = keeper.post(ADD, typed(cast.world, 6, 9))
    assert errors_in(answer) == {"dyno": ["NPG 1 is in maintenance (outage): 19 – 22 Nov 2026."]}
    assert MaintenanceWindow.objects.count() == 1


def led_to(answer) -> tuple[str, dict]:
    """Where a form leads that is to be decided on: the path, and what was typed."""
    parts = urlsplit(answer["Location"])
    return parts.path, dict(parse_qsl(parts.query))


def test_tests_in_the_way_lead_to_the_page_with_the_repairs(cast, keeper):
    world = cast.world
    first = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    second = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    world.book("412W102", "NPG 1", 20, 22)
    answer = keeper.post(ADD, typed(world, 4, 10))
    path, query = led_to(answer)
    assert path == "/g/NORTH/maintenance/new/"
    assert query == {name: str(value) for name, value in typed(world, 4, 10, preview="1").items()}
    assert MaintenanceWindow.objects.count() == 0
    page = keeper.get(answer["Location"])
    assert messages_of(page) == [
        "Nothing is saved yet. Look at what the window does to the schedule, and set it here."
    ]
    assert [hit.allocation for hit, _ in page.context["hits"]] == [first, second]
    (option,) = page.context["choice"].rows
    assert option.option.tally == "2 move"
    assert "On the calendar" in page.content.decode()
    keeper.post(path, query | {"repair": "0", "option-0": option.answers})
    window = MaintenanceWindow.objects.get()
    assert (window.first_day, window.last_day, window.reason) == (day(4), day(10), "Bearing")
    assert place_of(first) == ("NPG 21", day(3), day(5), "scheduled")
    assert place_of(second)[3] == "scheduled"
    assert Change.objects.get(action="set-maintenance").summary == f"{window}, 2 displaced (2 move)"


@pytest.mark.parametrize(("last", "leads"), [(62, False), (63, True)])
def test_a_window_of_more_than_sixty_days_is_looked_at_again(cast, keeper, last, leads):
    answer = keeper.post(ADD, typed(cast.world, 3, last))
    assert answer["Location"].startswith("/g/NORTH/maintenance/new/") is leads
    assert MaintenanceWindow.objects.exists() is not leads
    if leads:
        assert "This window is 61 days long" in keeper.get(answer["Location"]).content.decode()
        return
    change = change_url(MaintenanceWindow.objects.get())
    keeper.post(change, fields_of(keeper.get(change)) | {"reason": "Roller"})
    assert MaintenanceWindow.objects.get().reason == "Roller"


def test_what_became_of_the_tests_is_said(cast, keeper):
    answer = keeper.post(ADD, typed(cast.world, 3, 6), follow=True)
    assert messages_of(answer) == ["NPG 1: Outage 19 – 22 Nov 2026, 4 days: no test was in the way."]


def test_each_row_says_its_length_and_leads_to_its_place(cast, keeper):
    set_window(cast.world, 3, 6)
    page = keeper.get(admin_url("maintenancewindow")).content.decode()
    assert "19 – 22 Nov 2026 · 4 days" in page
    assert f'<a href="/g/NORTH/schedule/?from={day(0)}">On the schedule</a>' in page


def test_a_completed_test_stands_in_the_way(cast, keeper):
    world = cast.world
    done = allocation_of(world.book("412W101", "NPG 1", 1, 2))
    booking.complete(done.pk, actor=world.actor())
    page = keeper.get(keeper.post(ADD, typed(world, 2, 6))["Location"]).content.decode()
    assert "A completed test lies within these days" in page
    assert "Set the window" not in page
    assert MaintenanceWindow.objects.count() == 0


def test_changing_a_window(cast, keeper):
    window = set_window(cast.world, 3, 6)
    posted = fields_of(keeper.get(change_url(window)))
    keeper.post(change_url(window), posted | {"reason": "Roller", "last_day": f"{day(8)}"})
    window.refresh_from_db()
    assert (window.reason, window.first_day, window.last_day, window.version) == ("Roller", day(3), day(8), 2)


def test_a_window_that_somebody_else_changed_is_stale(cast, keeper):
    window = set_window(cast.world, 3, 6)
    posted = fields_of(keeper.get(change_url(window)))
    set_window(cast.world, 3, 7, window_id=window.pk)
    answer = keeper.post(change_url(window), posted | {"reason": "Roller"})
    assert errors_in(answer) == {
        "__all__": ["Somebody else has changed this in the meantime; look at it as it is now and try again."]
    }
    answer = keeper.post(change_url(window), posted | {"reason": "Roller", "seen": ""})
    assert list(errors_in(answer)) == ["__all__"]
    window.refresh_from_db()
    assert (window.reason, window.last_day) == ("", day(7))


def test_shortening_offers_to_bring_back(cast, keeper):
    world = cast.world
    back = allocation_of(world.book("412W101", "NPG 1", 8, 9))
    stays = allocation_of(world.book("412W102", "NPG 1", 3, 4))
    answers = {row.pk: Answer(DisplacedTo.WAIT) for row in (back, stays)}
    window = set_window(world, 3, 12, answers=answers)
    posted = fields_of(keeper.get(change_url(window))) | {"last_day": f"{day(6)}"}
    path, query = led_to(keeper.post(change_url(window), posted))
    assert (path, query["last_day"]) == (f"/g/NORTH/maintenance/{window.pk}/change/", f"{day(6)}")
    assert MaintenanceWindow.objects.get().last_day == day(12)
    page = keeper.get(path, query)
    offered = [candidate.displacement for candidate in page.context["returns"] if not candidate.refusals]
    assert [displacement.allocation for displacement in offered] == [back]
    keeper.post(path, query | {"version": window.version, "back": offered[0].pk})
    window.refresh_from_db()
    assert window.last_day == day(6)
    assert place_of(back) == ("NPG 1", day(8), day(9), "scheduled")
    assert place_of(stays)[3] == "cancelled"


def test_a_window_that_somebody_else_changed_leads_nowhere(cast, keeper):
    world = cast.world
    window = set_window(world, 3, 6)
    posted = fields_of(keeper.get(change_url(window)))
    set_window(world, 3, 5, window_id=window.pk)
    world.book("412W101", "NPG 1", 6, 7)
    answer = keeper.post(change_url(window), posted | {"last_day": f"{day(8)}"})
    assert errors_in(answer) == {
        "__all__": ["Somebody else has changed this in the meantime; look at it as it is now and try again."]
    }


def test_lifting_brings_back_what_is_ticked(cast, keeper):
    world = cast.world
    back = allocation_of(world.book("412W101", "NPG 1", 3, 5))
    rebooked = allocation_of(world.book("412W103", "NPG 1", 6, 7))
    window = set_window(world, 3, 10, answers={row.pk: Answer(DisplacedTo.WAIT) for row in (back, rebooked)})
    world.book("412W103", "NPG 2", 6, 6, test="4K Certification")
    page = keeper.get(lift_url(window))
    ((_, rows),) = page.context["windows"]
    assert [(row["label"], [refusal.sentence for refusal in row["refusals"]]) for row in rows] == [
        ("412W101 (Brake) back to NPG 1, 19 – 21 Nov 2026", []),
        (
            "412W103 (Brake) back to NPG 1, 22 – 23 Nov 2026",
            ["412W103 is on NPG 2 already (4K Certification): 22 Nov 2026. Booked by scheduler."],
        ),
    ]
    answer = keeper.post(lift_url(window), fields_of(page) | {"_confirmed": "1"}, follow=True)
    assert messages_of(answer) == ["NPG 1: Outage 19 – 26 Nov 2026 lifted, 1 brought back."]
    window.refresh_from_db()
    assert window.lifted_at is not None
    assert place_of(back) == ("NPG 1", day(3), day(5), "scheduled")
    assert place_of(rebooked)[3] == "cancelled"


def test_delete_is_lifting(cast, keeper):
    window = set_window(cast.world, 3, 10)
    url = admin_url("maintenancewindow", "delete", window.pk)
    page = keeper.post(url, {"post": "yes"})
    window.refresh_from_db()
    assert window.lifted_at is None
    keeper.post(url, fields_of(page) | {"_confirmed": "1"})
    window.refresh_from_db()
    assert window.lifted_at is not None


def test_lifting_what_somebody_else_changed_is_stale(cast, keeper):
    window = set_window(cast.world, 3, 10)
    posted = fields_of(keeper.get(lift_url(window))) | {"_confirmed": "1"}
    set_window(cast.world, 3, 7, window_id=window.pk)
    assert keeper.post(lift_url(window), posted).context["error"].code == "stale"
    window.refresh_from_db()
    assert window.lifted_at is None


def test_several_are_lifted_together_or_not_at_all(cast, keeper):
    windows = [set_window(cast.world, 3, 6), set_window(cast.world, 3, 6, dyno="NPG 2")]
    action = {"action": "lift", "_selected_action": [window.pk for window in windows]}
    page = keeper.post(admin_url("maintenancewindow"), action)
    posted = fields_of(page) | {"_confirmed": "1"}
    wrong = posted | {f"lift-version-{windows[1].pk}": "9"}
    assert keeper.post(admin_url("maintenancewindow"), wrong).context["error"].code == "stale"
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 2
    keeper.post(admin_url("maintenancewindow"), posted)
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 0


def test_a_lifted_window_is_only_read(cast, keeper):
    window = set_window(cast.world, 3, 6)
    keeper.post(lift_url(window), {"_confirmed": "1", f"lift-version-{window.pk}": "1"})
    assert "Lifted" in keeper.get(admin_url("maintenancewindow")).content.decode()
    assert not keeper.get(change_url(window)).context["has_change_permission"]
    assert keeper.post(change_url(window), typed(cast.world, 3, 9)).status_code == 403
    answer = keeper.post(lift_url(window), {"_confirmed": "1"}, follow=True)
    assert messages_of(answer) == ["This window is lifted already."]


def test_history_says_who_by_which_door_and_what(cast, keeper):
    keeper.post(ADD, typed(cast.world, 3, 6))
    window = MaintenanceWindow.objects.get()
    posted = fields_of(keeper.get(change_url(window)))
    keeper.post(change_url(window), posted | {"last_day": f"{day(8)}"})
    page = keeper.get(admin_url("maintenancewindow", "history", window.pk)).context["page"]
    assert [(event.kind, event.who, event.door) for event in page] == [
        ("Changed", "keeper", "Admin"),
        ("Added", "keeper", "Admin"),
    ]
    assert page[0].differences == [("Last day", "2026-11-22", "2026-11-24")]
    assert ("Dyno", "", "NPG 1") in page[1].differences
    assert page[0].change == Change.objects.first()


def test_list_is_filtered_and_searched(cast, keeper):
    set_window(cast.world, 3, 6)
    window = set_window(cast.world, 3, 6, dyno="NPG 21", reason="Calibrate rollers")

    def names(**query):
        return [row.dyno.name for row in keeper.get(admin_url("maintenancewindow"), query).context["cl"].result_list]

    assert names() == ["NPG 1", "NPG 21"]
    assert names(q="roller") == ["NPG 21"]
    assert names(dyno__facility__id__exact=window.dyno.facility_id) == ["NPG 21"]
    assert names(state="lifted") == []
    assert Allocation.objects.filter(ground=cast.world.north).count() == 0
