"""Maintenance windows: nothing that they hit disappears, and lifting one offers to bring it back."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from allocations.admin.asking import Ask, confirmed, repeated
from allocations.admin.base import GroundAdmin
from allocations.admin.fallout import PREFIX, FalloutForm, differences, facts_of, facts_shown, returning
from allocations.admin.forms import FARTHEST, VersionedForm
from allocations.admin.scope import actor_of, within
from allocations.enums import MaintenanceKind, RefusalCode
from allocations.exceptions import DomainError, Refused, Stale
from allocations.models import Dyno, MaintenanceWindow
from allocations.rulebook import check_days
from allocations.selectors.maintenance import Return, fallout, returns
from allocations.services.maintenance import lift_maintenance, set_maintenance
from dynosite.lib import clock
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count


class WindowForm(VersionedForm):
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
            self.add_error("last_day", f"{last} is past; today is {today}.")
        elif first < today and first != self.initial.get("first_day") and kind != MaintenanceKind.OUTAGE:
            self.add_error("first_day", f"{first} is past; only an outage may have begun already.")
        elif last > today + FARTHEST:
            self.add_error("last_day", f"{last} is more than ten years ahead.")


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("coming", "Now or coming"), ("over", "Over"), ("lifted", "Lifted")]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        today = clock.today("UTC")
        found = {
            "coming": Q(lifted_at=None, last_day__gte=today),
            "over": Q(lifted_at=None, last_day__lt=today),
            "lifted": Q(lifted_at__isnull=False),
        }
        return rows.filter(found[self.value()]) if self.value() in found else rows


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(GroundAdmin):
    form = WindowForm
    change_form_template = "admin/window_form.html"
    fieldsets = [
        (None, {"fields": ["dyno", ("first_day", "last_day"), "kind", "reason", "reference", "seen"]}),
    ]
    list_display = [
        "dyno", "first_day", "last_day", "kind", "state", "displaced", "reason", "reference", "ground_code",
    ]  # fmt: skip
    list_display_links = ["dyno", "first_day"]
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

    @admin.display(ordering="number")
    def displaced(self, window: MaintenanceWindow) -> int:
        return window.number  # type: ignore[attr-defined]

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
        if obj and obj.lifted_at:
            names = ["dyno", ("first_day", "last_day"), "kind", "reason", "reference", "lifted_at"]
            return [(None, {"fields": names})]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["lifted_at"] if obj and obj.lifted_at else []

    def get_urls(self) -> list:
        lift = self.admin_site.admin_view(self.lift_view)
        return [path("<path:object_id>/lift/", lift, name="allocations_maintenancewindow_lift"), *super().get_urls()]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """A window is never deleted; lifting is what is meant."""
        return self.lift_view(request, object_id)

    def save_model(self, request: HttpRequest, obj: MaintenanceWindow, form: Any, change: bool) -> None:
        values = self.values(form)
        version = values.pop("version")
        days = DayRange(values["first_day"], values["last_day"])
        step = self._step(request, obj, days, change)
        shown = facts_shown(request.POST) if step.is_bound else None
        if step.hits or step.returns or shown:
            news = differences(shown, facts_of(step.hits, step.returns)) if shown else []
            if news or not shown or step.blocked or not step.is_valid():
                raise self._ask(request, obj, step, news=news)
        answered = {"answers": step.answers(), "bring_back": step.bring_back()} if shown else {}
        try:
            written = set_maintenance(
                values.pop("dyno_id"),
                window_id=obj.pk,
                version=version,
                actor=actor_of(request),
                **values,
                **answered,
            )
        except (Refused, Stale) as error:
            raise self._again(request, obj, days, change, shown, error) from None
        self.written(obj, written)

    def _again(
        self, request: HttpRequest, window: MaintenanceWindow, days: DayRange, change: bool, shown: Any, error: Any
    ) -> Exception:
        """What to raise instead: the step once more, where that is the way out of what the service said."""
        unanswered = isinstance(error, Refused) and error.refusals[0].code == RefusalCode.FALLOUT_UNANSWERED
        if not shown and not unanswered:
            return error
        step = self._step(request, window, days, change)
        news = differences(shown, facts_of(step.hits, step.returns)) if shown else []
        if isinstance(error, Stale) and not news:
            return error
        return self._ask(request, window, step, news=news, error=None if news or unanswered else error)

    def _step(self, request: HttpRequest, window: MaintenanceWindow, days: DayRange, change: bool) -> FalloutForm:
        hits = fallout(window.dyno_id, days, user=request.user)  # type: ignore[arg-type]
        left = days if change and window.dyno_id == _dyno_before(window) else None
        back = [each for each in returns(window, left=left) if not each.refusals] if change else []
        dynos = within(request, Dyno).filter(ground=window.ground_id, enabled=True)
        posted = request.POST if facts_shown(request.POST) else None
        return FalloutForm(posted, hits=hits, returns=back, dynos=dynos)

    def _ask(self, request: HttpRequest, window: MaintenanceWindow, step: FalloutForm, **more: Any) -> Ask:
        if step.is_bound and more["news"]:
            # Old answers to new questions would stand beside errors about what was never asked.
            step = FalloutForm(None, hits=step.hits, returns=step.returns, dynos=within(request, Dyno).filter(
                ground=window.ground_id, enabled=True
            ))  # fmt: skip
        hit = count(len(step.hits), "test")
        title = f"{window}: {hit} in the way" if step.hits else f"{window}: what can come back"
        return Ask("admin/fallout.html", title=title, step=step, without=PREFIX, window=window, **more)

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
            windows=[(window, [_back_row(each) for each in returns(window)]) for window in windows],
            error=error,
            fields=repeated(request, without="lift-"),
        )

    def _lift(self, request: HttpRequest, windows: list[MaintenanceWindow]) -> list[str]:
        chosen = {int(id_) for id_ in request.POST.getlist("lift-back") if id_.isdecimal()}
        with transaction.atomic():
            return [
                lift_maintenance(
                    window.pk,
                    actor=actor_of(request),
                    bring_back=chosen.intersection(window.displacements.values_list("pk", flat=True)),
                    version=_number(request.POST.get(f"lift-version-{window.pk}")),
                ).summary
                for window in windows
            ]


def _back_row(each: Return) -> dict[str, Any]:
    return {"id": each.displacement.pk, "label": returning(each), "refusals": each.refusals}


def _dyno_before(window: MaintenanceWindow) -> int:
    return MaintenanceWindow.objects.values_list("dyno_id", flat=True).get(pk=window.pk)


def _number(text: str | None) -> int:
    """A version that cannot be read is none that was seen."""
    return int(text) if text and text.isdecimal() else -1
