import pytest

from allocations.enums import RefusalCode, Role
from allocations.exceptions import Invalid, NotAllowed, NotFound, Refused, Stale
from allocations.models import Capability, Change, Dyno, Membership, ProvingGround, Vehicle
from allocations.services import fleet, maintenance, members
from allocations.services.fleet import Runs
from allocations.services.master_data import digest
from allocations.services.undo import undo
from allocations.tests.world import day


def runs_of(dyno) -> list[tuple]:
    rows = Capability.objects.filter(dyno=dyno).order_by("test_type__name")
    return [(row.test_type.name, row.drives, row.weight_classes) for row in rows]


def add_dyno(world, *, by="admin", **values):
    brake = world.tests["Brake"]
    values = {"name": "NPG 9", "runs": [Runs(brake.pk, ["AWD"], ["<10K"])]} | values
    return fleet.add_dyno(world.dynos["NPG 1"].facility_id, actor=world.actor(by), **values)


def test_dyno_comes_with_what_it_runs(world):
    change = add_dyno(world)
    dyno = Dyno.objects.get(name="NPG 9")
    assert (dyno.ground, dyno.facility.name, dyno.sort_key) == (world.north, "NPG", "npg 00000009")
    assert runs_of(dyno) == [("Brake", ["AWD"], ["<10K"])]
    assert (change.action, change.summary) == ("add", "Dyno NPG 9 added")
    assert [item["model"] for item in change.items] == ["dyno", "capability"]


def test_runs_are_replaced_as_a_whole(world):
    dyno, brake, emission = world.dynos["NPG 1"], world.tests["Brake"], world.tests["Emission"]
    capability = dyno.capabilities.get(test_type=brake)
    runs = [Runs(emission.pk, ["2WD"], [">10K"]), Runs(brake.pk, capability.drives, capability.weight_classes)]
    fleet.change_dyno(dyno.pk, notes="New rollers", runs=runs, actor=world.actor("admin"))
    assert runs_of(dyno) == [("Brake", capability.drives, capability.weight_classes), ("Emission", ["2WD"], [">10K"])]
    assert dyno.capabilities.get(test_type=brake).pk == capability.pk
    dyno.refresh_from_db()
    assert dyno.notes == "New rollers"


def test_name_that_is_taken_is_invalid(world):
    with pytest.raises(Invalid):
        add_dyno(world, name="npg 1")
    with pytest.raises(Invalid) as invalid:
        fleet.add_vehicle(world.north.pk, actor=world.actor(), tag="", drive="2WD", weight_class="<10K")
    assert invalid.value.errors == {"": ["A vehicle needs a tag or a VIN."]}
    assert Dyno.objects.filter(ground=world.north).count() == 4


def test_another_grounds_rows_do_not_exist(world):
    south = world.tests["South brake"]
    with pytest.raises(NotFound):
        add_dyno(world, runs=[Runs(south.pk, ["AWD"], ["<10K"])])
    with pytest.raises(NotFound):
        add_dyno(world, by="outsider")
    with pytest.raises(NotFound):
        fleet.change_dyno(
            world.dynos["NPG 1"].pk, facility_id=world.dynos["STC #1"].facility_id, actor=world.actor("admin")
        )
    assert not Dyno.objects.filter(name="NPG 9").exists()


def test_admins_keep_dynos_and_schedulers_vehicles(world):
    with pytest.raises(NotAllowed):
        add_dyno(world, by="scheduler")
    fleet.add_vehicle(world.north.pk, actor=world.actor(), tag="412W150", drive="2WD", weight_class="<10K")
    assert Vehicle.objects.get(tag="412W150").ground == world.north
    with pytest.raises(NotAllowed):
        fleet.add_vehicle(world.north.pk, actor=world.actor("viewer"), tag="412W151")
    with pytest.raises(NotAllowed):
        fleet.delete_vehicle(world.vehicles["412W101"].pk, actor=world.actor())


def test_dynos_are_disabled_together(world):
    ids = [world.dynos[name].pk for name in ("NPG 2", "NPG 1")]
    change = fleet.set_enabled(ids, False, actor=world.actor("admin"))
    assert change.summary == "NPG 1, NPG 2 disabled"
    assert list(Dyno.objects.filter(ground=world.north, enabled=True).values_list("name", flat=True)) == [
        "NPG 3",
        "NPG 21",
    ]


def test_what_is_in_use_is_not_deleted(world):
    world.book("412W101", "NPG 1", 0, 2)
    with pytest.raises(Refused) as refused:
        fleet.delete_dyno(world.dynos["NPG 1"].pk, actor=world.actor("admin"))
    assert refused.value.refusals[0].code == RefusalCode.IN_USE
    assert refused.value.sentence == ("Dyno NPG 1 cannot be deleted: 1 allocation would lose it; disable it instead.")
    fleet.delete_dyno(world.dynos["NPG 3"].pk, actor=world.actor("admin"))
    assert not Dyno.objects.filter(name="NPG 3").exists()


def test_membership_is_given_changed_and_taken(world):
    actor, viewer = world.actor("admin"), world.users["viewer"]
    members.set_membership(viewer.pk, world.north.pk, Role.SCHEDULER, actor=actor)
    row = Membership.objects.get(user=viewer)
    assert row.role == "scheduler"
    members.remove_membership(row.pk, actor=actor)
    assert not Membership.objects.filter(user=viewer).exists()
    with pytest.raises(NotFound):
        members.set_membership(viewer.pk, world.south.pk, Role.ADMIN, actor=actor)
    with pytest.raises(NotAllowed):
        members.set_membership(viewer.pk, world.north.pk, Role.ADMIN, actor=world.actor("scheduler"))


def test_only_a_superuser_adds_a_ground(world):
    values = {"code": "EAST", "name": "East", "time_zone": "Europe/Berlin"}
    with pytest.raises(NotAllowed):
        members.add_ground(actor=world.actor("admin"), **values)
    root = world.user("root")
    root.is_superuser = True
    root.save()
    change = members.add_ground(actor=world.actor("root"), **values)
    east = ProvingGround.objects.get(code="EAST")
    assert Change.objects.filter(ground=east).get() == change
    with pytest.raises(Invalid) as invalid:
        members.change_ground(east.pk, time_zone="Mars/Olympus", actor=world.actor("root"))
    assert list(invalid.value.errors) == ["time_zone"]


def undone(change, world, by="admin"):
    return undo(change.pk, actor=world.actor(by))


def test_a_change_of_the_fleet_is_undone_and_done_again(world):
    vehicle = world.vehicles["412W101"]
    change = fleet.change_vehicle(vehicle.pk, team="Brakes", weight_lbs=4321, actor=world.actor())
    fleet.change_vehicle(vehicle.pk, notes="Something else", actor=world.actor())
    back = undone(change, world, "scheduler")
    vehicle.refresh_from_db()
    assert (vehicle.team, vehicle.weight_lbs, vehicle.notes) == ("", None, "Something else")
    assert (back.summary, back.undoes) == ("Undone: Vehicle 412W101 changed", change)
    again = undone(back, world)
    vehicle.refresh_from_db()
    assert (vehicle.team, vehicle.weight_lbs) == ("Brakes", 4321)
    assert (again.summary, again.undoes) == ("Redone: Vehicle 412W101 changed", back)
    with pytest.raises(Refused, match="undone already"):
        undone(change, world)


def test_what_was_changed_again_since_is_not_undone(world):
    dyno = world.dynos["NPG 1"]
    change = fleet.change_dyno(dyno.pk, available_to=day(3), actor=world.actor("admin"))
    fleet.change_dyno(dyno.pk, available_to=day(9), actor=world.actor("admin"))
    with pytest.raises(Refused, match="Dyno NPG 1 was changed again since"):
        undone(change, world)
    dyno.refresh_from_db()
    assert dyno.available_to == day(9)


def test_a_dyno_that_was_deleted_comes_back_with_what_it_runs(world):
    add_dyno(world)
    dyno = Dyno.objects.get(name="NPG 9")
    ran = runs_of(dyno)
    deletion = fleet.delete_dyno(dyno.pk, actor=world.actor("admin"))
    assert [item["model"] for item in deletion.items] == ["capability", "dyno"]
    undone(deletion, world)
    assert Dyno.objects.get(name="NPG 9").pk == dyno.pk
    assert runs_of(dyno) == ran != []


def test_a_dyno_that_was_added_goes_unless_something_stands_on_it(world):
    change = add_dyno(world)
    dyno = Dyno.objects.get(name="NPG 9")
    maintenance.set_maintenance(
        dyno.pk, first_day=day(1), last_day=day(2), kind="planned", reason="Oil", actor=world.actor("admin")
    )
    with pytest.raises(Refused) as refused:
        undone(change, world)
    assert refused.value.refusals[0].code == RefusalCode.IN_USE
    assert runs_of(dyno) != []
    other = add_dyno(world, name="NPG 8")
    runs = [Runs(world.tests["Emission"].pk, ["2WD"], ["<10K"])]
    fleet.change_dyno(Dyno.objects.get(name="NPG 8").pk, runs=runs, actor=world.actor("admin"))
    with pytest.raises(Refused, match="changed again since"):
        undone(other, world)
    undone(add_dyno(world, name="NPG 7"), world)
    assert not Dyno.objects.filter(name="NPG 7").exists()


def test_undoing_takes_the_right_that_the_change_took(world):
    dyno = fleet.set_enabled([world.dynos["NPG 1"].pk], False, actor=world.actor("admin"))
    added = fleet.add_vehicle(world.north.pk, actor=world.actor(), tag="412W150", drive="2WD", weight_class="<10K")
    for change in (dyno, added):
        with pytest.raises(NotAllowed):
            undone(change, world, "scheduler")
        with pytest.raises(NotFound):
            undone(change, world, "outsider")
        undone(change, world)
    assert Dyno.objects.get(pk=world.dynos["NPG 1"].pk).enabled
    assert not Vehicle.objects.filter(tag="412W150").exists()


def test_a_name_taken_meanwhile_is_told(world):
    change = fleet.add_vehicle(world.north.pk, actor=world.actor(), tag="412W150", drive="2WD", weight_class="<10K")
    vehicle = Vehicle.objects.get(tag="412W150")
    deletion = fleet.delete_vehicle(vehicle.pk, actor=world.actor("admin"))
    fleet.add_vehicle(world.north.pk, actor=world.actor(), tag="412W150", drive="AWD", weight_class=">10K")
    with pytest.raises(Refused, match="Vehicle 412W150"):
        undone(deletion, world)
    with pytest.raises(Refused, match="changed again since"):
        undone(change, world)


def test_memberships_are_not_given_back_by_undoing(world):
    scheduler = world.users["scheduler"]
    row = Membership.objects.get(user=scheduler, ground=world.north)
    removal = members.remove_membership(row.pk, actor=world.actor("admin"))
    with pytest.raises(Refused, match="cannot be undone"):
        undone(removal, world)
    assert not Membership.objects.filter(user=scheduler, ground=world.north).exists()


def test_a_row_that_changed_since_it_was_seen_is_left(world):
    dyno, vehicle = world.dynos["NPG 1"], world.vehicles["412W101"]
    digests = digest(dyno), digest(vehicle)
    runs = [Runs(world.tests["Emission"].pk, ["2WD"], [">10K"])]
    fleet.change_dyno(dyno.pk, runs=runs, seen_digest=digests[0], actor=world.actor("admin"))
    fleet.change_vehicle(vehicle.pk, team="Brakes", seen_digest=digests[1], actor=world.actor())
    with pytest.raises(Stale):
        fleet.change_dyno(dyno.pk, notes="Mine", seen_digest=digests[0], actor=world.actor("admin"))
    with pytest.raises(Stale):
        fleet.change_vehicle(vehicle.pk, team="Mine", seen_digest=digests[1], actor=world.actor())
    vehicle.refresh_from_db()
    dyno.refresh_from_db()
    assert (vehicle.team, dyno.notes) == ("Brakes", "")
