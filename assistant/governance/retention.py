"""What is kept, and for how long. Every night the rest goes, in small transactions.

What was said goes first: messages, with their feedback, and what the graph knows of the conversation. The audit (runs
with their calls, proposals) has days of its own, and a conversation goes with the last of its runs. What was spent by
user and day stays: it holds nothing that was said.
"""

import datetime as dt
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from assistant import approvals
from assistant.enums import ProposalStatus, RunStatus
from assistant.graph import checkpoints
from assistant.models import Conversation, Message, Proposal, Run
from assistant.spend import budgets

BATCH = 200
ENDED = (RunStatus.DONE, RunStatus.STOPPED, RunStatus.FAILED)


def keep(*, now: dt.datetime | None = None) -> dict[str, int]:
    """Removes what has been kept for long enough; returns how many of each."""
    now = now or timezone.now()
    return {
        "proposals expired": approvals.expire(),
        "calls settled": budgets.settle_lost(),
        "conversations emptied": _in_batches(lambda: _empty(_silent(now), now)),
        "runs": _in_batches(lambda: _remove(_old_runs(now))),
        "proposals": _in_batches(lambda: _remove(_old_proposals(now))),
        "conversations": _in_batches(lambda: _remove(_hollow())),
        "graph threads": _in_batches(_forget_orphans),
    }


def _in_batches(batch: Callable[[], int]) -> int:
    number = 0
    while removed := batch():
        number += removed
    return number


def _before(now: dt.datetime, days: int) -> dt.datetime:
    return now - dt.timedelta(days=days)


def _silent(now: dt.datetime) -> QuerySet[Conversation]:
    """Conversations whose words have been kept for long enough."""
    old = Q(updated_at__lt=_before(now, settings.ASSISTANT_KEEP_CONVERSATIONS_DAYS))
    deleted = Q(deleted_at__lt=_before(now, settings.ASSISTANT_KEEP_DELETED_DAYS))
    has_messages = Exists(Message.objects.filter(conversation=OuterRef("pk")))
    under_way = Exists(Run.objects.filter(conversation=OuterRef("pk")).exclude(status__in=ENDED))
    waiting = Exists(Proposal.objects.filter(conversation=OuterRef("pk"), status=ProposalStatus.WAITING))
    return Conversation.objects.filter(deleted | (old & ~waiting), has_messages, ~under_way)


def _empty(which: QuerySet[Conversation], now: dt.datetime) -> int:
    ids = _ids(which)
    # The graph first: what is left if this breaks off is found again tomorrow.
    checkpoints.forget(ids)
    with transaction.atomic():
        rows = list(which.filter(pk__in=ids).select_for_update())
        Message.objects.filter(conversation__in=rows).delete()
        Run.objects.filter(conversation__in=rows).update(page={})
        for row in rows:
            row.title, row.deleted_at = "", row.deleted_at or now
        Conversation.objects.bulk_update(rows, ["title", "deleted_at"])
    return len(rows)


def _old_runs(now: dt.datetime) -> QuerySet[Run]:
    return Run.objects.filter(created_at__lt=_before(now, settings.ASSISTANT_KEEP_RUNS_DAYS), status__in=ENDED)


def _old_proposals(now: dt.datetime) -> QuerySet[Proposal]:
    """Of runs that are gone; those of a run that is kept are its audit."""
    before = _before(now, settings.ASSISTANT_KEEP_RUNS_DAYS)
    return Proposal.objects.filter(run=None, created_at__lt=before).exclude(status=ProposalStatus.WAITING)


def _hollow() -> QuerySet[Conversation]:
    """Conversations of which nothing is left: no words, no run, no proposal."""
    contents = [Exists(model.objects.filter(conversation=OuterRef("pk"))) for model in (Message, Run, Proposal)]
    return Conversation.objects.filter(*(~content for content in contents), deleted_at__isnull=False)


def _remove(which: QuerySet) -> int:
    ids = _ids(which)
    with transaction.atomic():
        which.model._default_manager.filter(pk__in=ids).delete()
    return len(ids)


def _forget_orphans() -> int:
    threads = checkpoints.orphans(BATCH)
    checkpoints.forget(threads)
    return len(threads)


def _ids(which: QuerySet) -> list[uuid.UUID]:
    return list(which.order_by("pk").values_list("pk", flat=True)[:BATCH])
