"""Booking: say what is to be tested and from when, see the places in their order, take one."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from allocations.enums import Role
from allocations.models import TestRequest
from allocations.rulebook import violations
from allocations.selectors.availability import Placement, question_of
from allocations.selectors.ground_rules import rules_of
from allocations.selectors.places import Ranked, explained, place_value, ranked_places, with_concerns
from allocations.selectors.wishes import concerns_of, wish_of
from allocations.services.booking import MAX_BACKUP_DAYS, auto_book, book
from allocations.web.domain_errors import AttemptResult, actor_of, attempt, key_of, say_done
from allocations.web.forms.booking import BookingForm, read_place
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.requests.rows import queue_of
from allocations.web.requests.wishes import Offer, filled_in, offer_for, request_named
from dynosite.accounts.requests import UserRequest
from dynosite.lib.days import DayRange
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import number_of

REQUIRED = ("vehicle", "test_type", "first_day")
"""What has to be known before places are looked for."""
ONWARD = "next"
"""Of the button pressed: the next request of the list comes after it."""


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    """The booking form; with enough filled in also the places, and by POST a booking."""
    data = request.POST if request.method == "POST" else request.GET
    named = request_named(request, data)
    if named:
        shell_of(request).show_ground(named.ground_id)
    ground = current_ground(request, Role.SCHEDULER)
    offer = offer_for(request, data, named, ground)
    wish = offer.chosen
    form = BookingForm(filled_in(data, offer, ground), ground=ground, user=request.user)
    if request.method == "POST":
        return _book(request, form, wish)
    searching = "find" in request.GET
    if not searching and not all(form.data.get(name) for name in REQUIRED):
        # Nothing is amiss yet where nobody has asked; still these fields are not optional.
        _require(form, False)
        form.is_valid()
        _require(form, True)
        return _page(request, form, offer)
    return _page(request, form, offer, places=_places(request, form, wish) if form.is_valid() else None)


def _require(form: BookingForm, required: bool) -> None:
    for name in REQUIRED:
        form.fields[name].required = required


def _places(request: UserRequest, form: BookingForm, wish: TestRequest | None) -> dict[str, Any]:
    """The places in their order; with a dyno given, first of all what stands in the way there."""
    data, stay = form.cleaned_data, form.stay
    conditions = {"days": form.length, "first_day": stay.first, "drive": data["drive"]}
    ranked = ranked_places(data["vehicle"], data["test_type"].pk, user=request.user, **conditions)
    dyno, rulebook_wish, rules = data["dyno"], wish_of(wish) if wish else None, rules_of(form.ground)
    ranked = with_concerns(ranked, rules, form.pauses, rulebook_wish)
    if not dyno:
        return {"ranked": ranked}
    question = question_of(Placement(data["vehicle"].pk, dyno.pk, data["test_type"].pk, stay, drive=data["drive"]))
    refusals = [refusal.sentence for refusal in violations(question)] if question else []
    concerns = [concern.sentence for concern in concerns_of(rules, form.pauses, stay, wish=rulebook_wish)]
    value = place_value(dyno.pk, stay.first)
    named_place = {"dyno": dyno, "days": stay, "value": value, "refusals": refusals, "concerns": concerns}
    return {"given": named_place, "ranked": [place for place in ranked if place.value != value]}


def _book(request: UserRequest, form: BookingForm, wish: TestRequest | None) -> HttpResponse:
    offer = Offer(wish)
    if not form.is_valid():
        return _page(request, form, offer, status=422)
    choice, confirmed = _choice(request)
    place = read_place(choice)
    onward, confirmed = ONWARD in confirmed, confirmed - {ONWARD}
    if place is None and choice != "auto":
        form.add_error(None, "Choose one of the places.")
        return _page(request, form, offer, places=_places(request, form, wish), status=422)
    data, stay = form.cleaned_data, form.stay
    queue = queue_of(request, request.POST, wish) if onward else None  # while the request is in its list
    shared = {
        "test_type_id": data["test_type"].pk,
        "drive": data["drive"],
        "note": request.POST.get("note", "").strip()[:2000],
        "request_id": wish.pk if wish else None,
        "actor": actor_of(request),
        "confirmed": confirmed,
        "key": key_of(request),
    }
    if place is None:
        backup = min(number_of(request.POST.get("backup")) or 0, MAX_BACKUP_DAYS)
        outcome = attempt(
            lambda: auto_book(
                data["vehicle"].pk,
                first_day=stay.first,
                days=form.length,
                backup=backup > 0,
                max_backup_days=backup,
                **shared,
            ),
            title="No place is free then",
        )
    else:
        dyno_id, first_day = place
        days = form.stay_from(first_day)
        outcome = attempt(
            lambda: book(
                data["vehicle"].pk,
                dyno_id,
                first_day=days.first,
                last_day=days.last,
                rest_waits="rest" in confirmed,
                **shared,
            ),
            title="This place cannot be booked",
        )
    if outcome.to_confirm:
        places = _places(request, form, wish) | {"choice": choice, "onward": onward}
        return _page(request, form, offer, places=places, outcome=outcome, status=outcome.status)
    if outcome.refused:
        places = {"ranked": explained(list(outcome.places), data["test_type"].pk, place[1] if place else stay.first)}
        return _page(request, form, offer, places=places, outcome=outcome, status=outcome.status)
    say_done(request, outcome.change, "Booked: {summary}")
    if queue:
        if queue.following is None:
            messages.info(request, "That was the last request of the list.")
        return redirect(queue.next_url)
    booked = next(item["id"] for item in outcome.change.items if item["model"] == "allocation")
    return redirect("allocations:allocation-detail", booked)


def _choice(request: UserRequest) -> tuple[str, frozenset[str]]:
    """The place of the button pressed, and what that button confirms: `PLACE CODE …`."""
    place, *confirmed = request.POST.get("anyway", "").split() or [request.POST.get("place", "")]
    return place, frozenset(confirmed)


def _page(
    request: UserRequest,
    form: BookingForm,
    offer: Offer,
    *,
    places: dict[str, Any] | None = None,
    outcome: AttemptResult | None = None,
    status: int = 200,
) -> HttpResponse:
    data = form.cleaned_data if form.is_bound and form.is_valid() and places is not None else {}
    wish = offer.chosen
    queue = queue_of(request, request.POST if request.method == "POST" else request.GET, wish)
    ranked: list[Ranked] = places.get("ranked", []) if places else []
    context = {
        "form": form,
        "wish": wish,
        "offer": offer,
        "vehicle": data.get("vehicle") or getattr(form, "cleaned_data", {}).get("vehicle"),
        "asked": data,
        "stay": form.stay if data else None,
        "length": form.length if data else 0,
        "paused": sorted(form.calendar.closed(form.stay).items()) if data and form.pauses else [],
        "given": places.get("given") if places else None,
        "ranked": ranked,
        "searched": places is not None,
        "outcome": outcome,
        "choice": places.get("choice", "") if places else "",
        "onward": places.get("onward", False) if places else False,
        "queue": queue,
        "open_days": max(0, wish.days - form.length) if wish and data else 0,
        "note": request.POST.get("note", ""),
        "backup_days": range(MAX_BACKUP_DAYS + 1),
        "trail": [("Requests", queue.list_url), ("Find a place", "")]
        if queue
        else [("Schedule", shell_of(request).schedule_url), ("New booking", "")],
        **_without_vehicle(form),
    }
    part = wants_fragment(request, "booking")
    template = "allocations/booking/_booking.html" if part else "allocations/booking/page.html"
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _without_vehicle(form: BookingForm) -> dict[str, Any]:
    """Where the days are known but no vehicle: the list of dynos that are free then."""
    data = getattr(form, "cleaned_data", {})
    if data.get("vehicle") or form.data.get("vehicle"):
        return {}
    first, test_type = data.get("first_day") or form.ground.today(), data.get("test_type")
    length = data.get("days") or (test_type.default_days if test_type else 1)
    stretch = form.calendar.stretch(first, length, pauses=test_type is not None and not test_type.runs_through)
    days = DayRange(first, data.get("last_day") or stretch.last)
    params = {"from": days.first, "to": days.last, "drive": data.get("drive"), "runs": test_type and test_type.pk}
    query = urlencode({name: str(value) for name, value in params.items() if value})
    return {"free": query, "free_days": days if data.get("first_day") else None, "free_test": test_type}
