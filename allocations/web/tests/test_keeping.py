"""Requests, vehicles, dynos and maintenance through their forms."""

import re

import pytest
from django.urls import reverse

from allocations.admin.tests.conftest import fields_of
from allocations.models import Change, Displacement, Dyno, MaintenanceWindow, TestRequest, Vehicle
from allocations.services.maintenance import set_maintenance
from allocations.services.requests import cancel_request, create_request
from allocations.tests.world import allocation_of, day, window_of
from allocations.web.tests.conftest import waiting
from dynosite.tests.markup import markup


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


@pytest.fixture
def admin(client, world):
    client.force_login(world.users["admin"])
    return client


def url(name: str, *args) -> str:
    return reverse(f"allocations:{name}", args=args)


def text(response) -> str:
    return markup(response)


def test_request_is_added_and_leads_to_its_place(scheduler, world):
    data = {"vehicle": "412w103", "test_type": world.tests["Brake"].pk, "days": 5, "priority": "high", "key": "k"}
    answer = scheduler.post(url("request-create"), data | {"due_date": day(20), "place": "1"})
    wish = TestRequest.objects.get()
    assert answer["Location"] == f"{url('allocation-create')}?request={wish.pk}"
    assert (wish.vehicle, wish.days, wish.priority, wish.due_date) == (
        world.vehicles["412W103"],
        5,
        "high",
        day(20),
    )
    scheduler.post(url("request-create"), data | {"due_date": day(20), "place": "1"})
    assert TestRequest.objects.count() == 1


def test_days_of_a_request_come_from_its_miles(scheduler, world):
    data = {"vehicle": "412W103", "test_type": world.tests["Brake"].pk, "priority": "normal"}
    scheduler.post(url("request-create"), data | {"miles": 1001, "miles_per_day": 500, "extra_days": 2})
    scheduler.post(url("request-create"), data)
    assert list(TestRequest.objects.order_by("pk").values_list("days", flat=True)) == [5, 7]


def test_wrong_request_stays_typed(scheduler, world):
    data = {
        "vehicle": "nobody",
        "test_type": world.tests["Brake"].pk,
        "days": 5,
        "priority": "high",
        "note": "Keep me",
    }
    response = scheduler.post(url("request-create"), data)
    assert response.status_code == 422
    assert "No vehicle here has the tag or VIN nobody." in text(response)
    assert "Keep me</textarea>" in text(response)
    late = scheduler.post(
        url("request-create"), data | {"vehicle": "412W103", "earliest_start": day(5), "due_date": day(2)}
    )
    assert "The due date is before the earliest start." in text(late)
    assert TestRequest.objects.count() == 0


def test_request_is_changed_only_as_it_was_read(scheduler, world):
    wish = waiting(world, 1)[0]
    page = text(scheduler.get(url("request-edit", wish.pk)))
    assert 'name="version" value="1"' in page
    data = {"vehicle": "500W000", "test_type": wish.test_type_id, "days": 9, "priority": "low", "version": 1}
    assert scheduler.post(url("request-edit", wish.pk), data).status_code == 302
    assert scheduler.post(url("request-edit", wish.pk), data | {"days": 12}).status_code == 409
    wish.refresh_from_db()
    assert (wish.days, wish.priority) == (9, "low")


@pytest.mark.parametrize("placed", [False, True])
def test_request_that_is_changed_still_comes_after_one_that_is_cancelled(scheduler, world, placed):
    actor, test_type = world.actor(), world.tests["Brake"].pk
    values = {"test_type_id": test_type, "days": 2, "actor": actor}
    earlier = create_request(world.vehicles["412W103"].pk, **values).items[0]["id"]
    later = create_request(world.vehicles["412W103"].pk, after_id=earlier, **values).items[0]["id"]
    cancel_request(earlier, actor=actor)
    if placed:
        world.book("412W103", "NPG 1", 3, 4, request_id=later)
    fields = fields_of(scheduler.get(url("request-edit", later)))
    assert scheduler.post(url("request-edit", later), fields | {"note": "Ring first"}).status_code == 302
    wish = TestRequest.objects.get(pk=later)
    assert (wish.note, wish.after_id, wish.status) == ("Ring first", earlier, "placed" if placed else "waiting")


def test_request_is_cancelled_after_asking(scheduler, world):
    wish = waiting(world, 1)[0]
    scheduler.get(url("request-cancel", wish.pk))
    wish.refresh_from_db()
    assert wish.status == "waiting"
    scheduler.post(url("request-cancel", wish.pk), {"version": 1, "reason": "No longer wanted"})
    wish.refresh_from_db()
    assert wish.status == "cancelled"
    assert "No longer wanted" in text(scheduler.get(url("request-detail", wish.pk)))


def test_vehicle_is_added_and_changed_with_history(scheduler, world):
    data = {"tag": "900W1", "vin": "1ab2", "drive": "2WD", "weight_class": "<10K", "weight_lbs": 4000}
    answer = scheduler.post(url("vehicle-create"), data)
    vehicle = Vehicle.objects.get(tag="900W1")
    assert answer["Location"] == url("vehicle-detail", vehicle.pk)
    assert (vehicle.vin, vehicle.weight_lbs) == ("1AB2", 4000)
    scheduler.post(url("vehicle-edit", vehicle.pk), data | {"team": "Brakes", "drive": "AWD"})
    page = text(scheduler.get(url("vehicle-detail", vehicle.pk)))
    assert re.search(r"<dt>Drive</dt><dd><del>2WD</del>.*?<ins>AWD</ins>", page)
    assert Change.objects.filter(user=world.users["scheduler"], door="form", action="change").count() == 1


def seen_in(page) -> str:
    return re.search(r'name="seen" value="(\w{32})"', text(page)).group(1)


def test_vehicle_that_somebody_else_changed_is_left_and_what_was_typed_kept(scheduler, admin, world):
    address = url("vehicle-edit", world.vehicles["412W101"].pk)
    data = {"tag": "412W101", "drive": "2WD", "weight_class": "<10K", "seen": seen_in(scheduler.get(address))}
    done = admin.post(address, data | {"team": "Brakes"}, follow=True)
    late = scheduler.post(address, data | {"team": "Emission"})
    assert "Somebody else has changed this in the meantime" in text(late)
    assert 'value="Emission"' in text(late)
    assert Vehicle.objects.get(tag="412W101").team == "Brakes"
    change = Change.objects.get(action="change")
    assert f'{url("change-undo", change.pk)}">' in text(done)
    assert "All of it is taken back together: 1 vehicle. What it added is deleted" in text(
        scheduler.get(url("change-undo", change.pk))
    )
    assert f'{url("change-undo", change.pk)}">' in text(scheduler.get(url("change-list")))
    scheduler.post(url("change-undo", change.pk))
    assert Vehicle.objects.get(tag="412W101").team == ""


def test_dyno_that_somebody_else_changed_is_left(admin, world):
    dyno = world.dynos["NPG 1"]
    address, brake = url("dyno-edit", dyno.pk), world.tests["Brake"].pk
    row = {"test_type": brake, "drives": ["AWD"], "weight_classes": ["<10K"]}
    data = {"name": "NPG 1", "facility": dyno.facility_id, "seen": seen_in(admin.get(address))}
    admin.post(address, data | runs(row) | {"enabled": "on"})
    late = admin.post(address, data | runs(row | {"drives": ["2WD"]}) | {"notes": "Late"})
    assert "Somebody else has changed this in the meantime" in text(late)
    dyno.refresh_from_db()
    assert (dyno.notes, [str(capability) for capability in dyno.capabilities.all()]) == ("", ["Brake: AWD; <10K"])


def test_bookings_that_a_change_leaves_unfit_are_named(admin, world):
    world.book("412W101", "NPG 21", 1, 3)
    data = {"tag": "412W101", "drive": "AWD", "weight_class": "<10K"}
    page = text(admin.post(url("vehicle-edit", world.vehicles["412W101"].pk), data, follow=True))
    assert "No longer in keeping with the rules: 412W101 on NPG 21, 17 – 19 Nov 2026." in page
    again = admin.post(url("vehicle-edit", world.vehicles["412W101"].pk), data | {"drive": "2WD"}, follow=True)
    assert "No longer in keeping" not in text(again)


def test_wrong_vehicle_is_told_beside_the_field(scheduler, world):
    data = {"tag": "412w101", "drive": "2WD", "weight_class": "<10K", "weight_lbs": 12_000}
    page = text(scheduler.post(url("vehicle-create"), data))
    assert re.search(r'name="weight_class".*?12,000 lb is &gt;10K', page)
    duplicate = text(scheduler.post(url("vehicle-create"), data | {"weight_lbs": ""}))
    assert "Another vehicle of this proving ground has this tag." in duplicate
    assert 'value="412w101"' in duplicate
    assert Vehicle.objects.filter(ground=world.north).count() == 3


def runs(*rows: dict) -> dict:
    data = {"runs-TOTAL_FORMS": len(rows), "runs-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        data |= {f"runs-{number}-{name}": value for name, value in row.items()}
    return data


def test_dyno_is_kept_by_an_admin_with_what_it_may_run(admin, world):
    facility = world.dynos["NPG 1"].facility_id
    brake = {"test_type": world.tests["Brake"].pk, "drives": ["2WD"], "weight_classes": ["<10K", ">10K"]}
    admin.post(url("dyno-create"), {"name": "NPG 30", "facility": facility, "enabled": "on"} | runs(brake, {}))
    dyno = Dyno.objects.get(name="NPG 30")
    assert [str(row) for row in dyno.capabilities.all()] == ["Brake: 2WD; <10K, >10K"]
    emission = {"test_type": world.tests["Emission"].pk, "drives": ["AWD"], "weight_classes": ["<10K"]}
    admin.post(url("dyno-edit", dyno.pk), {"name": "NPG 31", "facility": facility} | runs(emission))
    dyno.refresh_from_db()
    assert (dyno.name, dyno.enabled) == ("NPG 31", False)
    assert [str(row) for row in dyno.capabilities.all()] == ["Emission: AWD; <10K"]


def test_dyno_that_would_run_nothing_on_a_row_is_refused(admin, world):
    row = {"test_type": world.tests["Brake"].pk, "weight_classes": ["<10K"]}
    data = {"name": "NPG 30", "facility": world.dynos["NPG 1"].facility_id} | runs(row)
    response = admin.post(url("dyno-create"), data)
    assert (response.status_code, "Choose one at least." in text(response)) == (422, True)
    other = data | runs() | {"facility": world.dynos["STC #1"].facility_id}
    assert "Select a valid choice." in text(admin.post(url("dyno-create"), other))
    duplicate = admin.post(url("dyno-create"), data | runs() | {"name": "npg 1"})
    assert duplicate.status_code == 422
    assert not Dyno.objects.filter(name="NPG 30").exists()


def window(world, dyno: str, first: int, last: int, **more) -> dict:
    days = {"first_day": day(first), "last_day": day(last)}
    return {"dyno": world.dynos[dyno].pk, "kind": "planned", "reason": "Belt"} | days | more


def test_window_shows_what_it_hits_and_writes_nothing_yet(admin, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 1, 3))
    page = text(admin.get(url("window-create"), window(world, "NPG 1", 2, 5)))
    answers = re.findall(rf'name="answer-{booked.pk}" value="([a-z]+)"( checked)?', page)
    assert answers == [("move", " checked"), ("shorten", ""), ("wait", ""), ("cancel", "")]
    assert "Move to <b>NPG 21</b>, 17 – 19 Nov 2026" in page
    assert MaintenanceWindow.objects.count() == 0


def test_window_carries_out_the_answers(admin, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 1, 3))
    data = window(world, "NPG 1", 2, 5)
    unanswered = admin.post(url("window-create"), data)
    assert (unanswered.status_code, "need an answer each" in text(unanswered)) == (422, True)
    place = f"{world.dynos['NPG 21'].pk}/{day(1)}"
    answer = {f"answer-{booked.pk}": "move", f"place-{booked.pk}": place, f"version-{booked.pk}": 1}
    answered = admin.post(url("window-create"), data | answer)
    booked.refresh_from_db()
    assert answered["Location"] == url("dyno-detail", world.dynos["NPG 1"].pk)
    assert (booked.dyno.name, booked.first_day) == ("NPG 21", day(1))
    assert MaintenanceWindow.objects.get().reason == "Belt"


def test_window_that_a_booking_moved_under_is_refused(admin, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 1, 3))
    answer = {f"answer-{booked.pk}": "wait", f"version-{booked.pk}": 7}
    response = admin.post(url("window-create"), window(world, "NPG 1", 2, 5) | answer)
    assert response.status_code == 409
    assert MaintenanceWindow.objects.count() == 0


def test_lifting_brings_back_what_is_ticked(admin, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 1, 3))
    admin.post(url("window-create"), window(world, "NPG 1", 1, 5) | {f"answer-{booked.pk}": "wait"})
    kept_window = MaintenanceWindow.objects.get()
    pushed = Displacement.objects.get()
    assert f'name="back" value="{pushed.pk}" checked' in text(admin.get(url("window-lift", kept_window.pk)))
    admin.post(url("window-lift", kept_window.pk), {"version": 1, "back": pushed.pk})
    kept_window.refresh_from_db()
    booked.refresh_from_db()
    assert kept_window.lifted_at is not None
    assert (booked.status, booked.dyno.name, booked.first_day) == ("scheduled", "NPG 1", day(1))


def test_shortening_a_window_offers_to_bring_back(admin, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 4, 5))
    admin.post(url("window-create"), window(world, "NPG 1", 1, 5) | {f"answer-{booked.pk}": "wait"})
    kept_window = MaintenanceWindow.objects.get()
    page = text(admin.get(url("window-change", kept_window.pk), {"last_day": day(3)}))
    pushed = Displacement.objects.get()
    assert f'name="back" value="{pushed.pk}" checked' in page
    admin.post(url("window-change", kept_window.pk), window(world, "NPG 1", 1, 3, version=1, back=pushed.pk))
    kept_window.refresh_from_db()
    booked.refresh_from_db()
    assert (kept_window.last_day, booked.status) == (day(3), "scheduled")


def test_maintenance_is_not_a_schedulers(scheduler, world):
    change = set_maintenance(
        world.dynos["NPG 1"].pk, first_day=day(1), last_day=day(2), kind="planned", actor=world.actor("admin")
    )
    for name in ("window-change", "window-lift"):
        assert scheduler.post(url(name, window_of(change).pk)).status_code == 403
    refused = scheduler.post(url("window-create"), window(world, "NPG 1", 5, 6) | {"kind": "planned"})
    assert refused.status_code == 422
    assert "Select a valid choice. planned is not one of the available choices." in text(refused)
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 1


def test_a_scheduler_takes_a_dyno_out_of_service_with_the_repair_page(scheduler, world):
    hit = allocation_of(world.book("412W101", "NPG 1", 2, 4))
    dyno = world.dynos["NPG 1"]
    page = text(scheduler.get(url("dyno-detail", dyno.pk), follow=True))
    address = f"/g/NORTH{url('window-create')}?dyno={dyno.pk}&amp;kind=outage"
    assert f'href="{address}"' in page
    assert "Set maintenance" not in page
    form = text(scheduler.get(url("window-create"), {"dyno": dyno.pk, "kind": "planned"}, follow=True))
    assert "<h1>Take a dyno out of service</h1>" in form
    assert re.findall(r'<option value="(\w+)"[^>]*>(?:Planned|Calibration|Outage)<', form) == ["outage"]
    assert f'name="first_day" value="{day(0)}"' in form
    posted = window(world, "NPG 1", 0, 6) | {"kind": "outage", "repair": "0"}
    preview = text(scheduler.get(url("window-create"), posted | {"preview": "1"}, follow=True))
    (option,) = re.findall(r'name="option-0" value="([^"]*)"', preview)
    done = scheduler.post(f"/g/NORTH{url('window-create')}", posted | {"option-0": option}, follow=True)
    outage = MaintenanceWindow.objects.get()
    assert (outage.kind, outage.created_by.username, outage.dyno_id) == ("outage", "scheduler", dyno.pk)
    hit.refresh_from_db()
    assert (hit.dyno.name, hit.first_day) == ("NPG 21", day(2))
    assert f"/g/NORTH{url('window-lift', outage.pk)}" in text(done)
    scheduler.post(f"/g/NORTH{url('window-lift', outage.pk)}", {"version": outage.version})
    outage.refresh_from_db()
    assert outage.lifted_at


def test_links_to_a_window_are_for_who_may_keep_it(scheduler, world):
    days = {"first_day": day(1), "last_day": day(2), "kind": "outage"}
    theirs = window_of(set_maintenance(world.dynos["NPG 1"].pk, actor=world.actor("admin"), **days))
    own = window_of(set_maintenance(world.dynos["NPG 2"].pk, actor=world.actor("scheduler"), **days))
    for row, dyno, offered in ((own, "NPG 2", True), (theirs, "NPG 1", False)):
        for page in (
            url("window-detail", row.pk),
            url("window-card", row.pk),
            url("dyno-detail", world.dynos[dyno].pk),
        ):
            assert (url("window-lift", row.pk) in text(scheduler.get(page, follow=True))) is offered, page
    scheduler.force_login(world.users["viewer"])
    page = text(scheduler.get(url("dyno-detail", world.dynos["NPG 2"].pk), follow=True))
    assert "Take out of service" not in page
    assert url("window-lift", own.pk) not in page


def test_a_broken_dyno_is_taken_down_from_its_row_and_from_a_bar(scheduler, world):
    row = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    board = text(scheduler.get(url("schedule"), follow=True))
    dyno = world.dynos["NPG 1"].pk
    address = f"/g/NORTH{url('window-create')}?kind=outage&amp;dyno={dyno}"
    assert f'href="{address}" aria-label="Take NPG 1 out of service"' in board
    card = text(scheduler.get(f"/g/NORTH{url('allocation-card', row.pk)}"))
    assert f'href="/g/NORTH{url("window-create")}?dyno={dyno}&amp;kind=outage"' in card
    scheduler.force_login(world.users["viewer"])
    assert "out of service" not in text(scheduler.get(url("schedule"), follow=True))
    assert "out of service" not in text(scheduler.get(f"/g/NORTH{url('allocation-card', row.pk)}"))
