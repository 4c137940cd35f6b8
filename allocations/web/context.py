"""Which proving ground a page is about, and what the shell round every page shows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from allocations import access
from allocations.enums import RequestStatus, Role
from allocations.exceptions import NotAllowed, NotFound
from allocations.models import Dyno, Membership, Notice, ProvingGround, TestRequest

SESSION_KEY = "ground"


@dataclass(frozen=True, slots=True)
class NavigationItem:
    label: str
    url: str
    icon: str
    current: bool = False
    count: int = 0
    action: bool = False


class Shell:
    """The user's grounds, the one that this page is about, the user's role there and the ways to other pages.

    A page's `?ground=CODE` chooses a ground and is remembered; a ground that is not the user's does not exist (404).
    A page about one thing says whose it is with `show_ground`. One query for all, and none where nothing is asked.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._grounds: list[ProvingGround] | None = None
        self._shown: int | None = None

    @property
    def grounds(self) -> list[ProvingGround]:
        """Each with `role`, `waiting` (requests) and `dynos_there`."""
        if self._grounds is None:
            self._grounds = list(_grounds_with_figures(self.request.user))
        return self._grounds

    @property
    def ground(self) -> ProvingGround | None:
        """None for a user who is a member of no ground. What the page says of times is then in the ground's own."""
        ground = self._ground()
        if ground:
            timezone.activate(ground.time_zone)
        return ground

    def _ground(self) -> ProvingGround | None:
        shown = self._shown or getattr(self.request, "about_ground", None)
        if shown is not None:
            return next((ground for ground in self.grounds if ground.pk == shown), None)
        asked = self.request.GET.get("ground")
        if asked:
            chosen = next((ground for ground in self.grounds if ground.code == asked), None)
            if chosen is None:
                raise NotFound(access.NOT_FOUND)
            if _is_page(self.request) and self.request.session.get(SESSION_KEY) != chosen.code:
                self.request.session[SESSION_KEY] = chosen.code
            return chosen
        last = self.request.session.get(SESSION_KEY)
        return next((ground for ground in self.grounds if ground.code == last), next(iter(self.grounds), None))

    def show_ground(self, ground_id: int) -> None:
        """Lets the shell show the ground of the thing that the page is about, whatever was chosen before.

        Pages that may not import this say the same by setting `request.about_ground`.
        """
        self._shown = ground_id

    @property
    def role(self) -> Role | None:
        ground = self.ground
        return Role(ground.role) if ground else None

    @property
    def may_schedule(self) -> bool:
        role = self.role
        return role is not None and role.covers(Role.SCHEDULER)

    @property
    def unseen(self) -> int:
        """Notices that the user has not seen, in all grounds."""
        return sum(ground.unseen for ground in self.grounds)

    @property
    def schedule_url(self) -> str:
        return address("allocations:schedule")

    @property
    def navigation(self) -> list[NavigationItem]:
        waiting = self.ground.waiting if self.ground else 0
        items = [
            ("Schedule", "allocations:schedule", "calendar-range", 0),
            ("Requests", "allocations:request-list", "inbox", waiting),
            ("Dynos", "allocations:dyno-list", "gauge", 0),
            ("Vehicles", "allocations:vehicle-list", "car", 0),
            ("Plans", "allocations:plan-list", "sparkles", 0),
            ("Changes", "allocations:change-list", "history", 0),
        ]
        if self.may_schedule:
            items.append(("Import", "allocations:import", "upload", 0))
        return self._items(*items)

    @property
    def dock(self) -> list[NavigationItem]:
        """The same for phones: three of them and the new booking for those who may book, else four."""
        items = self.navigation[: 3 if self.may_schedule else 4]
        new = address("allocations:allocation-create")
        if new and self.may_schedule:
            items.insert(2, NavigationItem("New booking", new, "plus", action=True))
        return items

    def _items(self, *entries: tuple[str, str, str, int]) -> list[NavigationItem]:
        here = self.request.path
        return [
            NavigationItem(label, url, icon, current=here.startswith(url), count=count)
            for label, name, icon, count in entries
            if (url := address(name))
        ]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, which costs nothing until a template asks it for something."""
    return {"shell": shell_of(request)}


def shell_of(request: HttpRequest) -> Shell:
    """The one shell of a request."""
    if not hasattr(request, "_shell"):
        request._shell = Shell(request)
    return request._shell


def current_ground(request: HttpRequest, needed: Role = Role.VIEWER) -> ProvingGround:
    """The ground that the page is about.

    Raises NotFound where there is none, and NotAllowed where the user's role there does not cover `needed`.
    """
    found = shell_of(request)
    ground = found.ground
    if ground is None:
        raise NotFound(access.NOT_FOUND)
    if not found.role.covers(needed):
        raise NotAllowed(f"This takes the role {needed.label.lower()} at {ground.name}.")
    return ground


def _is_page(request: HttpRequest) -> bool:
    """Not a part or a stream, which an older tab may ask for by itself at any time."""
    return "HX-Request" not in request.headers and request.headers.get("Accept") != "text/event-stream"


def _grounds_with_figures(user) -> QuerySet[ProvingGround]:
    def number(model, **conditions) -> Coalesce:
        found = model.objects.filter(ground=OuterRef("pk"), **conditions).order_by().values("ground")
        return Coalesce(Subquery(found.annotate(number=Count("pk")).values("number")), 0)

    membership = Membership.objects.filter(ground=OuterRef("pk"), user=user.pk).values("role")[:1]
    role = Value(Role.ADMIN.value) if user.is_superuser else Subquery(membership)
    return (
        access.grounds_of(user)
        .order_by("name")
        .annotate(
            role=role,
            waiting=number(TestRequest, status=RequestStatus.WAITING),
            dynos_there=number(Dyno),
            unseen=number(Notice, user=user.pk, seen_at=None),
        )
    )


def address(name: str) -> str:
    """The address of a page, or nothing where this installation has no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
