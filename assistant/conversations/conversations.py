"""The one door to the assistant: ask, stop, try again, rename, rate."""

import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from allocations.exceptions import Invalid, NotFound
from allocations.selectors.grounds import ground_for
from assistant import metrics, streams
from assistant.conversations import switches
from assistant.conversations.rate_limit import check_rate, expect_few_runs
from assistant.enums import Author, RunStatus, Verdict
from assistant.exceptions import Decided, Waiting
from assistant.models import Conversation, Feedback, Message, Run
from assistant.selectors import NO_CONVERSATION, NO_MESSAGE, Id, conversation_by_id, id_of, message_by_id, run_by_id
from dynosite.accounts.models import User
from dynosite.lib.plain_text import storable, visible

MAX_MESSAGE_LENGTH = 8_000
"""Characters of a message."""
MAX_PAGE_LENGTH = 4_000
"""Characters of what is told of the page in view, as JSON."""
TITLE = 70
UNDER_WAY = (RunStatus.QUEUED, RunStatus.RUNNING)
NOT_SENT = "The assistant can't be reached at the moment, and did not begin. Try again in a moment."


def ask(
    user: User,
    *,
    ground_id: int,
    text: str,
    conversation_id: Id | None = None,
    page: Mapping[str, Any] | None = None,
    message_id: Id | None = None,
) -> Run:
    """Puts the message into the conversation (a new one without an id) and queues the run that answers it.

    The same message id again gives the same run. Raises NotFound, Invalid, Off, Limited, and Waiting while another
    run of the conversation, or as many of the user as may be at once, are under way.
    """
    ground = ground_for(user, ground_id)
    message_pk = id_of(message_id, NO_MESSAGE) if message_id else uuid.uuid4()
    if existing := _run_of(message_pk, user):
        return existing
    text = _checked(text)
    switches.expect_on(ground.pk)
    check_rate(user, ground.pk)
    try:
        with transaction.atomic():
            conversation = _open(user, ground.pk, conversation_id, text)
            message = Message.objects.create(pk=message_pk, conversation=conversation, author=Author.USER, text=text)
            run = _queue(conversation, message, _page(page))
    except IntegrityError:
        # The same message came twice at once.
        if existing := _run_of(message_pk, user):
            return existing
        raise
    return run


def again(run_id: Id, *, user: User) -> Run:
    """Asks the question of a run that failed or was stopped once more. Raises what `ask` raises."""
    run = run_by_id(run_id, user=user)
    if run.status not in (RunStatus.FAILED, RunStatus.STOPPED) or run.question is None:
        raise Decided("Only what failed or was stopped can be tried again.")
    switches.expect_on(run.ground_id)
    check_rate(user, run.ground_id)
    with transaction.atomic():
        conversation = _locked(run.conversation_id, user)
        return _queue(conversation, run.question, run.page)


def stop(run_id: Id, *, user: User) -> Run:
    """Stops the run: at once if it waits, else as soon as its worker hears of it. What was said is kept."""
    run = run_by_id(run_id, user=user)
    streams.ask_to_stop(run.pk)
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run.pk)
        if run.status == RunStatus.QUEUED:
            close(run, RunStatus.STOPPED, "Stopped before it began.")
    return run


def close(run: Run, status: RunStatus, sentence: str, *, error: str = "") -> None:
    """Ends a run that no worker has, with a note in the transcript. In a transaction with the run locked."""
    run.status, run.ended_at, run.error = status, timezone.now(), error
    run.save(update_fields=["status", "ended_at", "error"])
    metrics.count("runs", status)
    note = write_note(run, sentence)

    def tell() -> None:
        streams.publish(run.pk, "message", id=note.pk)
        streams.end(run.pk, status, seconds=1)

    transaction.on_commit(tell)


def write_note(run: Run, sentence: str, *, name: str = "note") -> Message:
    """The run's note of that name; another try of the same writes no second one."""
    values = {"conversation_id": run.conversation_id, "run": run, "author": Author.NOTE, "text": sentence}
    return Message.objects.update_or_create(pk=uuid.uuid5(run.pk, name), defaults=values)[0]


def stream_of(run_id: Id, *, user: User) -> str:
    """The key of the run's stream, which has an end if the run has one: also where Redis has forgotten it."""
    run = run_by_id(run_id, user=user)
    if RunStatus(run.status).ended:
        tell_end(run)
    return streams.key(run.pk)


def tell_end(run: Run) -> None:
    """Sees to it that the stream of a run that has ended says so, and where its messages are."""
    if streams.last_name(run.pk) == "end":
        return
    for message_id in run.messages.exclude(author=Author.USER).values_list("pk", flat=True):
        streams.publish(run.pk, "message", id=message_id)
    streams.end(run.pk, run.status, seconds=1)


def rename(pk: Id, title: str, *, user: User) -> Conversation:
    conversation = conversation_by_id(pk, user=user)
    title = " ".join(visible(title).split())
    longest = Conversation._meta.get_field("title").max_length or TITLE
    if not title or len(title) > longest:
        raise Invalid({"title": [f"A title has 1 to {longest} characters."]})
    # Not `updated_at`: a name does not bring an old conversation to the top.
    Conversation.objects.filter(pk=conversation.pk).update(title=title)
    conversation.title = title
    return conversation


def delete(pk: Id, *, user: User) -> Conversation:
    """Takes it out of every list; `restore` brings it back. A run that is under way is stopped."""
    conversation = conversation_by_id(pk, user=user)
    for run in conversation.runs.filter(status__in=UNDER_WAY):
        stop(run.pk, user=user)
    conversation.deleted_at = timezone.now()
    Conversation.objects.filter(pk=conversation.pk).update(deleted_at=conversation.deleted_at)
    return conversation


def restore(pk: Id, *, user: User) -> Conversation:
    conversation = conversation_by_id(pk, user=user, deleted=True)
    conversation.deleted_at = None
    Conversation.objects.filter(pk=conversation.pk).update(deleted_at=None)
    return conversation


def rate(message_id: Id, verdict: str, comment: str = "", *, user: User) -> Feedback | None:
    """Keeps the user's verdict on an answer; an empty one takes it back."""
    missing = "There is no such answer here."
    message = message_by_id(id_of(message_id, missing), user=user)
    if message.author != Author.ASSISTANT:
        raise NotFound(missing)
    if not verdict:
        Feedback.objects.filter(message=message, user=user).delete()
        return None
    if verdict not in Verdict.values:
        raise Invalid({"verdict": ["A verdict is up, down or nothing."]})
    values = {"verdict": verdict, "comment": comment.strip()[:2_000]}
    return Feedback.objects.update_or_create(message=message, user=user, defaults=values)[0]


def send(run_id: Id) -> None:
    """Hands the run to a worker. Once too often does no harm."""
    current_app.send_task("assistant.tasks.run_turn", args=[str(run_id)], ignore_result=True)


def _queue(conversation: Conversation, question: Message, page: dict[str, Any]) -> Run:
    if conversation.runs.filter(status__in=UNDER_WAY).exists():
        raise Waiting("An answer in this conversation is under way; wait for it, or stop it.")
    expect_few_runs(conversation.user_id)
    run = Run.objects.create(
        conversation=conversation,
        user_id=conversation.user_id,
        ground_id=conversation.ground_id,
        question=question,
        page=page,
    )
    if question.run_id is None:
        question.run = run
        question.save(update_fields=["run"])
    conversation.save(update_fields=["updated_at"])
    transaction.on_commit(lambda: _dispatch(run))
    return run


def _dispatch(run: Run) -> None:
    streams.publish(run.pk, "status", status=RunStatus.QUEUED)
    try:
        send(run.pk)
    except (OperationalError, OSError) as error:
        logging.getLogger(__name__).warning("run %s was not sent: %s", run.pk, error)
        with transaction.atomic():
            close(run, RunStatus.FAILED, NOT_SENT, error=f"{type(error).__name__}: {error}")


def _open(user: User, ground_id: int, conversation_id: Id | None, text: str) -> Conversation:
    if conversation_id is None:
        return Conversation.objects.create(user=user, ground_id=ground_id, title=_title(text))
    conversation = _locked(conversation_id, user)
    if conversation.ground_id != ground_id:
        raise NotFound(NO_CONVERSATION)
    if not conversation.title:
        conversation.title = _title(text)
        conversation.save(update_fields=["title"])
    return conversation


def _locked(pk: Id, user: User) -> Conversation:
    """Locked, so that of two messages at once one waits and then is told of the other."""
    candidates = Conversation.objects.select_for_update().filter(
        pk=id_of(pk, NO_CONVERSATION), user=user, deleted_at=None
    )
    if (conversation := candidates.first()) is None:
        raise NotFound(NO_CONVERSATION)
    return conversation


def _run_of(message_id: uuid.UUID, user: User) -> Run | None:
    """The latest run that answers the message. Raises NotFound for somebody else's."""
    message = Message.objects.select_related("conversation").filter(pk=message_id).first()
    if message is None:
        return None
    if message.conversation.user_id != user.pk or message.conversation.deleted_at:
        raise NotFound(NO_MESSAGE)
    run = Run.objects.filter(question=message).order_by("-created_at").first()
    if run is None:
        raise NotFound(NO_MESSAGE)  # an answer's id, or one whose run is forgotten
    return run


def _checked(text: str) -> str:
    text = storable(text).strip()
    if not text:
        raise Invalid({"text": ["Write a message first."]})
    if len(text) > MAX_MESSAGE_LENGTH:
        raise Invalid(
            {"text": [f"A message has at most {MAX_MESSAGE_LENGTH:,} characters; this one has {len(text):,}."]}
        )
    return text


def _page(page: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the page in view says of itself; nothing if that is no small piece of data."""
    try:
        return dict(page or {}) if len(json.dumps(dict(page or {}))) <= MAX_PAGE_LENGTH else {}
    except (TypeError, ValueError):
        return {}


def _title(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= TITLE else line[:TITLE].rsplit(" ", 1)[0] + "…"
