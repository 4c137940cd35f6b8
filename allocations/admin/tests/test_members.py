from django.urls import reverse

from allocations.admin.tests.conftest import admin_url, errors_in, fields_of
from allocations.models import Change, Facility, Membership, ProvingGround, Shutdown, TestType, Travel, Vehicle
from dynosite.accounts.models import User


def roles_of(user) -> dict[str, str]:
    return dict(Membership.objects.filter(user=user).values_list("ground__code", "role"))


def test_membership_by_username(cast, keeper):
    outsider = cast.world.users["outsider"]
    add = admin_url("membership", "add")
    posted = {"ground": cast.world.north.pk, "user": "outsider", "role": "viewer"}
    assert errors_in(keeper.post(add, posted | {"user": "nobody"})) == {"user": ["There is no user of this name."]}
    assert list(errors_in(keeper.post(add, posted | {"ground": cast.world.south.pk}))) == ["ground"]
    keeper.post(add, posted)
    assert roles_of(outsider) == {"SOUTH": "scheduler", "NORTH": "viewer"}
    row = Membership.objects.get(user=outsider, ground=cast.world.north)
    keeper.post(admin_url("membership", "change", row.pk), {"role": "scheduler"})
    assert roles_of(outsider)["NORTH"] == "scheduler"
    keeper.post(admin_url("membership", "delete", row.pk), {"post": "yes"})
    assert roles_of(outsider) == {"SOUTH": "scheduler"}
    assert [change.action for change in Change.objects.filter(door="admin")] == ["delete", "change", "change"]


def test_users_with_their_memberships(cast, root):
    add = reverse("admin:accounts_user_add")
    words = {"password1": "correct-horse-battery", "password2": "correct-horse-battery"}
    root.post(add, {"username": "newcomer", "usable_password": "true"} | words)
    user = User.objects.get(username="newcomer")
    assert user.check_password("correct-horse-battery")
    url = reverse("admin:accounts_user_change", args=[user.pk])
    world = cast.world
    posted = fields_of(root.get(url)) | {
        "is_staff": "on",
        "memberships-0-ground": world.north.pk,
        "memberships-0-role": "admin",
    }
    root.post(url, posted)
    user.refresh_from_db()
    assert (user.is_staff, roles_of(user)) == (True, {"NORTH": "admin"})
    root.post(url, fields_of(root.get(url)) | {"memberships-0-role": "viewer"})
    assert roles_of(user) == {"NORTH": "viewer"}
    root.post(url, fields_of(root.get(url)) | {"memberships-0-ground": world.south.pk})
    assert roles_of(user) == {"SOUTH": "viewer"}
    root.post(url, fields_of(root.get(url)) | {"memberships-0-DELETE": "on"})
    assert roles_of(user) == {}
    assert {(change.ground.code, change.door) for change in Change.objects.filter(user=world.users["root"])} == {
        ("NORTH", "admin"),
        ("SOUTH", "admin"),
    }


def test_grounds_are_added_by_superusers_and_changed_by_admins(cast, keeper, root):
    add = admin_url("provingground", "add")
    posted = {"code": "EAST", "name": "East", "time_zone": "Europe/Berlin"}
    assert keeper.post(add, posted).status_code == 403
    assert errors_in(root.post(add, posted | {"time_zone": "Mars/Olympus"})) == {
        "time_zone": ["Mars/Olympus is not a time zone; one is, for example, America/Detroit."]
    }
    root.post(add, posted)
    assert ProvingGround.objects.get(code="EAST").time_zone == "Europe/Berlin"
    north = cast.world.north
    change = admin_url("provingground", "change", north.pk)
    keeper.post(change, fields_of(keeper.get(change)) | {"name": "Far North", "time_zone": "UTC"})
    north.refresh_from_db()
    assert (north.name, north.time_zone) == ("Far North", "UTC")
    assert root.post(admin_url("provingground", "delete", north.pk), {"post": "yes"}).status_code == 403


def test_days_off_shutdowns_and_travel_are_kept_with_the_ground(cast, keeper):
    north = cast.world.north
    npg, annex = (Facility.objects.get(ground=north, name=name) for name in ("NPG", "Annex"))
    stc = Facility.objects.get(name="STC")
    change = admin_url("provingground", "change", north.pk)
    fields = fields_of(keeper.get(change))
    posted = fields | {
        "days_off": ["5", "6"],
        "holidays_country": "us",
        "holidays_subdivision": "mi",
        "shutdowns-0-name": "Inventory",
        "shutdowns-0-first_day": "2026-12-01",
        "shutdowns-0-last_day": "2026-12-02",
        "travel-0-origin": str(npg.pk),
        "travel-0-to": str(annex.pk),
        "travel-0-days": "2",
        "travel-0-both": "on",
    }
    assert errors_in(keeper.post(change, posted | {"holidays_country": "XX", "holidays_subdivision": ""})) == {
        "holidays_country": ["No holidays are known of XX."]
    }
    assert keeper.post(change, posted | {"travel-0-to": str(stc.pk)}).status_code == 200
    assert not Travel.objects.exists()
    assert keeper.post(change, posted).status_code == 302
    north.refresh_from_db()
    assert (north.days_off, north.holidays_country, north.holidays_subdivision) == ([5, 6], "US", "MI")
    assert [(s.name, str(s.first_day), s.ground) for s in Shutdown.objects.all()] == [
        ("Inventory", "2026-12-01", north)
    ]
    assert sorted(Travel.objects.values_list("origin__name", "to__name", "days")) == [
        ("Annex", "NPG", 2),
        ("NPG", "Annex", 2),
    ]
    last = Change.objects.order_by("-at").first()
    assert sorted(item["model"] for item in last.items) == ["provingground", "shutdown", "travel", "travel"]
    again = fields_of(keeper.get(change)) | {"travel-0-DELETE": "on", "shutdowns-0-DELETE": "on"}
    assert keeper.post(change, again).status_code == 302
    assert (Travel.objects.count(), Shutdown.objects.count()) == (1, 0)


def test_vehicles_test_types_and_facilities(cast, keeper):
    north = cast.world.north
    vehicle = {
        "ground": north.pk,
        "tag": "412W120",
        "vin": "1ftfw1et5dfc10312",
        "drive": "AWD",
        "weight_class": "<10K",
        "weight_lbs": "",
        "build_id": "",
        "program": "",
        "model_year": "",
        "powertrain": "",
        "build_type": "",
        "team": "",
        "notes": "",
    }
    assert fields_of(keeper.get(admin_url("vehicle", "add")))["ground"] == str(north.pk)
    assert errors_in(keeper.post(admin_url("vehicle", "add"), vehicle | {"weight_lbs": "12000"})) == {
        "weight_class": ["12,000 lb is >10K."]
    }
    keeper.post(admin_url("vehicle", "add"), vehicle)
    row = Vehicle.objects.get(tag="412W120")
    assert (row.vin, row.ground) == ("1FTFW1ET5DFC10312", north)
    url = admin_url("vehicle", "change", row.pk)
    duplicate = keeper.post(url, fields_of(keeper.get(url)) | {"tag": "412w101"})
    assert errors_in(duplicate) == {"__all__": ["Another vehicle of this proving ground has this tag."]}
    keeper.post(
        admin_url("testtype", "add"),
        {
            "ground": north.pk,
            "name": "Coast",
            "code": "coast",
            "colour": "#11aa22",
            "miles_per_day": "300",
            "default_days": "2",
        },
    )
    assert TestType.objects.get(code="coast").colour == "#11aa22"
    keeper.post(admin_url("facility", "add"), {"ground": north.pk, "name": "Hall C", "position": "3"})
    hall = Facility.objects.get(name="Hall C")
    keeper.post(admin_url("facility", "delete", hall.pk), {"post": "yes"})
    assert not Facility.objects.filter(name="Hall C").exists()
    used = admin_url("testtype", "delete", cast.world.tests["Brake"].pk)
    keeper.post(used, {"post": "yes"})
    assert TestType.objects.filter(name="Brake").exists()
    doors = Change.objects.filter(user=cast.world.users["keeper"]).values_list("door", flat=True)
    assert list(doors) == ["admin"] * 4


def test_users_whose_address_the_mail_server_refuses_are_marked(cast, root):
    address = reverse("admin:accounts_user_changelist")
    assert "550 No such user" not in root.get(address).content.decode()
    User.objects.filter(username="viewer").update(
        email="gone@dynosite.test", refused_email="gone@dynosite.test", mail_refusal="550 No such user"
    )
    assert "Refused: 550 No such user" in root.get(address).content.decode()
    refused = root.get(address, {"refused": "yes"}).context["cl"].queryset
    assert list(refused.values_list("username", flat=True)) == ["viewer"]
    user = User.objects.get(username="viewer")
    assert (
        "Refused: 550 No such user"
        in root.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    )
