"""The doors by which a person asks for what the services do: each takes the services' arguments, and sends them."""

from dataclasses import dataclass
from typing import Any

from allocations.tests.world import World


@dataclass(frozen=True)
class Deed:
    """A service's name and what it is asked."""

    name: str
    on: tuple[Any, ...]
    more: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """The codes that refuse it, where the door names them, and the sentences that a person reads there."""

    codes: frozenset[str] | None = frozenset()
    text: str = ""


class Door:
    """Has a method for each service that it offers, by its name and with its arguments."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __repr__(self) -> str:
        return type(self).__name__

    def offers(self, deed: Deed) -> bool:
        """Whether this can be asked for here at all, with these arguments."""
        if not hasattr(self, deed.name):
            return False
        narrower = getattr(self, f"offers_{deed.name}", None)
        return narrower is None or narrower(*deed.on, **deed.more)

    def ask(self, deed: Deed) -> Answer:
        return getattr(self, deed.name)(*deed.on, **deed.more)
