"""Runs one turn: claim it, lead it through the graph, tell of it, and end it in words whatever happens."""

import datetime as dt
import json
import logging
import time
import uuid
from contextlib import closing
from typing import Any

from django.db import transaction
from django.utils import timezone

from assistant import prompts, streams
from assistant.conversations import conversations, switches
from assistant.enums import Author, RunStatus
from assistant.graph import checkpoints, turn
from assistant.graph.driving import Halt, HaltedError, Watch
from assistant.models import Message, Run, ToolCall
from assistant.providers.chain import ATTEMPTS, OFFLINE
from assistant.spend.budgets import Budgets
from assistant.tools.caller import Caller, Ctx
from assistant.turns import locks, run_outcomes
from assistant.turns.transcript import Transcript
from dynosite.lib.connections import lend_back

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
"""How often a worker takes a run up: one that has killed so many is not given to the next."""
LOOK_EVERY = 0.1
"""Seconds between two looks at whether the user wants it stopped."""
LOCK_EVERY = 2.0
"""Seconds between two looks at whether the lock still holds."""
SWITCHES_EVERY = 0.5
"""Seconds between two looks at whether the assistant is on and its user still may."""
SILENT_AFTER = 10.0
"""Seconds without a word after which the user is told that the model is waited for."""
SILENT = f"The model has not answered for {SILENT_AFTER:.0f} s; still waiting…"
OFFLINE_INSTEAD = "The model does not answer; the offline assistant does…"
GAVE_UP = "This could not be finished after several attempts. Ask again, or in other words."


def run_turn(run_id: uuid.UUID | str) -> bool:
    """Runs the turn to its end; nothing happens where it has one. False where another has the conversation."""
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        return True
    if RunStatus(run.status).ended:
        # Its worker may have died before it could tell.
        conversations.tell_end(run)
        return True
    with locks.held(run.conversation_id) as lock:
        if lock is None:
            return False
        if claimed := _claim(run.pk):
            _run(claimed, lock)
    return True


def _claim(run_id: uuid.UUID) -> Run | None:
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        if RunStatus(run.status).ended:
            return None
        if run.attempts >= MAX_ATTEMPTS:
            conversations.close(run, RunStatus.FAILED, GAVE_UP, error=f"Given up after {run.attempts} attempts.")
            return None
        run.status = RunStatus.RUNNING
        run.attempts += 1
        run.started_at = run.started_at or timezone.now()
        run.prompt, run.prompt_hash = prompts.LIVE, prompts.digest()
        run.save(update_fields=["status", "attempts", "started_at", "prompt", "prompt_hash"])
        return run


def _run(run: Run, lock: locks.Lock) -> None:
    streams.publish(run.pk, "status", status=RunStatus.RUNNING)
    transcript = Transcript(run)
    if run.attempts > 1:
        transcript.restart()
    try:
        outcome = _lead(run, transcript, lock)
        ending = run_outcomes.Ending(RunStatus.DONE, outcome=outcome)
    except (HaltedError, Exception) as error:
        ending = run_outcomes.of(error)
    run_outcomes.write(run, transcript, ending)
    try:
        checkpoints.prune(run.conversation_id)
    except Exception:
        logger.exception("the checkpoints of conversation %s were not pruned", run.conversation_id)


def _lead(run: Run, transcript: Transcript, lock: locks.Lock) -> str:
    ctx = Ctx(run.user_id, run.ground_id, run.conversation_id, run.pk, page=run.page)
    meter = Budgets(run)
    own = turn.GraphTurn(ctx, meter=meter)
    meter.pause = own.watch.pause
    if run.attempts > 1:
        messages = own.messages()
        transcript.forget_all_but([message.id for message in messages])
        # Before anything new is said: the transcript is in the order of its writing.
        for message in messages:
            transcript.message(message.id, message.text, cut=bool(message.cut))
    watching, silence = _Watching(run, own.watch, lock), _Silence(run)
    with closing(own.go(run.question.text if run.question else "", _past(run))) as events:
        for event in events:
            watching.look()
            silence.hear(event)
            _tell(run, transcript, event)
    # Also what a worker that is no more heard and did not write down.
    for message in own.messages():
        transcript.message(message.id, message.text, cut=bool(message.cut))
    if run.attempts > 1:
        transcript.put_in_order([message.id for message in own.messages()])
    return own.outcome(proposed=run.proposals.exists())


class _Watching:
    """Halts the turn when its user has asked for that, its time is over, or its lock is lost. Raises, in words for
    the user, where the assistant is switched off or its user may not use it any more."""

    def __init__(self, run: Run, watch: Watch, lock: locks.Lock) -> None:
        self._run, self._watch, self._lock = run, watch, lock
        now = time.monotonic()
        self._until = now + run_outcomes.turn_seconds()
        self._look_at, self._lock_at, self._switches_at = now, now + LOCK_EVERY, now + SWITCHES_EVERY

    def look(self) -> None:
        now = time.monotonic()
        if now < self._look_at or self._watch.halted:
            return
        self._look_at = now + LOOK_EVERY
        if now > self._until:
            self._watch.halt(Halt.TOO_LONG)
        elif streams.is_asked_to_stop(self._run.pk):
            self._watch.halt(Halt.STOPPED)
        elif now > self._lock_at:
            self._lock_at = now + LOCK_EVERY
            if not self._lock.is_held():
                self._watch.halt(Halt.UNLOCKED)
        elif now > self._switches_at:
            self._switches_at = now + SWITCHES_EVERY
            self._expect_allowed()

    def _expect_allowed(self) -> None:
        switches.expect_on(self._run.ground_id)
        Caller(Ctx(self._run.user_id, self._run.ground_id, self._run.conversation_id, self._run.pk))


class _Silence:
    """Says so where a model that is being called has not answered for a while, and what follows then."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._since: float | None = None
        """When the call that is under way was last heard of."""
        self._was_told = False

    def hear(self, event: turn.Event) -> None:
        match event:
            case None:
                self._look()
            case turn.ModelChosen():
                self._follow(event)
                self._since = time.monotonic()
            case turn.Words():
                self._since = time.monotonic()
            case turn.ModelMessage() | turn.Answered():
                self._since = None

    def _look(self) -> None:
        if self._since is not None and not self._was_told and time.monotonic() - self._since >= SILENT_AFTER:
            self._was_told = True
            self._tell(SILENT)

    def _follow(self, chosen: turn.ModelChosen) -> None:
        if chosen.name == OFFLINE and self._was_told:
            self._tell(OFFLINE_INSTEAD)
        elif chosen.attempt > 1:
            self._tell(f"The model is tried again ({chosen.attempt} of {ATTEMPTS})…")
        self._was_told = False

    def _tell(self, sentence: str) -> None:
        streams.publish(self._run.pk, "status", status=RunStatus.RUNNING, sentence=sentence)


def _past(run: Run) -> turn.Past:
    """What the graph does not know of the turn before: what it said half, and what its tools did."""
    earlier = run.conversation.runs.exclude(pk=run.pk).order_by("-created_at").first()
    if earlier is None:
        return turn.Past()
    calls = ToolCall.objects.filter(run=earlier, result__status__isnull=False)
    cut_message = Message.objects.filter(run=earlier, author=Author.ASSISTANT, cut=True).first()
    same = run.conversation.runs.filter(question=run.question).exclude(pk=run.pk) if run.question else []
    return turn.Past(
        results={call.call_id: json.dumps(call.result) for call in calls},
        partial_answer=cut_message.text if cut_message else "",
        superseded=tuple(str(other.pk) for other in same),
    )


def _tell(run: Run, transcript: Transcript, event: turn.Event) -> None:
    tell: Any = streams.publish
    match event:
        case None:
            transcript.flush()
            lend_back()
        case turn.Words(text):
            transcript.words(text)
        case turn.Restart():
            transcript.restart()
        case turn.ModelChosen(name=name, why=why):
            run.model = name
            if why:
                note = conversations.write_note(run, why, name="why")
                tell(run.pk, "message", id=note.pk)
            tell(run.pk, "model", name=name, offline=name == OFFLINE)
        case turn.ModelMessage(id, text, calls, cut):
            transcript.message(id, text, cut=bool(cut))
            if cut:
                note = conversations.write_note(run, cut, name="cut")
                tell(run.pk, "message", id=note.pk)
            for call, name in calls:
                tell(run.pk, "tool", call=call, name=name, status="running")
        case turn.Answered(call, name, status, proposal):
            tell(run.pk, "tool", call=call, name=name, status=status)
            if proposal:
                tell(run.pk, "proposal", id=proposal)


def lost(*, after: dt.timedelta = dt.timedelta(seconds=30)) -> list[uuid.UUID]:
    """Runs that no worker has, nor has been told of for a while."""
    before = timezone.now() - after
    waiting = Run.objects.filter(status=RunStatus.QUEUED, created_at__lt=before)
    begun = Run.objects.filter(status=RunStatus.RUNNING, started_at__lt=before)
    run_ids = [run.pk for run in waiting.order_by("created_at")[:100]]
    for run in begun.order_by("created_at")[:100]:
        with locks.held(run.conversation_id) as lock:
            if lock:
                run_ids.append(run.pk)
    return run_ids
