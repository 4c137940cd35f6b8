"""Every form of the pages renders its fields from `components/field.html`."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Fields with label, help and errors beside them; forms as a stack of such fields."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
