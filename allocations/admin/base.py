"""What the administration of every model shares: rights by membership, and writes through the services alone."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import construct_change_message
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.text import capfirst

from allocations.admin.asking import BACK, ConfirmationRequired, RedirectRequired, asks_to_confirm, repeated
from allocations.admin.forms import DomainForm
from allocations.admin.history import history_page
from allocations.admin.scope import actor_of, ground_ids, within
from allocations.exceptions import DomainError, NotAllowed, Refused
from allocations.models import Change
from allocations.models.naming import field_of
from allocations.services.days_lost import DaysLost
from allocations.services.unit_of_work import Actor
from dynosite.lib.formats import count, day_range
from dynosite.lib.forms import DayField
from dynosite.templatetags.ui import ground_url

REFUSAL = "domain_error"
"""Of a request: what the service refused, which its form shows."""


class Scoped(BaseModelAdmin):
    """For model admins and inlines alike: a row may only point at rows of the user's own grounds."""

    formfield_overrides = {
        models.DateField: {"form_class": DayField, "widget": None},
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 60})},
    }

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", within(request, db_field.remote_field.model))
        if len(ground_ids(request)) > 1:
            kwargs.setdefault("form_class", _ChoiceWithGround)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and hasattr(field.widget, "can_change_related"):
            for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
                setattr(field.widget, name, False)
        return field


class Rows(Scoped, admin.TabularInline):
    """Rows below what they belong to. So many at most, whatever number the form names: each costs queries."""

    extra = 1
    max_num = 200

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"absolute_max": self.max_num} | kwargs)


def on_schedule(code: str, first: dt.date) -> str:
    """A link to the row's days on the calendar of its ground."""
    address = ground_url(code, "allocations:schedule")
    return format_html('<a href="{}?from={}">On the schedule</a>', address, first - dt.timedelta(days=3))


def span_of(row: Any) -> str:
    """'19 – 22 Nov 2026 · 4 days', of a row with a first and a last day."""
    days = (row.last_day - row.first_day).days + 1
    return f"{day_range(row.first_day, row.last_day)} · {count(days, 'day')}"


class _ChoiceWithGround(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        ground = getattr(obj, "ground", None)
        return f"{obj} · {ground.code}" if ground else str(obj)


class GroundAdmin(Scoped, admin.ModelAdmin):
    """Rows of the grounds where the user is admin. Subclasses write in `save` and `remove`, through services.

    What a service refuses becomes an error of the form: the transaction is rolled back, and the same form is
    validated once more with the refusal as one more error.
    """

    ground_path = "ground_id"
    form = DomainForm
    view_on_site = False
    actions: Any = []
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    deletable = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).filter(**{f"{self.ground_path}__in": ground_ids(request)})

    def _ground_of(self, row: Any) -> int | None:
        for name in self.ground_path.split("__"):
            row = getattr(row, name)
        return row

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The page about a row is one of the row's ground."""
        row = super().get_object(request, object_id, from_field)
        show_ground = getattr(request, "show_ground", None)
        if row is not None and show_ground and self._ground_of(row) in ground_ids(request):
            show_ground(self._ground_of(row))
        return row

    def _holds(self, request: HttpRequest, row: Any) -> bool:
        grounds = ground_ids(request)
        return self._ground_of(row) in grounds if row is not None else bool(grounds)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.deletable and self._holds(request, obj)

    def get_list_display(self, request: HttpRequest) -> list:
        """Without the ground where there is only one."""
        columns = list(super().get_list_display(request))
        return columns if len(ground_ids(request)) > 1 else [column for column in columns if column != "ground_code"]

    @admin.display(description="ground", ordering="ground__code")
    def ground_code(self, row: Any) -> str:
        return row.ground.code

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if issubclass(form, DomainForm):
            form.domain_error = getattr(request, REFUSAL, None)
        return form

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if BACK in request.POST:
            setattr(request, REFUSAL, DomainError("Nothing is saved yet."))
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ConfirmationRequired as ask:
            return self.asking_page(request, ask)
        except RedirectRequired as elsewhere:
            self.message_user(request, elsewhere.sentence, "info")
            return HttpResponseRedirect(elsewhere.address)
        except NotAllowed:
            raise PermissionDenied from None
        except DaysLost:
            raise
        except DomainError as error:
            if isinstance(error, Refused) and error.to_confirm:
                return self.asking_page(request, asks_to_confirm(request, error))
            setattr(request, REFUSAL, error)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def asking_page(self, request: HttpRequest, ask: ConfirmationRequired) -> HttpResponse:
        context = {"fields": repeated(request, without=ask.context.get("without", "")), **ask.context}
        return self.page(request, ask.template, **context)

    def page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """A page of this model's administration that is not one of Django's."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **context}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)

    def save(self, actor: Actor, row: Any, values: dict[str, Any], change: bool) -> Change:
        """Writes through a service."""
        raise NotImplementedError

    def remove(self, actor: Actor, row: Any) -> Change:
        """Deletes through a service, where `deletable`."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.refresh(obj, self.save(actor_of(request), obj, self.values(form), change))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: `save` has written all of it."""

    def refresh(self, obj: Any, change: Change) -> None:
        """Makes the admin's object the row that the service has written."""
        if obj.pk is None:
            obj.pk = next(item["id"] for item in change.items if item["model"] == self.opts.model_name)
        obj._state.adding = False
        obj.refresh_from_db()

    def values(self, form: Any) -> dict[str, Any]:
        """The form's fields by attribute name, with ids for rows, and what tells whether they have changed since."""
        by_name = dict(form.as_seen)
        for name, value in form.cleaned_data.items():
            if name in form._meta.model._meta._forward_fields_map:
                attribute = field_of(self.model, name).attname
                by_name[attribute] = value.pk if isinstance(value, models.Model) else value
        return by_name

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Whether something may be deleted is decided by what refers to it, not by permissions of those models."""
        objects, numbers, _, protected = super().get_deleted_objects(objs, request)
        return objects, numbers, set(), protected

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(actor_of(request), obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            self.message_user(request, error.sentence, "error")
            return self.response_post_save_change(request, None)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return construct_change_message(form, [], add)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return history_page(self, request, row)
