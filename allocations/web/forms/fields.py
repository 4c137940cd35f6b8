"""Fields that the forms share, all of them within one proving ground."""

from typing import Any, TypeVar

from django import forms

from allocations.enums import Drive
from allocations.models import ProvingGround, TestType, Vehicle
from allocations.selectors.people import people
from allocations.selectors.vehicles import vehicle_named, vehicle_names, vehicles_like
from dynosite.accounts.models import User

Kind = TypeVar("Kind", bound=forms.Field)


def field_of(form: forms.BaseForm, name: str, kind: type[Kind]) -> Kind:
    """A field of the form that is known to be of this kind, so that what is its kind's own can be set."""
    field = form.fields[name]
    if not isinstance(field, kind):
        raise TypeError(f"{name} is a {type(field).__name__}, not a {kind.__name__}.")
    return field


class VehicleField(forms.CharField):
    """A vehicle by its tag or VIN, with names offered while typing. Gives the vehicle."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("label", "Vehicle")
        more.setdefault("help_text", "Tag or VIN")
        super().__init__(max_length=60, **more)
        self.widget.attrs |= {"list": "vehicle-names", "autocomplete": "off", "spellcheck": "false"}
        self.ground: ProvingGround | None = None
        self.user: User | None = None

    def prepare_value(self, value: object) -> object:
        return value.label if isinstance(value, Vehicle) else value

    def clean(self, value: object) -> Vehicle | None:
        text = super().clean(value)
        if not text:
            return None
        if self.ground is None or self.user is None:
            raise TypeError("A vehicle is looked for within a ground: the field belongs into a GroundForm.")
        vehicle = vehicle_named(text, self.ground, user=self.user)
        if vehicle:
            return vehicle
        like = " or ".join(candidate.label for candidate in vehicles_like(text, self.ground, user=self.user))
        hint = f" Do you mean {like}?" if like else ""
        raise forms.ValidationError(f"No vehicle here has the tag or VIN {text}.{hint}")


class GroundForm(forms.Form):
    """A form whose choices are those of one proving ground."""

    def __init__(self, *args: Any, ground: ProvingGround, user: User, **more: Any) -> None:
        super().__init__(*args, **more)
        self.ground = ground
        self.user = user
        for field in self.fields.values():
            if isinstance(field, VehicleField):
                field.ground, field.user = ground, user
            elif isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
                field.queryset = field.queryset.filter(ground=ground)

    def vehicle_names(self) -> list[tuple[str, str]]:
        return vehicle_names(self.ground, user=self.user)


def owner_choices(ground: ProvingGround, owner_id: int | None) -> list[tuple[Any, str]]:
    nobody = [] if owner_id else [("", "Nobody")]
    return [*nobody, *people(ground, besides=owner_id)]


def test_type_field(**more: Any) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(TestType.objects.all(), label="Test type", empty_label="Choose …", **more)


def drive_field() -> forms.ChoiceField:
    choices = [("", "As the vehicle"), *Drive.choices]
    return forms.ChoiceField(choices=choices, required=False, label="Tested as", help_text="Drive, if another")
