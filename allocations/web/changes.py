"""What happened lately in a ground, and undoing it."""

from collections import Counter

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from allocations.enums import Action, Door, Role
from allocations.models import Change
from allocations.selectors.history import change_by_id, changes, entries
from allocations.selectors.people import people_with_changes
from allocations.selectors.revisions import MASTER_DATA, is_kept
from allocations.services.undo import undo
from allocations.web.domain_errors import actor_of, attempt, key_of, say_done
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, listing
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer
from dynosite.lib.formats import count
from dynosite.lib.params import number_of

SORTS = {"at": "at"}
CSV = ("When", "Who", "Door", "Action", "What", "Why")
PER_PAGE = 25
_KINDS = {
    "allocation": ("booking",),
    "maintenancewindow": ("maintenance window",),
    "testrequest": ("test request",),
} | {
    name: (str(model._meta.verbose_name), str(model._meta.verbose_name_plural)) for name, model in MASTER_DATA.items()
}


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    ground = current_ground(request)
    chosen = {name: request.GET.get(name, "") for name in ("user", "door", "action")}
    rows = changes(ground, user=request.user)
    if (user_id := number_of(chosen["user"])) is not None:
        rows = rows.filter(user=user_id)
    if chosen["door"] in Door.values:
        rows = rows.filter(door=chosen["door"])
    if chosen["action"] in Action.values:
        rows = rows.filter(action=chosen["action"])
    results = listing(
        request,
        rows,
        search=("summary", "reason"),
        sorts=SORTS,
        default="-at",
        filtered=any(chosen.values()),
        per_page=PER_PAGE,
    )
    if request.GET.get("format") == "csv":
        return csv_answer(f"changes-{ground.code.lower()}", CSV, results.rows.iterator(), _csv)
    context = {
        "entries": entries(results.page_obj, shell_of(request).role or Role.VIEWER, user=request.user),
        "chosen": chosen,
        "doors": Door.choices,
        "actions": Action.choices,
        "people": people_with_changes(ground),
    }
    return list_page(request, "changes", results, context)


def _csv(change: Change) -> list[object]:
    who = change.user.display_name if change.user else ""
    return [change.at, who, change.get_door_display(), change.get_action_display(), change.summary, change.reason]


@require_http_methods(["GET", "HEAD", "POST"])
def undo_change(request: UserRequest, pk: str) -> HttpResponse:
    """By GET a page that says how much undoing it takes back."""
    change = change_by_id(pk, user=request.user)
    shell_of(request).show_ground(change.ground_id)
    current_ground(request, Role.SCHEDULER)
    if request.method != "POST":
        rows = Counter(item["model"] for item in change.items)
        context = {
            "change": change,
            "of_fleet": is_kept(change.items),
            "rows": [count(number, *_KINDS.get(model, ("row",))) for model, number in rows.items()],
            "trail": [("Changes", reverse("allocations:change-list")), ("Undo", "")],
        }
        return render(request, "allocations/changes/undo.html", context)
    outcome = attempt(lambda: undo(pk, actor=actor_of(request), key=key_of(request)))
    if outcome.refused:
        messages.error(request, f"Not undone. {' '.join(outcome.sentences)}")
    else:
        say_done(request, outcome.change)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("allocations:change-list")
    return HttpResponseRedirect(back)
