"""What all forms share: fields are rendered from `components/field.html`, and days are typed in one way."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.renderers import TemplatesSetting

from dynosite.lib.days import EARLIEST, LATEST


class FormRenderer(TemplatesSetting):
    """Fields with label, help and errors beside them; forms as a stack of such fields."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


class DayInput(forms.DateInput):
    """The browser's own picker; sent as 2026-11-16, which no two countries read differently."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    widget = DayInput
    default_validators = [
        MinValueValidator(EARLIEST, f"The first day that can be meant is {EARLIEST}."),
        MaxValueValidator(LATEST, f"The last day that can be meant is {LATEST}."),
    ]

    def __init__(self, **more: Any) -> None:
        # The admin gives None where it has no widget of its own.
        more["widget"] = more.get("widget") or self.widget
        super().__init__(input_formats=["%Y-%m-%d"], **more)
        self.error_messages["invalid"] = "This is not a date; write it like 2026-11-16."
