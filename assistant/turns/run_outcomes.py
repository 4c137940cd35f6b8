"""How a run ends: done, stopped or failed, and in which words the user hears of it."""

import logging
import threading
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.utils import timezone
from psycopg import OperationalError as DriverError

from allocations.exceptions import DomainError
from assistant import metrics, streams
from assistant.conversations import conversations
from assistant.enums import ProposalStatus, RunOutcome, RunStatus
from assistant.graph.driving import Halt, HaltedError
from assistant.graph.turn import TooManyStepsError
from assistant.models import Run
from assistant.providers.failures import NoAnswerError
from assistant.turns.transcript import Transcript

logger = logging.getLogger(__name__)

STOPPED = "You stopped this here."
TOO_LONG = "This took too long and was ended here. What was proposed until then is on its cards."
TOO_MANY_STEPS = "This took more steps than one turn may have. Ask for a smaller part of it."
DATABASE_AWAY = "The database could not be reached. Try again in a moment."
BROKEN = "Something went wrong here; it was noted. Try again, or do it on the page."
PATIENCE = (0.2, 0.5, 1, 2, 4, 8)
"""Seconds to wait for a database that is away, before giving up telling the transcript of an end."""


@dataclass(frozen=True)
class Ending:
    status: RunStatus
    sentence: str = ""
    error: str = ""
    outcome: str = ""
    done_with_card: bool = False
    """Whether the run is done all the same where a card of it waits: it was the model that came to no end."""


def turn_seconds() -> float:
    return float(settings.ASSISTANT_TURN_SECONDS)


def of(error: BaseException) -> Ending:
    """What to say of what ended a run."""
    detail = f"{type(error).__name__}: {error}"
    match error:
        case HaltedError(why=Halt.STOPPED):
            return Ending(RunStatus.STOPPED, STOPPED)
        case HaltedError(why=Halt.UNLOCKED):
            return Ending(RunStatus.FAILED, DATABASE_AWAY, "The lock on the conversation was lost.")
        case HaltedError():
            late = f"It took more than {turn_seconds():.0f} seconds."
            return Ending(RunStatus.FAILED, TOO_LONG, late, done_with_card=True)
        case DomainError():
            return Ending(RunStatus.FAILED, error.sentence, detail)
        case NoAnswerError():
            return Ending(RunStatus.FAILED, str(error), detail, done_with_card=True)
        case TooManyStepsError():
            return Ending(RunStatus.FAILED, TOO_MANY_STEPS, detail, done_with_card=True)
        case OperationalError() | InterfaceError() | DriverError():
            return Ending(RunStatus.FAILED, DATABASE_AWAY, detail)
    logger.error("A run failed", exc_info=error)
    return Ending(RunStatus.FAILED, BROKEN, detail)


def write(run: Run, transcript: Transcript, ending: Ending) -> None:
    """Writes the end into the transcript and the run, then into the stream. Waits a little for a database that is
    away; where it stays away the panel is told at least, and the run is taken up again later."""
    for pause in (*PATIENCE, None):
        try:
            close_old_connections()
            status = _write(run, transcript, ending)
            break
        except (OperationalError, InterfaceError):
            if pause is None:
                streams.end(run.pk, RunStatus.FAILED)
                raise
            threading.Event().wait(pause)
    streams.end(run.pk, status)


def _write(run: Run, transcript: Transcript, ending: Ending) -> RunStatus:
    with transaction.atomic():
        transcript.keep_half()
        if ending.done_with_card and run.proposals.filter(status=ProposalStatus.WAITING).exists():
            ending = replace(ending, status=RunStatus.DONE, outcome=RunOutcome.PROPOSAL)
        run.status, run.error, run.outcome = ending.status, ending.error, ending.outcome
        run.ended_at = timezone.now()
        run.save(update_fields=["status", "error", "outcome", "model", "ended_at"])
        note = conversations.write_note(run, ending.sentence) if ending.sentence else None
        metrics.count("runs", ending.status)
    if note:
        streams.publish(run.pk, "message", id=note.pk)
    return ending.status
