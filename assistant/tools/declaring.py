"""The declaration of a tool: its arguments, what it does, who may use it, and the words that people see of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from allocations.enums import Role
from assistant.tools.caller import Caller

Run = Callable[[Caller, Any], Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """A declared tool. `run` returns the data of a tool that reads, or the draft of one that writes (`writes`)."""

    name: str
    description: str
    """What a model reads about the tool."""
    args: type[BaseModel]
    run: Run
    labels: tuple[str, str]
    """What it has done, and what it is doing, in words."""
    counted: tuple[str, str] | None = None
    """The key of the result that its card counts, and the noun for one of it."""
    phrase: Callable[[Result], str] | None = None
    """The result in sentences, for the offline model."""
    role: Role = Role.VIEWER
    writes: bool = False
    single_booking: bool = False


DECLARED: dict[str, Tool] = {}


def reads(
    args: type[BaseModel],
    description: str,
    *,
    labels: tuple[str, str],
    phrase: Callable[[Result], str],
    counted: tuple[str, str] | None = None,
) -> Callable[[Run], Run]:
    """Declares a function as a tool that looks something up; its name is the tool's.

    Parameters
    ----------
    description
        What a model reads about the tool.
    labels
        What it has done, and what it is doing, such as ("Counted tests", "Counting tests").
    phrase
        Puts the result into sentences, for the offline model.
    counted
        The key of the result that the card counts, and the noun for one of it.
    """

    def declare(run: Run) -> Run:
        DECLARED[run.__name__] = Tool(run.__name__, description, args, run, labels, counted, phrase)
        return run

    return declare


def proposes(
    args: type[BaseModel],
    description: str,
    *,
    labels: tuple[str, str],
    single_booking: bool = False,
) -> Callable[[Run], Run]:
    """Declares a function as a tool that drafts a write, which a user has to approve. It takes the role scheduler.

    Parameters
    ----------
    description, labels
        As for `reads`.
    single_booking
        Whether the draft is one booking.
    """

    def declare(run: Run) -> Run:
        DECLARED[run.__name__] = Tool(
            run.__name__,
            f"{description} It only proposes: nothing is written until the user approves the card.",
            args,
            run,
            labels,
            role=Role.SCHEDULER,
            writes=True,
            single_booking=single_booking,
        )
        return run

    return declare
