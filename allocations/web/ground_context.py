"""Which proving ground a page is about, and what the shell round every page shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from allocations import access
from allocations.enums import Role
from allocations.exceptions import NotAllowed, NotFound, WrongGround
from allocations.models import ProvingGround
from allocations.selectors.grounds import grounds_with_counts
from dynosite.lib.ground_address import ground_of, in_ground, is_page, mount

if TYPE_CHECKING:
    from allocations.selectors.grounds import CountedGround

SESSION_KEY = "ground"
ATTRIBUTE = "_shell"
"""Of a request."""


class ElsewhereError(Exception):
    """The page is to be opened in this ground."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class NavigationItem:
    label: str
    url: str
    icon: str
    current: bool = False
    figure: str = ""
    count: int = 0
    action: bool = False


class Shell:
    """The user's grounds, the one that this page is about, the user's role there and the ways to other pages.

    The page's address names its ground (`/g/NORTH/…`); one that is not the user's does not exist (404). A page about
    one thing says whose it is with `show_ground`. One query for all, and none where nothing is asked.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._grounds: list[CountedGround] | None = None
        self._shown: CountedGround | None = None

    @property
    def grounds(self) -> "list[CountedGround]":
        """Each with `role`, `waiting` (requests) and `dynos_there`."""
        if self._grounds is None:
            user = getattr(self.request, "user", None)  # a page of an error may come before it
            self._grounds = list(grounds_with_counts(user)) if user else []
        return self._grounds

    @property
    def code(self) -> str:
        """The code of the ground that the address names, or nothing."""
        return ground_of(self.request)

    @property
    def ground(self) -> "CountedGround | None":
        """None for a user who is a member of no ground. What the page says of times is then in the ground's own.

        An error page in a ground that is not the user's has the shell of one that is.
        """
        try:
            ground = self._shown or self.named or self._last
        except NotFound:
            ground = self._last
            mount(ground.code if ground else "")
        if ground:
            timezone.activate(ground.time_zone)
        return ground

    @property
    def named(self) -> "CountedGround | None":
        """The ground that the address names. Raises NotFound for one that is not the user's."""
        if not self.code:
            return None
        ground = next((ground for ground in self.grounds if ground.code == self.code), None)
        if ground is None:
            raise NotFound(access.NOT_FOUND)
        if (
            is_page(self.request)
            and hasattr(self.request, "session")
            and self.request.session.get(SESSION_KEY) != ground.code
        ):
            self.request.session[SESSION_KEY] = ground.code
        return ground

    @property
    def _last(self) -> "CountedGround | None":
        """The ground that was looked at last: it only says where an address without a ground leads."""
        session = getattr(self.request, "session", {})  # a page of an error may come before it
        last = session.get(SESSION_KEY)
        return next((ground for ground in self.grounds if ground.code == last), next(iter(self.grounds), None))

    def show_ground(self, ground_id: int) -> None:
        """Says that the page is about a thing of this ground. Pages that may not import this call it on the request.

        Raises ElsewhereError where the page was opened in no ground or another one, and WrongGround where a form or a
        part of a page was.
        """
        ground = next((ground for ground in self.grounds if ground.pk == ground_id), None)
        if ground is None:
            raise NotFound(access.NOT_FOUND)
        named = self.named
        if named != ground and is_page(self.request):
            raise ElsewhereError(ground.code)
        if named and named != ground:
            raise WrongGround(
                f"This page belongs to {named.name}, but what it is about belongs to {ground.name}. "
                "Nothing was done. Open it from the pages of its own proving ground."
            )
        self._settle(ground)

    def need_ground(self) -> "CountedGround":
        """The ground that the page is about. Raises NotFound without any, WrongGround where it could be several."""
        ground = self._shown or self.named or self._last
        if ground is None:
            raise NotFound(access.NOT_FOUND)
        if not self._shown and not self.named and len(self.grounds) > 1:
            raise WrongGround(
                "This form does not say which proving ground it is for. "
                "Nothing was done. Load the page again and repeat your last step."
            )
        self._settle(ground)
        return ground

    def _settle(self, ground: "CountedGround") -> None:
        self._shown = ground
        timezone.activate(ground.time_zone)

    @property
    def role(self) -> Role | None:
        ground = self.ground
        return Role(ground.role) if ground else None

    @property
    def may_schedule(self) -> bool:
        role = self.role
        return role is not None and role.covers(Role.SCHEDULER)

    @property
    def may_keep(self) -> bool:
        """Whether the user keeps the dynos here, and maintenance of every kind."""
        role = self.role
        return role is not None and role.covers(Role.ADMIN)

    @property
    def unseen(self) -> int:
        """Notices that the user has not seen, in all grounds."""
        return sum(ground.unseen for ground in self.grounds)

    @property
    def schedule_url(self) -> str:
        return address("allocations:schedule")

    @property
    def navigation(self) -> list[NavigationItem]:
        items = [
            ("Schedule", "allocations:schedule", "calendar-range", ""),
            ("Requests", "allocations:request-list", "inbox", "requests"),
            ("Dynos", "allocations:dyno-list", "gauge", ""),
            ("Vehicles", "allocations:vehicle-list", "car", ""),
            ("Plans", "allocations:plan-list", "sparkles", ""),
            ("Late", "allocations:late-list", "hourglass", ""),
            ("Changes", "allocations:change-list", "history", ""),
        ]
        if self.may_schedule:
            items.append(("Import", "allocations:import", "upload", ""))
        return self._items(*items)

    @property
    def dock(self) -> list[NavigationItem]:
        """The same for phones: three of them and the new booking for those who may book, else four."""
        items = self.navigation[: 3 if self.may_schedule else 4]
        new = address("allocations:allocation-create")
        if new and self.may_schedule:
            items.insert(2, NavigationItem("New booking", new, "plus", action=True))
        return items

    def _items(self, *entries: tuple[str, str, str, str]) -> list[NavigationItem]:
        path = self.request.path
        counts = {"requests": self.ground.waiting} if self.ground else {}
        return [
            NavigationItem(label, url, icon, current=path.startswith(url), figure=figure, count=counts.get(figure, 0))
            for label, name, icon, figure in entries
            if (url := address(name))
        ]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, which costs nothing until a template asks it for something."""
    return {"shell": shell_of(request)}


def shell_of(request: HttpRequest) -> Shell:
    """The one shell of a request."""
    shell = getattr(request, ATTRIBUTE, None)
    if not isinstance(shell, Shell):
        shell = Shell(request)
        setattr(request, ATTRIBUTE, shell)
    return shell


def current_ground(request: HttpRequest, needed: Role = Role.VIEWER) -> ProvingGround:
    """The ground that the page is about.

    Raises NotFound where there is none, WrongGround where the address names none of several, and NotAllowed where the
    user's role there does not cover `needed`.
    """
    ground = shell_of(request).need_ground()
    if not Role(ground.role).covers(needed):
        raise NotAllowed(f"This takes the role {needed.label.lower()} at {ground.name}.")
    return ground


def same_page(request: HttpRequest, code: str) -> str:
    """The address of the page in that ground."""
    query = request.GET.copy()
    query.pop("ground", None)
    address = in_ground(request.path_info, code)
    return f"{address}?{query.urlencode()}" if query else address


def address(name: str) -> str:
    """The address of a page, or nothing where this installation has no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
