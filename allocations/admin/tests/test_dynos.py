from allocations.admin.tests.conftest import admin_url, errors_in, fields_of, messages_of
from allocations.models import Change, Dyno
from allocations.services import booking
from allocations.tests.world import allocation_of, day

LIST = "/admin/allocations/dyno/"
ADD = "/admin/allocations/dyno/add/"


def runs_of(dyno):
    return {(row.test_type.name, *row.drives, *row.weight_classes) for row in dyno.capabilities.all()}


def new_dyno(world, **more):
    return {
        "facility": world.dynos["NPG 1"].facility_id,
        "name": "NPG 9",
        "enabled": "on",
        "available_from": "",
        "available_to": "2031-01-31",
        "warm_up_days": "1",
        "notes": "",
        "capabilities-TOTAL_FORMS": "2",
        "capabilities-INITIAL_FORMS": "0",
        "capabilities-0-test_type": world.tests["Brake"].pk,
        "capabilities-0-drives": ["2WD", "AWD"],
        "capabilities-0-weight_classes": ["<10K"],
        "capabilities-1-test_type": world.tests["Emission"].pk,
        "capabilities-1-drives": ["AWD"],
        "capabilities-1-weight_classes": ["<10K", ">10K"],
    } | more


def selected(*dynos, action):
    return {"action": action, "_selected_action": [dyno.pk for dyno in dynos]}


def coming(world, monkeypatch=None):
    """A booking that is always yet to come."""
    return allocation_of(
        booking.book(
            world.vehicles["412W101"].pk,
            world.dynos["NPG 1"].pk,
            test_type_id=world.tests["Brake"].pk,
            first_day=day(3000),
            last_day=day(3002),
            actor=world.actor(),
        )
    )


def test_dyno_is_added_with_what_it_runs(cast, keeper):
    keeper.post(ADD, new_dyno(cast.world))
    dyno = Dyno.objects.get(name="NPG 9")
    assert (dyno.ground, dyno.facility.name, dyno.enabled, f"{dyno.available_to}", dyno.warm_up_days) == (
        cast.world.north,
        "NPG",
        True,
        "2031-01-31",
        1,
    )
    assert runs_of(dyno) == {("Brake", "2WD", "AWD", "<10K"), ("Emission", "AWD", "<10K", ">10K")}
    change = Change.objects.get(action="add")
    assert (change.door, change.user.username, change.summary) == ("admin", "keeper", "Dyno NPG 9 added")


def test_what_it_runs_is_ticked_and_changed(cast, keeper):
    dyno = cast.world.dynos["NPG 3"]
    url = admin_url("dyno", "change", dyno.pk)
    posted = fields_of(keeper.get(url))
    assert (posted["capabilities-0-drives"], posted["capabilities-0-weight_classes"]) == ("AWD", "<10K")
    keeper.post(url, posted | {"capabilities-0-drives": ["AWD", "2WD"], "notes": "New rollers"})
    dyno.refresh_from_db()
    assert dyno.notes == "New rollers"
    assert runs_of(dyno) == {("Emission", "2WD", "AWD", "<10K")}
    keeper.post(url, fields_of(keeper.get(url)) | {"capabilities-0-DELETE": "on"})
    assert runs_of(dyno) == set()


def test_what_another_admin_changed_meanwhile_is_left(cast, keeper):
    for row, kind, changed in (
        (cast.world.dynos["NPG 3"], "dyno", "notes"),
        (cast.world.vehicles["412W101"], "vehicle", "team"),
    ):
        url = admin_url(kind, "change", row.pk)
        posted = fields_of(keeper.get(url))
        assert keeper.post(url, posted | {changed: "First"}).status_code == 302
        late = keeper.post(url, posted | {changed: "Late"})
        assert "Somebody else has changed this in the meantime" in late.content.decode()
        row.refresh_from_db()
        assert getattr(row, changed) == "First"


def test_wrong_values_are_said_beside_the_field(cast, keeper, root):
    world = cast.world
    answer = keeper.post(ADD, new_dyno(world, available_from="2031-02-01"))
    assert errors_in(answer) == {"__all__": ["The dyno's last available day is before its first."]}
    answer = keeper.post(ADD, new_dyno(world, name="npg 1"))
    assert list(errors_in(answer)) == ["__all__"]
    answer = keeper.post(ADD, new_dyno(world, **{"capabilities-0-drives": []}))
    assert answer.context["inline_admin_formsets"][0].formset.errors[0] == {"drives": ["This field is required."]}
    answer = root.post(ADD, new_dyno(world, **{"capabilities-0-test_type": world.tests["South brake"].pk}))
    assert answer.context["inline_admin_formsets"][0].formset.errors[0] == {
        "test_type": ["South brake is a test type of another proving ground."]
    }
    assert Dyno.objects.count() == 5


def test_dynos_without_coming_tests_are_disabled_and_enabled_together(cast, keeper):
    dynos = [cast.world.dynos[name] for name in ("NPG 1", "NPG 2")]
    answer = keeper.post(LIST, selected(*dynos, action="disable"), follow=True)
    assert messages_of(answer) == ["NPG 1, NPG 2 disabled."]
    assert set(Dyno.objects.filter(enabled=False)) == set(dynos)
    keeper.post(LIST, selected(dynos[0], action="enable"))
    assert set(Dyno.objects.filter(enabled=False)) == {dynos[1]}


def test_disabling_lists_the_tests_that_are_coming_and_asks(cast, keeper):
    world = cast.world
    allocation = coming(world)
    page = keeper.post(LIST, selected(world.dynos["NPG 1"], world.dynos["NPG 2"], action="disable"))
    assert page.context["allocations"] == [allocation]
    assert "412W101" in page.content.decode()
    assert not Dyno.objects.filter(enabled=False).exists()
    keeper.post(LIST, fields_of(page) | {"_confirmed": "1"})
    assert Dyno.objects.filter(enabled=False).count() == 2
    allocation.refresh_from_db()
    assert (allocation.dyno.name, allocation.status) == ("NPG 1", "scheduled")


def test_unticking_enabled_asks_in_the_same_way(cast, keeper):
    allocation = coming(cast.world)
    dyno = cast.world.dynos["NPG 1"]
    url = admin_url("dyno", "change", dyno.pk)
    posted = fields_of(keeper.get(url))
    assert posted.pop("enabled") == "on"
    page = keeper.post(url, posted)
    assert page.context["allocations"] == [allocation]
    form = keeper.post(url, fields_of(page) | {"_back": "1"})
    assert errors_in(form) == {"__all__": ["Nothing is saved yet."]}
    keeper.post(url, fields_of(page) | {"_confirmed": "1"})
    dyno.refresh_from_db()
    assert dyno.enabled is False


def test_availability_that_leaves_tests_outside_asks(cast, keeper):
    allocation = coming(cast.world)
    url = admin_url("dyno", "change", cast.world.dynos["NPG 1"].pk)
    posted = fields_of(keeper.get(url))
    assert keeper.post(url, posted | {"available_to": f"{day(3001)}"}).context["allocations"] == [allocation]
    assert keeper.post(url, posted | {"available_to": f"{day(3002)}"}).status_code == 302


def test_a_dyno_in_use_is_not_deleted_and_another_is(cast, keeper):
    world = cast.world
    world.book("412W101", "NPG 1", 0, 2)
    url = admin_url("dyno", "delete", world.dynos["NPG 1"].pk)
    page = keeper.get(url)
    assert "Disable it instead" in page.content.decode()
    keeper.post(url, {"post": "yes"})
    assert Dyno.objects.filter(name="NPG 1").exists()
    keeper.post(admin_url("dyno", "delete", world.dynos["NPG 3"].pk), {"post": "yes"})
    assert not Dyno.objects.filter(name="NPG 3").exists()
    assert Change.objects.get(action="delete").summary == "Dyno NPG 3 deleted"


def test_list_filters_and_search(cast, keeper, root):
    world = cast.world

    def names(client=keeper, **query):
        return {row.name for row in client.get(LIST, query).context["cl"].result_list}

    assert names() == {"NPG 1", "NPG 2", "NPG 3", "NPG 21"}
    assert names(q="21") == {"NPG 21"}
    assert names(enabled__exact=0) == set()
    assert names(facility__id__exact=world.dynos["NPG 21"].facility_id) == {"NPG 21"}
    assert names(capabilities__test_type__id__exact=world.tests["Brake"].pk) == {"NPG 1", "NPG 21"}
    assert names(root, ground__id__exact=world.south.pk) == {"STC #1"}


def test_history_of_a_dyno_has_its_capabilities(cast, keeper):
    dyno = cast.world.dynos["NPG 3"]
    url = admin_url("dyno", "change", dyno.pk)
    keeper.post(url, fields_of(keeper.get(url)) | {"capabilities-0-drives": ["AWD", "2WD"], "notes": "New"})
    page = keeper.get(admin_url("dyno", "history", dyno.pk)).context["page"]
    entries = [(event.kind, event.part, event.who, event.door, event.differences) for event in page]
    assert ("Changed", "", "keeper", "Admin", [("Notes", "", "New")]) in entries
    assert ("Deleted", "capability", "keeper", "Admin", []) in entries
    added = next(event for event in page if event.kind == "Added" and event.who == "keeper")
    assert ("Drives", "", "2WD, AWD") in added.differences


def test_the_number_of_queries_does_not_grow(cast, keeper, django_assert_max_num_queries):
    for number in range(30):
        cast.world.dyno(f"Extra {number}", (cast.world.tests["Brake"], ["AWD"], ["<10K"]))
    address = f"/g/NORTH{LIST}"
    keeper.get(address)  # the session holds the ground from here on
    with django_assert_max_num_queries(14):
        assert len(keeper.get(address).context["cl"].result_list) == 34
