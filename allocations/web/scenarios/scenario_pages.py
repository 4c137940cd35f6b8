"""What if: scenarios are made, edited, asked, kept and compared. The schedule is only read."""

import datetime as dt
import logging
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allocations import tasks
from allocations.access import NOT_FOUND
from allocations.enums import Door, Role, ScenarioState
from allocations.exceptions import NotFound, Refused
from allocations.models import Scenario
from allocations.selectors.scenario_edits import in_words, read_edits
from allocations.selectors.scenario_facts import names_for
from allocations.selectors.scenarios import scenario_by_id, scenario_progress, scenarios_of
from allocations.services import jobs, scenarios
from allocations.services.unit_of_work import Actor
from allocations.web.forms.scenarios import FORMS, EditForm, ScenarioForm, ScenarioWindowForm
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, listing
from allocations.web.queueing import send_job
from allocations.web.scenarios.tables import comparison_of, tables_of
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import number_of, uuid_of

logger = logging.getLogger(__name__)

LIST = "allocations:scenario-list"
DETAIL = "allocations:scenario-detail"
AHEAD = dt.timedelta(days=364)
MAX_COMPARED = 6
SORTS = {
    "made": "made_at",
    "name": "name",
    "state": "state",
    "late": "result__then__late_days",
    "unplaced": "result__then__unplaced",
}
SEARCH = ("name", "note", "made_by__username", "made_by__first_name", "made_by__last_name")
CSV = (
    "Scenario",
    "Changes",
    "State",
    "First day",
    "Last day",
    "Days late today",
    "Days late then",
    "Without a place today",
    "Without a place then",
    "Lateness today",
    "Lateness then",
    "Use % today",
    "Use % then",
    "Made",
    "By",
    "Note",
)
QUESTION_FIELDS = ("name", "first_day", "last_day", "movable", "frozen_until", "seconds", "note")


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    ground = current_ground(request)
    everything = scenarios_of(ground.pk, user=request.user)
    choice = request.GET.get("show", "")
    rows = everything.filter(deleted_at__isnull=choice != "deleted")
    results = listing(request, rows, search=SEARCH, sorts=SORTS, default="-made", filtered=bool(choice))
    names = names_for(ground.pk)
    if request.GET.get("format") == "csv":
        lines = results.rows.iterator()
        return csv_answer(f"scenarios-{ground.code.lower()}", CSV, lines, lambda scenario: _csv(scenario, names))
    for scenario in results.page_obj:
        scenario.words = _words(scenario, names)
    deleted = uuid_of(request.GET.get("deleted", ""))
    context = {
        "shown": choice,
        "kinds": [("", "All"), ("deleted", "Deleted")],
        "deleted": everything.filter(pk=deleted, deleted_at__isnull=False).first() if deleted else None,
    }
    return list_page(request, "scenarios", results, context)


def _csv(scenario: Scenario, names: dict[str, str]) -> list[Any]:
    answers = [scenario.result.get(which) or {} for which in ("today", "then")]
    figures = [of.get(name) for name in ("late_days", "unplaced", "objective", "use") for of in answers]
    return [
        scenario,
        "; ".join(_words(scenario, names)),
        scenario.get_state_display(),
        scenario.first_day,
        scenario.last_day,
        *figures,
        scenario.made_at,
        scenario.made_by,
        scenario.note,
    ]


def _words(scenario: Scenario, names: dict[str, str]) -> list[str]:
    return [in_words(edit, names) for edit in read_edits(scenario.edits)]


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    today = ground.today()
    form = ScenarioForm(request.POST or None, initial={"first_day": today, "last_day": today + AHEAD})
    if request.method == "POST" and form.is_valid():
        try:
            scenario = scenarios.make_scenario(ground.pk, actor=_actor(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error("last_day", refused.sentence)
        else:
            return redirect(DETAIL, scenario.pk)
    context = {"form": form, "trail": [("What if", reverse(LIST)), ("New scenario", "")]}
    return render(request, "allocations/scenarios/form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    scenario = _scenario(request, pk, Role.SCHEDULER)
    initial = {name: getattr(scenario, name) for name in QUESTION_FIELDS}
    form = ScenarioForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            scenarios.change_scenario(pk, actor=_actor(request), **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            return redirect(DETAIL, pk)
    trail = [("What if", reverse(LIST)), (scenario.name, reverse(DETAIL, args=[pk])), ("Change", "")]
    context = {"form": form, "scenario": scenario, "trail": trail}
    return render(request, "allocations/scenarios/form.html", context, status=422 if form.is_bound else 200)


@require_safe
def detail(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """The scenario and its answer, or how far that is; meanwhile htmx asks again every second."""
    return _detail(request, _scenario(request, pk))


def _detail(request: UserRequest, scenario: Scenario, wrong: EditForm | None = None, kind: str = "") -> HttpResponse:
    part = wants_fragment(request, "answer")
    may_edit = shell_of(request).may_schedule and not scenario.under_way
    context = {
        "scenario": scenario,
        "words": _words(scenario, names_for(scenario.ground_id)),
        "now": scenario_progress(scenario) if scenario.under_way else {},
        "tables": tables_of(scenario) if scenario.state == ScenarioState.READY else None,
        "may_edit": may_edit,
        "forms": _forms(request, scenario, wrong, kind) if may_edit and not part else [],
        "trail": [("What if", reverse(LIST)), (scenario.name, "")],
    }
    template = "_answer.html" if part else "detail.html"
    response = render(request, f"allocations/scenarios/{template}", context, status=422 if wrong else 200)
    response["Vary"] = "HX-Request, Cookie"
    if part and not scenario.under_way:
        response["HX-Refresh"] = "true"  # the forms beside the answer come back with it
    return response


def _forms(request: UserRequest, scenario: Scenario, wrong: EditForm | None, kind: str) -> list[tuple[str, EditForm]]:
    return [(name, wrong if wrong and name == kind else _form(request, scenario, name)) for name in FORMS]


def _form(request: UserRequest, scenario: Scenario, kind: str, data: Any = None) -> EditForm:
    form = FORMS[kind]
    more = {"since": scenario.first_day} if issubclass(form, ScenarioWindowForm) else {}
    return form(data, ground=scenario.ground, user=request.user, auto_id=f"{kind}-%s", **more)


@require_http_methods(["GET", "HEAD", "POST"])
def add_edit(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    """A form that is wrong is shown at this address, so that opened again it has to lead somewhere."""
    scenario = _scenario(request, pk, Role.SCHEDULER)
    if request.method != "POST":
        return redirect(DETAIL, pk)
    kind = request.POST.get("kind", "")
    if kind not in FORMS:
        messages.error(request, "There is no edit of this kind.")
        return redirect(DETAIL, pk)
    form = _form(request, scenario, kind, request.POST)
    if form.is_valid():
        try:
            scenarios.add_edit(pk, actor=_actor(request), data=form.edit)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            return redirect(DETAIL, pk)
    return _detail(request, scenario, form, kind)


@require_POST
def remove_edit(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    _scenario(request, pk, Role.SCHEDULER)
    number = number_of(request.POST.get("number"), largest=999)
    number = -1 if number is None else number
    _try(request, lambda: scenarios.remove_edit(pk, actor=_actor(request), number=number))
    return redirect(DETAIL, pk)


@require_POST
def ask(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    _scenario(request, pk, Role.SCHEDULER)
    if _try(request, lambda: scenarios.ask_scenario(pk, actor=_actor(request))):
        send_job(tasks.solve_scenario, jobs.SCENARIOS, pk)
    return redirect(DETAIL, pk)


@require_POST
def stop(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    _scenario(request, pk, Role.SCHEDULER)
    scenarios.stop_scenario(pk, actor=_actor(request))
    return redirect(DETAIL, pk)


@require_POST
def delete(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    _scenario(request, pk, Role.SCHEDULER)
    scenario = scenarios.set_deleted(pk, actor=_actor(request), deleted=True)
    messages.success(request, f"{scenario} is deleted.")
    return redirect(f"{reverse(LIST)}?deleted={pk}")


@require_POST
def restore(request: UserRequest, pk: uuid.UUID) -> HttpResponse:
    _scenario(request, pk, Role.SCHEDULER)
    scenario = scenarios.set_deleted(pk, actor=_actor(request), deleted=False)
    messages.success(request, f"{scenario} is back.")
    return redirect(DETAIL, pk)


@require_safe
def compare(request: UserRequest) -> HttpResponse:
    """Answered scenarios side by side (`?scenario=` for each)."""
    ground = current_ground(request)
    texts = request.GET.getlist("scenario")[:MAX_COMPARED]
    chosen = [pk for text in texts if (pk := uuid_of(text))]
    by_id = {scenario.pk: scenario for scenario in scenarios_of(ground.pk, user=request.user).filter(pk__in=chosen)}
    if len(chosen) < len(texts) or any(pk not in by_id for pk in chosen):
        raise NotFound(NOT_FOUND)
    ready = [by_id[pk] for pk in dict.fromkeys(chosen) if by_id[pk].state == ScenarioState.READY]
    context = {
        "comparison": comparison_of(ready) if ready else None,
        "trail": [("What if", reverse(LIST)), ("Compare", "")],
    }
    return render(request, "allocations/scenarios/compare.html", context)


def _try(request: UserRequest, write: Any) -> bool:
    try:
        write()
    except Refused as refused:
        messages.error(request, refused.sentence)
        return False
    return True


def _scenario(request: UserRequest, pk: uuid.UUID, needed: Role = Role.VIEWER) -> Scenario:
    scenario = scenario_by_id(pk, user=request.user, needed=needed)
    shell_of(request).show_ground(scenario.ground_id)
    return scenario


def _actor(request: UserRequest) -> Actor:
    return Actor(request.user, Door.FORM)
