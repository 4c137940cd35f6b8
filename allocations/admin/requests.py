"""Test requests. One that waits can be changed and cancelled; the others are read."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from allocations.admin.asking import confirmed, repeated
from allocations.admin.base import GroundAdmin
from allocations.admin.forms import VersionedForm
from allocations.admin.scope import actor_of
from allocations.enums import RequestStatus
from allocations.exceptions import DomainError
from allocations.models import Change, TestRequest
from allocations.services import requests
from allocations.services.unit_of_work import Actor


class RequestForm(VersionedForm):
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        vehicle = values.get("vehicle")
        if self.instance.pk is None and vehicle:
            self.instance.ground = vehicle.ground
        for name in ("vehicle", "test_type", "after"):
            row = values.get(name)
            if row and self.instance.ground_id and row.ground_id != self.instance.ground_id:
                self.add_error(name, f"{row} is of another proving ground than the vehicle.")
        return values


@admin.register(TestRequest)
class TestRequestAdmin(GroundAdmin):
    form = RequestForm
    change_form_template = "admin/request_form.html"
    list_display = [
        "vehicle",
        "test_type",
        "step",
        "days",
        "earliest_start",
        "due_date",
        "priority",
        "status",
        "ground_code",
    ]
    list_filter = [
        "status",
        "priority",
        ("ground", admin.RelatedOnlyFieldListFilter),
        ("test_type", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["vehicle__tag", "vehicle__vin", "vehicle__program", "test_type__name", "step", "note"]
    date_hierarchy = "earliest_start"
    autocomplete_fields = ["vehicle", "after"]
    actions = ["cancel"]
    fieldsets = [
        (None, {"fields": ["vehicle", "test_type", "drive", "step", "priority", "seen"]}),
        ("How long", {"fields": ["days", ("miles", "miles_per_day", "extra_days")]}),
        ("When", {"fields": [("earliest_start", "due_date"), "after"]}),
        ("Note", {"fields": ["note"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("vehicle", "test_type", "ground")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple:
        rows, twice = super().get_search_results(request, queryset, search_term)
        if request.GET.get("field_name") == "request":  # an allocation asks: only those that wait get a place
            rows = rows.filter(status=RequestStatus.WAITING)
        return rows, twice

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        waits = obj is None or obj.status == RequestStatus.WAITING
        return super().has_change_permission(request, obj) and waits

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            first = ["vehicle", "test_type", "drive", "step", "priority", "status"]
            return [(None, {"fields": first}), *self.fieldsets[1:]]
        return super().get_fieldsets(request, obj)

    def save(self, actor: Actor, row: TestRequest, values: dict[str, Any], change: bool) -> Change:
        version = values.pop("version")
        if change:
            return requests.change_request(row.pk, version=version, actor=actor, **values)
        return requests.create_request(values.pop("vehicle_id"), actor=actor, **values)

    def get_urls(self) -> list:
        cancel = self.admin_site.admin_view(self.cancel_view)
        return [path("<path:object_id>/cancel/", cancel, name="allocations_testrequest_cancel"), *super().get_urls()]

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        answer = self._cancelling(request, [row])
        return answer or HttpResponseRedirect(reverse("admin:allocations_testrequest_change", args=[row.pk]))

    @admin.action(description="Cancel the requests selected", permissions=["change"])
    def cancel(self, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        return self._cancelling(request, list(rows))

    def _cancelling(self, request: HttpRequest, rows: list[TestRequest]) -> HttpResponse | None:
        if not confirmed(request):
            return self.page(
                request,
                "admin/confirm.html",
                title="Cancel " + (str(rows[0]) if len(rows) == 1 else f"{len(rows)} requests"),
                lead="They no longer wait for a place.",
                rows=[f"{row}, {row.days} days" for row in rows],
                button="Cancel it" if len(rows) == 1 else "Cancel them",
                fields=repeated(request),
            )
        try:
            with transaction.atomic():
                done = [requests.cancel_request(row.pk, actor=actor_of(request)) for row in rows]
        except DomainError as error:
            self.message_user(request, f"Nothing was changed. {error.sentence}", messages.ERROR)
            return None
        for change in done:
            self.message_user(request, f"{change.summary}.", messages.SUCCESS)
        return None
