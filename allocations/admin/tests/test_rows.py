"""However many rows a form says it has, only so many are made of it."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

pytestmark = pytest.mark.django_db
INLINES = [
    (inline, model_admin.model) for model_admin in admin.site._registry.values() for inline in model_admin.inlines
]


@pytest.mark.parametrize(("inline", "model"), INLINES)
def test_rows_of_a_form_are_bounded(world, inline, model):
    request = RequestFactory().get("/")
    request.user = world.users["admin"]
    rows = inline(model, admin.site).get_formset(request)
    assert rows.absolute_max <= 200
    prefix = rows.get_default_prefix()
    form = rows({f"{prefix}-TOTAL_FORMS": "9999", f"{prefix}-INITIAL_FORMS": "0"}, instance=model())
    assert form.total_form_count() <= 200
