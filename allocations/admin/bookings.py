"""Allocations: booked, moved and cancelled by the booking service, deleted by nobody."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from allocations.admin.asking import codes_confirmed, confirmed, repeated
from allocations.admin.base import GroundAdmin, on_schedule, span_of
from allocations.admin.forms import VersionedForm
from allocations.admin.scope import actor_of, within
from allocations.enums import OPEN_STATUSES, AllocationStatus, RequestStatus
from allocations.exceptions import DomainError
from allocations.models import Allocation, Change, ProvingGround, TestRequest
from allocations.rulebook import MAX_AHEAD, check_days
from allocations.selectors.running import progress_of
from allocations.services import booking
from allocations.services.unit_of_work import Actor
from dynosite.lib import clock
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date


class AllocationForm(VersionedForm):
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        dyno, first, last = (values.get(name) for name in ("dyno", "first_day", "last_day"))
        if self.instance.pk is None and dyno:
            self.instance.ground = dyno.ground
        for name in ("vehicle", "test_type"):
            row = values.get(name)
            if row and dyno and row.ground_id != dyno.ground_id:
                self.add_error(name, f"{row} is not of the proving ground of {dyno}.")
        if first and last and (wrong := check_days(DayRange(first, last))):
            self.add_error("last_day", wrong[0].sentence)
        elif last and last > clock.today("UTC") + MAX_AHEAD:
            self.add_error("last_day", f"{full_date(last)} is more than ten years ahead.")
        return values


def _how_far(allocation: Allocation) -> str:
    """Its status; of a running test how much of it has run, which cancelling takes out of the records."""
    status = allocation.get_status_display().lower()
    if allocation.status != AllocationStatus.RUNNING:
        return status
    progress = progress_of(allocation)
    days = f"{progress.run} of {count(progress.booked, 'day')} have run"
    return f"{status}: {days}; completing it instead keeps them in the records"


class ShownFilter(admin.SimpleListFilter):
    """What is on today and to come, unless this filter, a status, a day or a search asks for something else."""

    title = "days"
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("past", "Past"), ("cancelled", "Cancelled"), ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Today and to come"}
        yield from others

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        running = Q(status=AllocationStatus.RUNNING)
        stands = rows.exclude(status=AllocationStatus.CANCELLED)
        past = _before_today(request) & ~running
        by_choice = {
            "past": stands.filter(past),
            "cancelled": rows.filter(status=AllocationStatus.CANCELLED),
            "all": rows,
        }
        if (choice := self.value() or "") in by_choice:
            return by_choice[choice]
        narrowed = any(name == "q" or name.startswith(("status", "first_day")) for name in request.GET)
        return rows if narrowed else stands.filter(~past)


def _before_today(request: HttpRequest) -> Q:
    """What ended before the day that it is at its own proving ground."""
    grounds: dict[dt.date, list[int]] = {}
    for ground in within(request, ProvingGround):
        grounds.setdefault(ground.today(), []).append(ground.pk)
    none = Q(pk__in=[])
    return reduce(or_, (Q(ground__in=ids, last_day__lt=today) for today, ids in grounds.items()), none)


@admin.register(Allocation)
class AllocationAdmin(GroundAdmin):
    form = AllocationForm
    change_form_template = "admin/allocation_form.html"
    list_display = ["vehicle", "dyno", "span", "status", "test_type", "schedule", "ground_code"]
    list_filter = [
        ShownFilter,
        "status",
        ("ground", admin.RelatedOnlyFieldListFilter),
        ("dyno__facility", admin.RelatedOnlyFieldListFilter),
        ("dyno", admin.RelatedOnlyFieldListFilter),
        ("test_type", admin.RelatedOnlyFieldListFilter),
        "source",
    ]
    search_fields = ["vehicle__tag", "vehicle__vin", "vehicle__program", "dyno__name", "test_type__name", "note"]
    date_hierarchy = "first_day"
    ordering = ["first_day", "dyno__sort_key"]
    autocomplete_fields = ["vehicle", "request"]
    actions = ["start", "extend", "complete", "cancel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return (
            super()
            .get_queryset(request)
            .select_related("vehicle", "dyno", "test_type", "ground", "request", "created_by")
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """From today on forward in time, and back in time of what is past."""
        back = request.GET.get("shown") in ("past", "cancelled", "all")
        return ("-first_day" if back else "first_day", "dyno__sort_key")

    @admin.display(description="days", ordering="first_day")
    def span(self, allocation: Allocation) -> str:
        return span_of(allocation)

    @admin.display(description="schedule")
    def schedule(self, allocation: Allocation) -> str:
        return on_schedule(allocation.ground.code, allocation.first_day)

    @admin.display(description="booked by")
    def booked_by(self, allocation: Allocation) -> str:
        return allocation.created_by.display_name if allocation.created_by else "–"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.status not in OPEN_STATUSES)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list:
        days = ["dyno", ("first_day", "last_day")]
        if obj is None:
            return [(None, {"fields": ["vehicle", "test_type", "drive", *days, "request", "note", "seen"]})]
        more = ["vehicle", "test_type", "drive", "status", "request", "note", "source", "booked_by", "created_at"]
        hidden = ["seen"] if self.has_change_permission(request, obj) else []
        return [("Place", {"fields": [*days, *hidden]}), ("Test", {"fields": more})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return []
        return ["vehicle", "test_type", "drive", "status", "request", "note", "source", "booked_by", "created_at"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "request":
            kwargs["queryset"] = within(request, TestRequest).filter(status=RequestStatus.WAITING)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = self.values(form) | {"confirmed": codes_confirmed(request)}
        self.refresh(obj, self.save(actor_of(request), obj, values, change))

    def save(self, actor: Actor, row: Allocation, values: dict[str, Any], change: bool) -> Change:
        version = values.pop("version")
        if change:
            # Only what was changed: a day that is left alone does not pin the length of a move.
            return booking.move(row.pk, version=version, actor=actor, **values)
        return booking.book(values.pop("vehicle_id"), values.pop("dyno_id"), actor=actor, **values)

    def get_urls(self) -> list:
        cancel = self.admin_site.admin_view(self.cancel_view)
        return [path("<path:object_id>/cancel/", cancel, name="allocations_allocation_cancel"), *super().get_urls()]

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        allocation = self.get_object(request, unquote(object_id))
        if allocation is None:
            raise Http404
        if not self.has_view_permission(request, allocation):
            raise PermissionDenied
        answer = self._cancelling(request, [allocation])
        return answer or HttpResponseRedirect(reverse("admin:allocations_allocation_change", args=[allocation.pk]))

    @admin.action(description="Start the tests selected", permissions=["change"])
    def start(self, request: HttpRequest, allocations: QuerySet) -> None:
        self._for_all(request, allocations, booking.start)

    @admin.action(description="Extend the running tests selected to today", permissions=["change"])
    def extend(self, request: HttpRequest, allocations: QuerySet) -> None:
        self._for_all(request, allocations, booking.extend)

    @admin.action(description="Complete the tests selected", permissions=["change"])
    def complete(self, request: HttpRequest, allocations: QuerySet) -> None:
        self._for_all(request, allocations, booking.complete)

    @admin.action(description="Cancel the allocations selected", permissions=["change"])
    def cancel(self, request: HttpRequest, allocations: QuerySet) -> HttpResponse | None:
        return self._cancelling(request, list(allocations))

    def _cancelling(self, request: HttpRequest, allocations: list[Allocation]) -> HttpResponse | None:
        if confirmed(request):
            self._for_all(request, allocations, booking.cancel)
            return None
        return self.page(
            request,
            "admin/confirm.html",
            title="Cancel " + (str(allocations[0]) if len(allocations) == 1 else f"{len(allocations)} allocations"),
            lead="The days become free at once. A test request behind an allocation waits for a place again.",
            rows=[f"{row.test_type}: {row} ({_how_far(row)})" for row in allocations],
            button="Cancel it" if len(allocations) == 1 else "Cancel them",
            fields=repeated(request),
        )

    def _for_all(self, request: HttpRequest, allocations: Any, service: Callable[..., Change]) -> None:
        """All of them or none."""
        try:
            with transaction.atomic():
                done = [service(allocation.pk, actor=actor_of(request)) for allocation in allocations]
        except DomainError as error:
            self.message_user(request, f"Nothing was changed. {error.sentence}", messages.ERROR)
            return
        for change in done:
            self.message_user(request, f"{change.summary}.", messages.SUCCESS)
