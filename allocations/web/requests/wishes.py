"""The waiting request that a booking is for: asked for by its address, or offered once its vehicle is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allocations.models import ProvingGround, TestRequest
from allocations.selectors.requests import request_by_id, waiting_of
from allocations.selectors.vehicles import vehicle_named
from allocations.selectors.wishes import first_day_of
from allocations.web.forms.booking import BookingForm
from dynosite.accounts.requests import UserRequest
from dynosite.lib.params import number_of

NO_REQUEST = "none"
"""What the form sends where the booking is for none of the requests that wait."""


@dataclass(frozen=True)
class Offer:
    """The request that is chosen, those of the vehicle to choose from, and whether it was just proposed."""

    chosen: TestRequest | None = None
    waiting: tuple[TestRequest, ...] = ()
    proposed: bool = False

    @property
    def alone(self) -> bool:
        """Whether the form is for this request and nothing else may be typed."""
        return self.chosen is not None and not self.waiting


def request_named(request: UserRequest, data: Mapping[str, str]) -> TestRequest | None:
    number = number_of(data.get("request"))
    return None if number is None else request_by_id(number, user=request.user)


def offer_for(
    request: UserRequest, data: Mapping[str, str], named: TestRequest | None, ground: ProvingGround
) -> Offer:
    """Without a vehicle the request that was `named`; with one the requests that wait for it, the first proposed."""
    label = data.get("vehicle", "").strip()
    if not label or request.method == "POST":
        return Offer(named)
    vehicle = vehicle_named(label, ground, user=request.user)
    if vehicle is None:
        return Offer()
    waiting = tuple(waiting_of(vehicle, user=request.user))
    if named in waiting:
        return Offer(named, waiting)
    if data.get("request") == NO_REQUEST:
        return Offer(None, waiting)
    of_type = [wish for wish in waiting if data.get("test_type", "") in ("", str(wish.test_type_id))]
    return Offer(of_type[0] if of_type else None, waiting, proposed=True)


def filled_in(data: Mapping[str, str], offer: Offer, ground: ProvingGround) -> dict[str, Any]:
    """What was typed; where nothing was yet, what the request says, and today."""
    typed = {name: data[name] for name in BookingForm.base_fields if name in data}
    today = ground.today()
    if offer.chosen is None:
        return {"first_day": today.isoformat()} | typed
    wish = offer.chosen
    start = first_day_of(wish, today).isoformat()
    requested = {"test_type": wish.test_type_id, "drive": wish.drive, "days": wish.days, "first_day": start}
    if offer.proposed and typed.get("first_day") == today.isoformat():
        del typed["first_day"]  # nobody chose it: the form had it when the request was not known yet
    if not typed.get("last_day"):
        typed = {name: value for name, value in typed.items() if value or name not in requested}
    # The request says what is tested; only where and when are still open.
    return requested | typed | {"vehicle": wish.vehicle.label, "test_type": wish.test_type_id}
