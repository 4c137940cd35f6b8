"""Setting, changing and lifting maintenance: first what it would hit, then an answer for each, then the deed."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from allocations import access
from allocations.enums import AllocationStatus, MaintenanceKind, Role
from allocations.models import Allocation, MaintenanceWindow
from allocations.rulebook import LONG_WINDOW
from allocations.selectors.dynos import dyno_by_id
from allocations.selectors.maintenance import Answer, Hit, fallout, may_change_window, returns, tally_of, window_by_id
from allocations.selectors.series import later_in_series, places_in_series
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.web.domain_errors import AttemptResult, actor_of, attempt, key_of, say_done
from allocations.web.forms.maintenance import SERIES, WindowForm, read_answers
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.maintenance.repairs import ONE_BY_ONE, Choice, choice_for
from allocations.web.maintenance.series import Series, series_of, write_series
from allocations.web.schedule.repair_text import read
from dynosite.accounts.requests import UserRequest
from dynosite.lib.days import DayRange
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import number_of, numbers_of

REQUIRED = ("dyno", "first_day", "last_day")


@require_safe
def detail(request: UserRequest, pk: int) -> HttpResponse:
    return render(request, "allocations/schedule/window.html", _facts(request, pk))


@require_safe
def card(request: UserRequest, pk: int) -> HttpResponse:
    return render(request, "allocations/schedule/_window_card.html", _facts(request, pk))


def _facts(request: UserRequest, pk: int) -> dict[str, object]:
    window = window_by_id(pk, user=request.user)
    shell_of(request).show_ground(window.ground_id)
    return {
        "window": window,
        "may_change": may_change_window(window, user=request.user),
        "place_in_series": places_in_series([window]).get(pk, ""),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    if (dyno_id := number_of(data.get("dyno"))) is not None:
        shell_of(request).show_ground(dyno_by_id(dyno_id, user=request.user).ground_id)
    return _set(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: UserRequest, pk: int) -> HttpResponse:
    window = _window(request, pk)
    if window.lifted_at:
        messages.info(request, "This window is lifted and can no longer be changed.")
        return redirect("allocations:window-detail", pk)
    return _set(request, window)


@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: UserRequest, pk: int) -> HttpResponse:
    window = _window(request, pk)
    if window.lifted_at and request.method != "POST":
        messages.info(request, "This window is lifted already.")
        return redirect("allocations:window-detail", pk)
    later = later_in_series(window)
    data = request.POST if request.method == "POST" else request.GET
    with_later = bool(later) and data.get("later") == "1"
    outcome = _lifted(request, window, with_later) if request.method == "POST" else None
    if outcome and not outcome.refused:
        say_done(request, outcome.change)
        return redirect("allocations:dyno-detail", window.dyno_id)
    going = [window, *later] if with_later else [window]
    context = {
        "window": window,
        "later": later,
        "with_later": with_later,
        "going": going,
        "place_in_series": places_in_series([window]).get(pk, ""),
        "returns": [back for row in going for back in returns(row, with_it=[row.pk for row in going])],
        "outcome": outcome,
        "trail": [*_trail(window), ("Lift", "")],
    }
    return render(request, "allocations/maintenance/lift.html", context, status=outcome.status if outcome else 200)


def _lifted(request: UserRequest, window: MaintenanceWindow, with_later: bool) -> AttemptResult:
    version = number_of(request.POST.get("version"))
    return attempt(
        lambda: lift_maintenance(
            window.pk,
            later=with_later,
            bring_back=_back(request),
            actor=actor_of(request),
            key=key_of(request),
            version=version,
        ),
        title="It cannot be lifted like this",
    )


def _window(request: UserRequest, pk: int) -> MaintenanceWindow:
    window = window_by_id(pk, user=request.user)
    shell_of(request).show_ground(window.ground_id)
    current_ground(request, Role.SCHEDULER)
    access.require_window(request.user, window)
    return window


def _back(request: UserRequest) -> list[int]:
    return numbers_of(request.POST.getlist("back"))


def _set(request: UserRequest, window: MaintenanceWindow | None) -> HttpResponse:
    form = _form_of(request, window)
    is_filled_in = all(form.data.get(name) for name in REQUIRED)
    if request.method != "POST" and "preview" not in request.GET and not is_filled_in:
        # Nothing is amiss yet where nobody has asked; still these fields are not optional.
        _require(form, False)
        form.is_valid()
        _require(form, True)
        return _page(request, form, window)
    if not form.is_valid():
        return _page(request, form, window, status=422 if request.method == "POST" else 200)
    if len(form.slots) > 1:
        return _set_series(request, form)
    hits = fallout(form.cleaned_data["dyno"].pk, form.days, user=request.user)
    if request.method != "POST":
        return _page(request, form, window, hits=hits, choice=_choice(request, form, window))
    return _write(request, form, window, hits)


def _form_of(request: UserRequest, window: MaintenanceWindow | None) -> WindowForm:
    """The form with what was sent, over what the window has; who may set outages alone is offered nothing else."""
    ground = current_ground(request, Role.SCHEDULER)
    data = request.POST if request.method == "POST" else request.GET
    filled = _values_of(window) | {name: data[name] for name in WindowForm.base_fields if name in data}
    filled["also"] = [number for number in data.getlist("also") if len(number) < 19]
    outage_only = not shell_of(request).may_keep
    if outage_only and (request.method != "POST" or "kind" not in data):
        filled["kind"] = MaintenanceKind.OUTAGE.value
    if request.method != "POST" and filled["kind"] == MaintenanceKind.OUTAGE:
        filled.setdefault("first_day", ground.today().isoformat())
    single = outage_only or window is not None
    return WindowForm(filled, ground=ground, user=request.user, outage_only=outage_only, single=single)


def _set_series(request: UserRequest, form: WindowForm) -> HttpResponse:
    series, outcome = series_of(request, form), None
    if request.method == "POST":
        outcome = write_series(request, form, series)
        if not outcome.refused:
            say_done(request, outcome.change, "Maintenance set: {summary}")
            return redirect("allocations:dyno-detail", form.cleaned_data["dyno"].pk)
    status = outcome.status if outcome else 200
    return _page(request, form, None, series=series, outcome=outcome, status=status)


def _require(form: WindowForm, required: bool) -> None:
    for name in REQUIRED:
        form.fields[name].required = required


def _write(request: UserRequest, form: WindowForm, window: MaintenanceWindow | None, hits: list[Hit]) -> HttpResponse:
    values = {name: form.cleaned_data[name] for name in ("first_day", "last_day", "kind", "reason", "reference")}
    version = number_of(request.POST.get("version"))
    chosen = request.POST.get("repair", ONE_BY_ONE)
    answers = read_answers(request.POST, hits)
    moves: dict[int, Answer] = {}
    if chosen != ONE_BY_ONE:
        answers, moves = read(request.POST.get(f"option-{chosen}", ""))
    outcome = attempt(
        lambda: set_maintenance(
            form.cleaned_data["dyno"].pk,
            answers=answers,
            moves=moves,
            bring_back=_back(request),
            window_id=window.pk if window else None,
            actor=actor_of(request),
            version=version if window else None,
            key=key_of(request),
            **values,
        ),
        title="The window cannot be set like this",
    )
    if outcome.refused:
        choice = _choice(request, form, window)
        return _page(request, form, window, hits=hits, choice=choice, outcome=outcome, status=outcome.status)
    say_done(request, outcome.change, "Maintenance set: {summary}")
    return redirect("allocations:dyno-detail", form.cleaned_data["dyno"].pk)


def _choice(request: UserRequest, form: WindowForm, window: MaintenanceWindow | None) -> Choice | None:
    return choice_for(
        request,
        form.cleaned_data["dyno"],
        form.days,
        params=_filled_fields(form),
        window_id=window.pk if window else None,
        others_stay=form.others_stay,
    )


def _hidden(form: WindowForm) -> list[tuple[str, str]]:
    """What the form of the answers carries of the one before it."""
    single = [(name, form.data.get(name, "")) for name in form.fields if name != "also"]
    return single + [("also", number) for number in form.data.get("also", ()) if "also" in form.fields]


def _filled_fields(form: WindowForm) -> dict[str, str]:
    return {name: form.data.get(name, "") for name in form.fields if name not in SERIES and form.data.get(name)}


def _values_of(window: MaintenanceWindow | None) -> dict[str, Any]:
    if window is None:
        return {"kind": MaintenanceKind.PLANNED.value, "others": "move", "every": "1"}
    values = {name: getattr(window, name) for name in ("kind", "reason", "reference")}
    days = {"first_day": window.first_day.isoformat(), "last_day": window.last_day.isoformat()}
    return values | days | {"dyno": window.dyno_id, "others": "move"}


def _trail(window: MaintenanceWindow | None) -> list[tuple[str, str]]:
    trail = [("Dynos", reverse("allocations:dyno-list"))]
    if window:
        trail.append((str(window.dyno), reverse("allocations:dyno-detail", args=[window.dyno_id])))
        trail.append(("Maintenance", reverse("allocations:window-detail", args=[window.pk])))
    return trail


def _page(
    request: UserRequest,
    form: WindowForm,
    window: MaintenanceWindow | None,
    *,
    hits: list[Hit] | None = None,
    choice: Choice | None = None,
    series: Series | None = None,
    outcome: AttemptResult | None = None,
    status: int = 200,
) -> HttpResponse:
    title = "Set maintenance" if shell_of(request).may_keep else "Take a dyno out of service"
    context = {
        "form": form,
        "window": window,
        "hidden": _hidden(form),
        "series": series,
        "may_repeat": "repeat" in form.fields,
        "previewed": hits is not None,
        **({} if hits is None else _fallout(request, form.days, window, hits)),
        "choice": choice,
        "outcome": outcome,
        "title": title,
        "trail": [*_trail(window), ("Change" if window else title, "")],
        "here": request.path,
    }
    template = "_window.html" if wants_fragment(request, "window") else "page.html"
    if choice and wants_fragment(request, choice.stamp):
        template = "_repairs.html"
        context["keep"] = True  # what was chosen while these were looked for stays chosen
    return render(request, f"allocations/maintenance/{template}", context, status=status)


def _fallout(
    request: UserRequest, days: DayRange, window: MaintenanceWindow | None, hits: list[Hit]
) -> dict[str, object]:
    """What the window would do on these days: the bookings that it hits, each with its answer, and those it frees."""
    data = request.POST if request.method == "POST" else request.GET
    return {
        "hits": [(hit, data.get(f"answer-{hit.allocation.pk}") or _proposal(hit)) for hit in hits],
        "blocked": not all(hit.answers for hit in hits),
        "cut": [_cut(hit, days) for hit in hits if hit.allocation.status == AllocationStatus.RUNNING],
        "returns": returns(window, remaining=days) if window else [],
        "days": days,
        "long": days.days > LONG_WINDOW,
        "tally": tally_of(hit.proposed for hit in hits if hit.proposed),
    }


def _cut(hit: Hit, days: DayRange) -> tuple[Allocation, dt.date | None]:
    """A running test that is hit, and the last day that it keeps; None where the window leaves it none."""
    begins_before = hit.allocation.first_day < days.first
    return hit.allocation, days.first - dt.timedelta(days=1) if begins_before else None


def _proposal(hit: Hit) -> str:
    return hit.proposed.to.value if hit.proposed else ""
