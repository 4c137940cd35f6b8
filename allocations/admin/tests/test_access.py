"""Who sees and does what: by memberships, whatever permissions Django would know of."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from allocations.admin.tests.conftest import admin_url
from allocations.enums import MaintenanceKind
from allocations.models import Change, Dyno, Membership
from allocations.services.maintenance import set_maintenance
from allocations.tests.world import allocation_of, day, window_of
from dynosite.accounts.models import FailedSignIns

pytestmark = pytest.mark.usefixtures("_today")  # the list of allocations begins with it

MODELS = [
    "allocation",
    "change",
    "dyno",
    "facility",
    "maintenancewindow",
    "membership",
    "provingground",
    "testrequest",
    "testtype",
    "vehicle",
]


def south_row(world, model):
    """A row of the other ground, of each kind, which must not show."""
    south = world.south
    if model == "maintenancewindow":
        change = set_maintenance(
            world.dynos["STC #1"].pk,
            first_day=day(20),
            last_day=day(21),
            kind=MaintenanceKind.PLANNED,
            actor=world.actor("root"),
        )
        return window_of(change)
    if model == "testrequest":
        from allocations.models import TestRequest

        return TestRequest.objects.create(
            ground=south, vehicle=world.vehicles["365W201"], test_type=world.tests["South brake"], days=3
        )
    rows = {
        "allocation": south.allocations,
        "change": south.changes,
        "dyno": south.dynos,
        "facility": south.facilities,
        "membership": south.memberships,
        "testtype": south.test_types,
        "vehicle": south.vehicles,
    }
    return south if model == "provingground" else rows[model].get()


@pytest.mark.parametrize("name", ["scheduler", "viewer", "outsider", "admin", "climber"])
def test_no_staff_admin_no_entry(cast, name):
    client = cast.client(name)
    assert client.get(reverse("admin:index")).status_code == 403
    for model in MODELS:
        assert client.get(admin_url(model)).status_code == 403
        assert client.get(admin_url(model, "add")).status_code == 403
    assert client.post(admin_url("dyno"), {"action": "disable"}).status_code == 403
    assert Dyno.objects.filter(enabled=False).count() == 0


def test_stranger_is_sent_to_the_products_sign_in(db):
    response = Client().get(admin_url("dyno"), follow=True)
    assert response.redirect_chain[-1][0] == f"/accounts/sign-in/?next={admin_url('dyno')}"
    assert "accounts/sign_in.html" in [template.name for template in response.templates]


def test_sign_in_through_the_administration_is_rate_limited(cast):
    client = Client()
    login = client.get(reverse("admin:login"))
    for _ in range(7):
        answer = client.post(login["Location"], {"username": "keeper", "password": "wrong"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert "accounts/sign_in.html" in [template.name for template in answer.templates]


@pytest.mark.parametrize("model", MODELS)
def test_other_grounds_rows_do_not_exist(cast, keeper, model):
    row = south_row(cast.world, model)
    mine = keeper.get(admin_url(model))
    assert mine.status_code == 200
    assert row.pk not in [listed.pk for listed in mine.context["cl"].result_list]
    assert "South" not in mine.content.decode()
    assert "STC" not in mine.content.decode()
    assert keeper.get(admin_url(model, "change", row.pk)).status_code == 404
    for page in ("change", "delete"):  # 403 is for what nobody can change or delete
        assert keeper.post(admin_url(model, page, row.pk), {"post": "yes"}).status_code in (403, 404)
    assert keeper.get(admin_url(model, "history", row.pk)).status_code == 404
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("model", "page"),
    [
        ("maintenancewindow", "lift"),
        ("allocation", "cancel"),
        ("testrequest", "cancel"),
        ("change", "undo"),
    ],
)
def test_other_grounds_rows_are_not_acted_on(cast, keeper, model, page):
    row = south_row(cast.world, model)
    changes = Change.objects.count()
    assert keeper.get(admin_url(model, page, row.pk)).status_code == 404
    assert keeper.post(admin_url(model, page, row.pk), {"_confirmed": "1"}).status_code == 404
    assert Change.objects.count() == changes


@pytest.mark.parametrize("model", MODELS)
def test_superuser_sees_every_ground(cast, root, model):
    row = south_row(cast.world, model)
    assert row.pk in [listed.pk for listed in root.get(admin_url(model)).context["cl"].result_list]
    assert root.get(admin_url(model, "change", row.pk)).status_code == 200


def test_choices_are_of_the_own_ground(cast, keeper, root):
    world = cast.world

    def dynos(client):
        form = client.get(admin_url("maintenancewindow", "add")).context["adminform"].form
        return {dyno.name for dyno in form.fields["dyno"].queryset}

    assert dynos(keeper) == {"NPG 1", "NPG 2", "NPG 3", "NPG 21"}
    assert dynos(root) == {"NPG 1", "NPG 2", "NPG 3", "NPG 21", "STC #1"}
    query = {"app_label": "allocations", "model_name": "allocation", "field_name": "vehicle", "term": "W"}

    def vehicles(client):
        return {row["text"] for row in client.get(reverse("admin:autocomplete"), query).json()["results"]}

    assert vehicles(keeper) == {"412W101", "412W102", "412W103"}
    assert vehicles(root) == {"412W101", "412W102", "412W103", "365W201"}
    assert world.vehicles["365W201"].ground == world.south


def test_a_posted_row_of_another_ground_is_no_choice(cast, keeper):
    world = cast.world
    answer = keeper.post(
        admin_url("maintenancewindow", "add"),
        {"dyno": world.dynos["STC #1"].pk, "first_day": "2030-01-01", "last_day": "2030-01-02", "kind": "planned"},
    )
    assert list(answer.context["adminform"].form.errors) == ["dyno"]
    assert world.dynos["STC #1"].windows.count() == 0


def test_users_are_for_superusers(cast, keeper, root):
    listed, one = reverse("admin:accounts_user_changelist"), cast.world.users["outsider"].pk
    assert keeper.get(listed).status_code == 403
    assert keeper.get(reverse("admin:accounts_user_change", args=[one])).status_code == 403
    assert root.get(listed).status_code == 200
    form = root.get(reverse("admin:accounts_user_change", args=[one])).context["adminform"].form
    assert not {"groups", "user_permissions"} & set(form.fields)
    assert root.get(reverse("admin:accounts_user_delete", args=[one])).status_code == 403


def test_attempts_to_sign_in_are_for_superusers(cast, keeper, root):
    attempt = FailedSignIns.objects.create(
        scope="pair", name="scheduler", address="10.0.0.1", failures=6, last_at=timezone.now()
    )
    listed, delete = reverse("admin:accounts_failedsignins_changelist"), "admin:accounts_failedsignins_delete"
    assert keeper.get(listed).status_code == 403
    assert keeper.post(reverse(delete, args=[attempt.pk]), {"post": "yes"}).status_code == 403
    assert "10.0.0.1" in root.get(listed).content.decode()
    root.post(reverse(delete, args=[attempt.pk]), {"post": "yes"})
    assert FailedSignIns.objects.count() == 0


def test_losing_the_role_loses_the_administration(cast, keeper):
    assert keeper.get(admin_url("dyno")).status_code == 200
    Membership.objects.filter(user=cast.world.users["keeper"]).update(role="scheduler")
    assert keeper.get(admin_url("dyno")).status_code == 403


def test_nothing_of_the_schedule_is_deleted(cast, root):
    allocation = allocation_of(cast.world.book("412W101", "NPG 1", 0, 2))
    assert root.get(admin_url("allocation", "delete", allocation.pk)).status_code == 403
    assert root.post(admin_url("allocation", "delete", allocation.pk), {"post": "yes"}).status_code == 403
    actions = dict(root.get(admin_url("allocation")).context["action_form"].fields["action"].choices)
    assert set(actions) == {"", "start", "extend", "complete", "cancel"}
    assert not reverse_exists("view_on_site")


def reverse_exists(name):
    from django.urls import NoReverseMatch

    try:
        reverse(f"admin:{name}", args=[1, 1])
    except NoReverseMatch:
        return False
    return True


def test_signing_out_leads_to_sign_in(cast, keeper):
    assert keeper.post(reverse("admin:logout"))["Location"] == "/accounts/sign-in/"
    assert keeper.get(reverse("admin:index")).status_code == 302
