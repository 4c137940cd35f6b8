"""Maintenance windows: nothing that they hit disappears, and lifting one offers to bring it back."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from allocations.admin.asking import RedirectRequired, confirmed, repeated
from allocations.admin.base import GroundAdmin, on_schedule, span_of
from allocations.admin.forms import VersionedForm
from allocations.admin.scope import actor_of
from allocations.enums import MaintenanceKind, RefusalCode
from allocations.exceptions import DomainError, Refused, Stale
from allocations.models import MaintenanceWindow
from allocations.rulebook import LONG_WINDOW, MAX_AHEAD, check_days
from allocations.selectors.maintenance import Return, fallout, returns
from allocations.services.maintenance import lift_maintenance, set_maintenance
from dynosite.accounts.requests import user_of
from dynosite.lib import clock
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, day_range, full_date
from dynosite.lib.params import number_of, numbers_of
from dynosite.templatetags.ui import ground_url

NOT_YET = "Nothing is saved yet. Look at what the window does to the schedule, and set it here."
SOMEBODY_ELSE = "Somebody else has changed this in the meantime; look at it as it is now and try again."


class WindowAdminForm(VersionedForm):
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        dyno, first, last = (values.get(name) for name in ("dyno", "first_day", "last_day"))
        if self.instance.pk is None and dyno:
            self.instance.ground = dyno.ground
        elif dyno and dyno.ground_id != self.instance.ground_id:
            self.add_error("dyno", "A window stays in its proving ground.")
        if first and last and (wrong := check_days(DayRange(first, last))):
            self.add_error("last_day", wrong[0].sentence)
        elif dyno and first and last:
            self._check_past(dyno.ground.today(), first, last, values.get("kind", ""))
        return values

    def _check_past(self, today: dt.date, first: dt.date, last: dt.date, kind: str) -> None:
        if last < today and last != self.initial.get("last_day"):
            self.add_error("last_day", f"{full_date(last)} is past; today is {full_date(today)}.")
        elif first < today and first != self.initial.get("first_day") and kind != MaintenanceKind.OUTAGE:
            self.add_error("first_day", f"{full_date(first)} is past; only an outage may have begun already.")
        elif last > today + MAX_AHEAD:
            self.add_error("last_day", f"{full_date(last)} is more than ten years ahead.")


WHAT_BECAME = "what_became"
"""Of a request: the message in place of Django\'s own."""


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("coming", "Now or coming"), ("over", "Over"), ("lifted", "Lifted")]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        today = clock.today("UTC")
        conditions = {
            "coming": Q(lifted_at=None, last_day__gte=today),
            "over": Q(lifted_at=None, last_day__lt=today),
            "lifted": Q(lifted_at__isnull=False),
        }
        state = self.value() or ""
        return rows.filter(conditions[state]) if state in conditions else rows


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(GroundAdmin):
    form = WindowAdminForm
    change_form_template = "admin/window_form.html"
    list_display = ["dyno", "span", "kind", "state", "displaced", "reason", "reference", "schedule", "ground_code"]
    list_display_links = ["dyno", "span"]
    list_filter = [
        StateFilter,
        ("ground", admin.RelatedOnlyFieldListFilter),
        ("dyno__facility", admin.RelatedOnlyFieldListFilter),
        "kind",
        ("dyno", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["dyno__name", "reason", "reference"]
    date_hierarchy = "first_day"
    ordering = ["-first_day", "dyno__sort_key"]
    actions = ["lift"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("dyno", "ground")
        return rows.annotate(number=Count("displacements", filter=Q(displacements__restored_at=None)))

    @admin.display(description="days", ordering="first_day")
    def span(self, window: MaintenanceWindow) -> str:
        return span_of(window)

    @admin.display(description="schedule")
    def schedule(self, window: MaintenanceWindow) -> str:
        return on_schedule(window.ground.code, window.first_day)

    @admin.display(ordering="number")
    def displaced(self, window: MaintenanceWindow) -> int:
        return window.number  # type: ignore[attr-defined]  # counted by `get_queryset`

    @admin.display
    def state(self, window: MaintenanceWindow) -> str:
        today = window.ground.today()
        if window.lifted_at:
            return "Lifted"
        if window.last_day < today:
            return "Over"
        return "Now" if window.first_day <= today else "Coming"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.lifted_at)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list:
        names = ["dyno", ("first_day", "last_day"), "kind", "reason", "reference"]
        names += self.get_readonly_fields(request, obj)
        return [(None, {"fields": names if _over(obj) else [*names, "seen"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["repeats"] * bool(obj and obj.series) + ["lifted_at"] * _over(obj)

    def get_urls(self) -> list:
        lift = self.admin_site.admin_view(self.lift_view)
        return [path("<path:object_id>/lift/", lift, name="allocations_maintenancewindow_lift"), *super().get_urls()]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A window is never deleted; lifting is what is meant."""
        return self.lift_view(request, object_id)

    def save_model(self, request: HttpRequest, obj: MaintenanceWindow, form: Any, change: bool) -> None:
        """Saves what concerns no test. All else is decided on the page that proposes repairs, with what was typed."""
        values = self.values(form)
        version = values.pop("version")
        if self._has_to_be_decided(request, obj, DayRange(values["first_day"], values["last_day"]), form):
            if change and version != MaintenanceWindow.objects.values_list("version", flat=True).get(pk=obj.pk):
                raise Stale(SOMEBODY_ELSE)
            raise self._repairs(request, obj, form)
        try:
            saved = set_maintenance(
                values.pop("dyno_id"), window_id=obj.pk, version=version, actor=actor_of(request), **values
            )
        except Refused as refused:
            if refused.refusals[0].code == RefusalCode.FALLOUT_UNANSWERED:
                raise self._repairs(request, obj, form) from None
            raise
        self.refresh(obj, saved)
        setattr(request, WHAT_BECAME, f"{saved.summary}, {count(days_of(obj).days, 'day')}: no test was in the way.")

    def _has_to_be_decided(self, request: HttpRequest, window: MaintenanceWindow, days: DayRange, form: Any) -> bool:
        """Tests are in the way, some can come back, or the window is so long that its last day may be a mistake."""
        if fallout(window.dyno_id, days, user=user_of(request)):
            return True
        if window.pk:
            remaining = days if window.dyno_id == _dyno_before(window) else None
            if any(not candidate.refusals for candidate in returns(window, remaining=remaining)):
                return True
        return days.days > LONG_WINDOW and bool({"first_day", "last_day"} & set(form.changed_data))

    def _repairs(self, request: HttpRequest, window: MaintenanceWindow, form: Any) -> RedirectRequired:
        typed = {name: form.cleaned_data[name] for name in ("first_day", "last_day", "kind", "reason", "reference")}
        name, of = ("window-change", [window.pk]) if window.pk else ("window-create", [])
        address = ground_url(window.ground.code, f"allocations:{name}", *of)
        return RedirectRequired(f"{address}?{urlencode({'dyno': window.dyno_id, **typed, 'preview': 1})}", NOT_YET)

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **more: Any) -> None:
        """Of a window that was set, what became of the tests, in place of Django's sentence."""
        super().message_user(request, getattr(request, WHAT_BECAME, message), *args, **more)

    @admin.action(description="Lift the windows selected", permissions=["change"])
    def lift(self, request: HttpRequest, windows: QuerySet) -> HttpResponse | None:
        windows = windows.filter(lifted_at=None).order_by("first_day", "pk")
        if not windows:
            self.message_user(request, "Those windows are lifted already.", messages.WARNING)
            return None
        return self._lifting(request, list(windows))

    def lift_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lifts one window, after showing what it will bring back."""
        window = self.get_object(request, unquote(object_id))
        if window is None:
            raise Http404
        if not self.has_view_permission(request, window):
            raise PermissionDenied
        if window.lifted_at:
            self.message_user(request, "This window is lifted already.", messages.WARNING)
            return HttpResponseRedirect(reverse("admin:allocations_maintenancewindow_change", args=[window.pk]))
        done = self._lifting(request, [window])
        return done or HttpResponseRedirect(reverse("admin:allocations_maintenancewindow_changelist"))

    def _lifting(self, request: HttpRequest, windows: list[MaintenanceWindow]) -> HttpResponse | None:
        """The page that asks, or None when the windows are lifted."""
        error = None
        if confirmed(request):
            try:
                lifted = self._lift(request, windows)
            except DomainError as refused:
                error = refused
            else:
                for summary in lifted:
                    self.message_user(request, f"{summary}.", messages.SUCCESS)
                return None
        return self.page(
            request,
            "admin/lift.html",
            title="Lift " + (str(windows[0]) if len(windows) == 1 else count(len(windows), "window")),
            windows=[(window, [_back_row(candidate) for candidate in returns(window)]) for window in windows],
            error=error,
            fields=repeated(request, without="lift-"),
        )

    def _lift(self, request: HttpRequest, windows: list[MaintenanceWindow]) -> list[str]:
        chosen = set(numbers_of(request.POST.getlist("lift-back")))
        with transaction.atomic():
            return [
                lift_maintenance(
                    window.pk,
                    actor=actor_of(request),
                    bring_back=chosen.intersection(window.displacements.values_list("pk", flat=True)),
                    version=_version(request.POST.get(f"lift-version-{window.pk}")),
                ).summary
                for window in windows
            ]


def _over(window: MaintenanceWindow | None) -> bool:
    return bool(window and window.lifted_at)


def returning(candidate: Return) -> str:
    """'412W101 (Brake) back to NPG 1, 19 – 21 Nov 2026'."""
    was = candidate.displacement
    days = day_range(was.first_day, was.last_day)
    return f"{was.allocation.vehicle} ({was.allocation.test_type}) back to {was.dyno}, {days}"


def days_of(window: MaintenanceWindow) -> DayRange:
    return DayRange(window.first_day, window.last_day)


def _back_row(candidate: Return) -> dict[str, Any]:
    return {"id": candidate.displacement.pk, "label": returning(candidate), "refusals": candidate.refusals}


def _dyno_before(window: MaintenanceWindow) -> int:
    return MaintenanceWindow.objects.values_list("dyno_id", flat=True).get(pk=window.pk)


def _version(text: str | None) -> int:
    """A version that cannot be read is none that was seen."""
    version = number_of(text)
    return -1 if version is None else version
