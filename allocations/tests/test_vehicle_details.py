"""A vehicle's details are declared once: every door shows, takes and keeps all of them."""

import csv
import io

import pytest
from django.urls import reverse

from allocations.admin.fleet import VehicleAdmin
from allocations.exchange.export import CSV_COLUMNS
from allocations.exchange.headings import FORECAST_FIELDS
from allocations.exchange.headings import NAMES as HEADINGS
from allocations.exchange.words import DETAILS
from allocations.models import Vehicle
from allocations.selectors.search import VEHICLE_FIELDS
from allocations.vehicle_details import LISTED, NAMES, ON_BOOKINGS, VEHICLE_DETAILS
from allocations.web.forms.fleet import VehicleForm

OWN = {"id", "ground", "tag", "vin", "drive", "weight_lbs", "weight_class", "placeholder", "notes"}


def test_every_column_of_the_model_is_its_own_or_a_declared_detail():
    assert {field.name for field in Vehicle._meta.concrete_fields} == {*OWN, *NAMES}


@pytest.mark.parametrize("detail", VEHICLE_DETAILS, ids=NAMES)
def test_every_door_has_the_detail(detail):
    assert detail.name in VehicleForm.base_fields
    assert detail.name in {name for _, options in VehicleAdmin.fieldsets for row in options["fields"] for name in row}
    assert detail.name in VEHICLE_FIELDS
    assert detail.name in DETAILS
    assert detail.name in {name for name, *_ in FORECAST_FIELDS}
    assert HEADINGS[detail.name] == detail.column
    assert (detail.label in CSV_COLUMNS.values()) == (detail.on_bookings or detail.name == "program")


def values() -> dict[str, str]:
    return {detail.name: f"{detail.name} X" if detail.is_text else "2028" for detail in VEHICLE_DETAILS}


def test_what_is_typed_is_kept_shown_listed_and_in_the_file(client, world):
    client.force_login(world.users["scheduler"])
    vehicle = world.vehicles["412W101"]
    page = client.get(reverse("allocations:vehicle-edit", args=[vehicle.pk]), follow=True)
    posted = {"tag": vehicle.tag, "drive": vehicle.drive, "weight_class": vehicle.weight_class, **values()}
    posted["seen"] = page.context["form"].initial["seen"]
    client.post(page.wsgi_request.path, posted)
    vehicle.refresh_from_db()
    assert {name: str(getattr(vehicle, name)) for name in NAMES} == values()
    shown = client.get(reverse("allocations:vehicle-detail", args=[vehicle.pk]), follow=True).content.decode()
    assert [detail.label for detail in VEHICLE_DETAILS if f"<dd>{values()[detail.name]}</dd>" not in shown] == []
    index = reverse("allocations:vehicle-list")
    listed = client.get(index, {"q": "X"}, follow=True).content.decode()
    assert [detail.label for detail in LISTED if values()[detail.name] not in listed] == []
    answer = client.get(index, {"format": "csv", "q": "X"}, follow=True)
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert {detail.name: row[detail.label] for detail in VEHICLE_DETAILS} == values()


@pytest.mark.parametrize("detail", [*LISTED, *ON_BOOKINGS], ids=lambda detail: detail.name)
def test_list_is_sorted_by_its_columns(client, world, detail):
    client.force_login(world.users["viewer"])
    Vehicle.objects.filter(pk=world.vehicles["412W101"].pk).update(**{detail.name: "AAA"})
    Vehicle.objects.filter(pk=world.vehicles["412W102"].pk).update(**{detail.name: "ZZZ"})
    page = client.get(reverse("allocations:vehicle-list"), {"sort": f"-{detail.name}"}, follow=True)
    assert str(page.context["page_obj"].object_list[0]) == "412W102"
