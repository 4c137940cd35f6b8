"""Booking: say what is to be tested and from when, see the places in their order, take one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from allocations.enums import Role
from allocations.models import TestRequest
from allocations.selectors.availability import facts_for
from allocations.selectors.places import Ranked, explained, place_value, ranked_places
from allocations.selectors.requests import request_by_id
from allocations.services.booking import auto_book, book
from allocations.web.attempts import Outcome, actor_of, attempt, key_of
from allocations.web.context import current_ground, shell_of
from allocations.web.forms.booking import MOST_BACKUP_DAYS, BookingForm, read_place
from dynosite.lib.htmx import wants_fragment

ASKED = ("vehicle", "test_type", "first_day")
"""What has to be known before places are looked for."""


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The booking form; with enough filled in also the places, and by POST a booking."""
    data = request.POST if request.method == "POST" else request.GET
    wish = _request_behind(request, data)
    if wish:
        shell_of(request).show_ground(wish.ground_id)
    ground = current_ground(request, Role.SCHEDULER)
    form = BookingForm(_filled_in(data, wish, ground), ground=ground, user=request.user)
    if request.method == "POST":
        return _book(request, form, wish)
    asked = "find" in request.GET
    if not asked and not all(form.data.get(name) for name in ASKED):
        # Nothing is amiss yet where nobody has asked; still these fields are not optional.
        _require(form, False)
        form.is_valid()
        _require(form, True)
        return _page(request, form, wish)
    return _page(request, form, wish, found=_places(request, form) if form.is_valid() else None)


def _require(form: BookingForm, required: bool) -> None:
    for name in ASKED:
        form.fields[name].required = required


def _request_behind(request: HttpRequest, data: Any) -> TestRequest | None:
    number = data.get("request", "")
    return request_by_id(int(number), user=request.user) if number.isdecimal() and len(number) < 19 else None


def _filled_in(data: Any, wish: TestRequest | None, ground: Any) -> dict[str, Any]:
    """What was typed; where nothing was yet, what the request says, and today."""
    typed = {name: data[name] for name in BookingForm.base_fields if name in data}
    today = ground.today()
    if wish is None:
        return {"first_day": today.isoformat()} | typed
    start = max(wish.earliest_start or today, today)
    known = {"test_type": wish.test_type_id, "drive": wish.drive, "days": wish.days, "first_day": start.isoformat()}
    # The request says what is tested; only where and when are still open.
    return known | typed | {"vehicle": wish.vehicle.label, "test_type": wish.test_type_id}


def _places(request: HttpRequest, form: BookingForm) -> dict[str, Any]:
    """The places in their order; with a dyno given, first of all what stands in the way there."""
    data, stay = form.cleaned_data, form.stay
    asked = {"days": form.length, "first_day": stay.first, "drive": data["drive"]}
    ranked = ranked_places(data["vehicle"], data["test_type"].pk, user=request.user, **asked)
    if not data["dyno"]:
        return {"ranked": ranked}
    dyno = data["dyno"]
    facts = facts_for(data["vehicle"].pk, dyno.pk, data["test_type"].pk, stay, drive=data["drive"])
    refusals = [refusal.sentence for refusal in facts.refusals()] if facts else []
    given = {"dyno": dyno, "days": stay, "value": place_value(dyno.pk, stay.first), "refusals": refusals}
    return {"given": given, "ranked": [each for each in ranked if each.value != given["value"]]}


def _book(request: HttpRequest, form: BookingForm, wish: TestRequest | None) -> HttpResponse:
    if not form.is_valid():
        return _page(request, form, wish, status=422)
    choice = request.POST.get("place", "")
    place = read_place(choice)
    if place is None and choice != "auto":
        form.add_error(None, "Choose one of the places.")
        return _page(request, form, wish, found=_places(request, form), status=422)
    data, stay = form.cleaned_data, form.stay
    shared = {
        "test_type_id": data["test_type"].pk,
        "drive": data["drive"],
        "note": request.POST.get("note", "").strip()[:2000],
        "request_id": wish.pk if wish else None,
        "actor": actor_of(request),
        "key": key_of(request),
    }
    if place is None:
        backup = min(_number(request.POST.get("backup")), MOST_BACKUP_DAYS)
        outcome = attempt(
            lambda: auto_book(
                data["vehicle"].pk, first_day=stay.first, days=form.length,
                backup=backup > 0, max_backup_days=backup, **shared,
            ),
            title="No place is free then",
        )  # fmt: skip
    else:
        dyno_id, first_day = place
        days = form.stay_from(first_day)
        outcome = attempt(
            lambda: book(data["vehicle"].pk, dyno_id, first_day=days.first, last_day=days.last, **shared),
            title="This place cannot be booked",
        )
    if outcome.refused:
        found = {"ranked": explained(list(outcome.places), data["test_type"].pk, place[1] if place else stay.first)}
        return _page(request, form, wish, found=found, outcome=outcome, status=outcome.status)
    messages.success(request, f"Booked: {outcome.change.summary}.")
    booked = next(item["id"] for item in outcome.change.items if item["model"] == "allocation")
    return redirect("allocations:allocation-detail", booked)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 4 else 0


def _page(
    request: HttpRequest,
    form: BookingForm,
    wish: TestRequest | None,
    *,
    found: dict[str, Any] | None = None,
    outcome: Outcome | None = None,
    status: int = 200,
) -> HttpResponse:
    data = form.cleaned_data if form.is_bound and form.is_valid() and found is not None else {}
    ranked: list[Ranked] = found.get("ranked", []) if found else []
    context = {
        "form": form,
        "wish": wish,
        "vehicle": data.get("vehicle") or getattr(form, "cleaned_data", {}).get("vehicle"),
        "asked": data,
        "stay": form.stay if data else None,
        "length": form.length if data else 0,
        "paused": sorted(form.calendar.closed(form.stay).items()) if data and form.pauses else [],
        "given": found.get("given") if found else None,
        "ranked": ranked,
        "searched": found is not None,
        "outcome": outcome,
        "note": request.POST.get("note", ""),
        "backup_days": range(MOST_BACKUP_DAYS + 1),
        "trail": [("Schedule", shell_of(request).schedule_url), ("New booking", "")],
    }
    part = wants_fragment(request, "booking")
    template = "allocations/booking/_booking.html" if part else "allocations/booking/page.html"
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response
