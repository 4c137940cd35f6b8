"""What the panel draws: turns in order, and in each the words, tool calls and proposals."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from allocations.selectors.history import changes_by_id
from assistant.enums import Author, ProposalStatus, RunStatus
from assistant.models import Conversation, Feedback, Message, Proposal, Run, ToolCall
from assistant.selectors import feedback_on, tool_calls_of
from assistant.web import records
from assistant.web.addresses import in_page
from assistant.web.forms import is_editable
from assistant.web.markdown import render
from assistant.web.models_in_use import model_label
from assistant.web.tables import ToolCard
from dynosite.accounts.models import User


@dataclass
class Words:
    """A message. The assistant's is Markdown, with what it speaks of as links."""

    message: Message
    links: list[records.Record] = field(default_factory=list)
    feedback: Feedback | None = None
    model: str = ""
    kind = "words"

    @property
    def key(self) -> str:
        return f"message-{self.message.pk}"

    @property
    def at(self) -> dt.datetime:
        return self.message.created_at

    @property
    def version(self) -> str:
        verdict = self.feedback.verdict if self.feedback else ""
        return f"{len(self.message.text)}{self.message.cut:d}{verdict}"

    @cached_property
    def html(self) -> SafeString:
        return render(self.message.text, records.names(self.links))

    @property
    def model_label(self) -> str:
        return model_label(self.model) if self.model else ""

    @property
    def chips(self) -> list[records.Record]:
        return records.spoken_of(self.message.text, self.links)


@dataclass
class Card:
    """A proposal. `number` of `total` counts those of its turn."""

    proposal: Proposal
    number: int = 1
    total: int = 1
    replaced_by: Proposal | None = None
    change: Any = None
    """What carrying it out wrote."""
    kind = "card"

    @property
    def key(self) -> str:
        return f"proposal-{self.proposal.pk}"

    @property
    def waiting(self) -> bool:
        return self.proposal.status == ProposalStatus.WAITING and self.proposal.expires_at > timezone.now()

    @property
    def at(self) -> dt.datetime:
        return self.proposal.created_at

    @property
    def version(self) -> str:
        return f"{self.state}{self.number}{self.total}"

    @property
    def state(self) -> str:
        """Its status; `expired` also before the nightly job says so."""
        if self.proposal.status == ProposalStatus.WAITING and not self.waiting:
            return ProposalStatus.EXPIRED
        return self.proposal.status

    @property
    def shows_lines(self) -> bool:
        return self.state not in (ProposalStatus.REPLACED, ProposalStatus.EXPIRED)

    @property
    def editable(self) -> bool:
        return is_editable(self.proposal)

    @property
    def show_url(self) -> str:
        """The calendar at the days of its bars, with the proposal set off."""
        bars = self.proposal.card.get("bars", [])
        if not bars:
            return ""
        first = min(dt.date.fromisoformat(bar["first_day"]) for bar in bars)
        last = max(dt.date.fromisoformat(bar["last_day"]) for bar in bars)
        days = {"from": first - dt.timedelta(days=LEAD), "to": max(last + dt.timedelta(days=LEAD), first + SHORTEST)}
        query = urlencode({name: day.isoformat() for name, day in days.items()})
        return f"{reverse('allocations:schedule')}?{query}#show-{self.bar or self.proposal.pk}"

    @property
    def bar(self) -> str:
        """The id of the bar on the calendar that it became, if it is one."""
        booked = records.allocations_of(self.change)
        return f"a{booked[0]}" if len(booked) == 1 and self.state == ProposalStatus.APPROVED else ""

    @property
    def done_links(self) -> list[dict[str, str]]:
        """To what was written, and to vehicle and dyno."""
        links = records.of_change(self.change) + self.proposal.card.get("links", [])
        return [link | {"url": in_page(link["url"])} for link in links]


LEAD, SHORTEST = 7, dt.timedelta(days=28)
"""Days before and after what is shown on the calendar, and so many at least."""

Entry = Words | Card | ToolCard


@dataclass
class Turn:
    """A run with all that belongs to it; what is older than its run, or lost it, stands in a turn without one."""

    run: Run | None
    entries: list[Entry]

    @property
    def key(self) -> str:
        return f"run-{self.run.pk}" if self.run else f"old-{self.entries[0].key}"

    @property
    def under_way(self) -> bool:
        return self.run is not None and not RunStatus(self.run.status).ended

    @property
    def waiting(self) -> list[Proposal]:
        return [entry.proposal for entry in self.entries if isinstance(entry, Card) and entry.waiting]


def turns_of(conversation: Conversation, user: User) -> list[Turn]:
    """A fixed number of queries, however long the conversation is."""
    return _turns(
        list(conversation.runs.order_by("created_at")),
        conversation.messages.all(),
        tool_calls_of(conversation),
        conversation.proposals.select_related("ground"),
        user,
    )


def turn_of(run: Run, user: User) -> Turn:
    return _turns([run], run.messages.all(), run.tool_calls.all(), run.proposals.select_related("ground"), user)[0]


def card_of(proposal: Proposal, user: User) -> Card:
    change_id = proposal.change_id
    change = changes_by_id([change_id], user=user).get(change_id) if change_id else None
    newer = proposal.replaced_by.select_related("ground").order_by("-created_at").first()
    return Card(proposal, replaced_by=newer, change=change)


def words_of(message: Message, user: User) -> Words:
    calls = message.run.tool_calls.all() if message.run else ()
    return Words(
        message,
        records.of_results(call.result for call in calls),
        message.feedback.filter(user=user).first(),
        message.run.model if message.run else "",
    )


def _turns(
    runs: list[Run],
    messages: Iterable[Message],
    calls: Iterable[ToolCall],
    proposals: Iterable[Proposal],
    user: User,
) -> list[Turn]:
    by_run: dict[Any, list[Entry]] = defaultdict(list)
    results: dict[Any, list[dict]] = defaultdict(list)
    for call in calls:
        by_run[call.run_id].append(ToolCard(call))
        results[call.run_id].append(call.result)
    _add_cards(by_run, list(proposals), user)
    models = {run.pk: run.model for run in runs}
    messages = list(messages)
    feedback = feedback_on(messages, user=user)
    for message in messages:
        model = models.get(message.run_id, "") if message.run_id else ""
        words = Words(message, feedback=feedback.get(message.pk), model=model)
        if message.author == Author.ASSISTANT:
            words.links = records.of_results(results[message.run_id])
        by_run[message.run_id].append(words)
    turns = [Turn(run, _in_order(by_run.pop(run.pk, []))) for run in runs]
    turns += [Turn(None, [entry]) for entries in by_run.values() for entry in entries]
    return sorted(turns, key=lambda turn: turn.run.created_at if turn.run else turn.entries[0].at)


def _add_cards(by_run: dict[Any, list[Entry]], proposals: list[Proposal], user: User) -> None:
    change_ids = [row.change_id for row in proposals if row.change_id]
    changes = changes_by_id(change_ids, user=user) if change_ids else {}
    newer = {row.replaces_id: row for row in proposals if row.replaces_id}
    groups: dict[Any, list[Card]] = defaultdict(list)
    for row in proposals:
        change = changes.get(row.change_id) if row.change_id else None
        groups[row.run_id].append(Card(row, replaced_by=newer.get(row.pk), change=change))
    for run_id, cards in groups.items():
        current = [card for card in cards if card.replaced_by is None]
        for number, card in enumerate(current, 1):
            card.number, card.total = number, len(current)
        by_run[run_id] += cards


def _in_order(entries: list[Entry]) -> list[Entry]:
    """By time, save that the question comes first, and last what waits for a decision, or once did."""
    return sorted(entries, key=lambda entry: (not _is_question(entry), isinstance(entry, Card), entry.at))


def _is_question(entry: Entry) -> bool:
    return isinstance(entry, Words) and entry.message.author == Author.USER
