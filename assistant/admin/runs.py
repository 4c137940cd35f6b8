"""Runs, and the page of one: everything that happened in it, in its order, with what it took and cost."""

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import Truncator

from assistant.admin.base import ReadOnlyAdmin
from assistant.enums import Author, ProposalStatus, ToolStatus
from assistant.governance.usage_figures import dollars
from assistant.models import Feedback, Message, Run
from assistant.web.markdown import render
from dynosite.lib.ground_address import mounted
from dynosite.lib.moments import moment

ONLY = admin.RelatedOnlyFieldListFilter


@dataclass
class Moment:
    """One line of the timeline. `data` are named pieces of JSON that can be opened."""

    at: dt.datetime
    kind: str
    title: str
    text: str = ""
    state: str = ""
    bad: bool = False
    facts: list[str] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "begun",
        "question_text",
        "user",
        "ground_code",
        "status",
        "outcome",
        "model",
        "tokens",
        "paid",
        "took",
    ]
    list_display_links = ["begun", "question_text"]
    list_filter = ["status", "outcome", "model", ("ground", ONLY), ("user", ONLY), "created_at"]
    search_fields = ["question__text", "error", "user__username", "id"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    export = (
        "created_at",
        "user__username",
        "ground__code",
        "status",
        "outcome",
        "model",
        "tokens_in",
        "tokens_out",
        "cost",
        "started_at",
        "ended_at",
        "error",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "ground", "question")

    @admin.display(description="asked", ordering="created_at")
    def begun(self, run: Run) -> str:
        return moment(run.created_at, run.ground.time_zone)

    @admin.display(description="question", ordering="question__text")
    def question_text(self, run: Run) -> str:
        return Truncator(run.question.text if run.question else "–").chars(90)

    @admin.display(ordering="tokens_in")
    def tokens(self, run: Run) -> str:
        return f"{run.tokens_in + run.tokens_out:,}"

    @admin.display(description="cost", ordering="cost")
    def paid(self, run: Run) -> str:
        return dollars(run.cost)

    @admin.display
    def took(self, run: Run) -> str:
        return seconds_between(run.created_at, run.ended_at)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        run = self.get_object(request, unquote(object_id))
        if run is None:
            raise Http404
        return self.page(
            request,
            "admin/assistant/run.html",
            title=f"Run of {moment(run.created_at, run.ground.time_zone, seconds=True)}",
            run=run,
            figures=figures_of(run),
            moments=timeline(run),
        )


def seconds_between(first: dt.datetime | None, last: dt.datetime | None) -> str:
    return f"{(last - first).total_seconds():.1f} s" if first and last else "–"


def figures_of(run: Run) -> list[tuple[str, str]]:
    return [
        ("User", str(run.user)),
        ("Proving ground", str(run.ground)),
        ("Status", run.get_status_display()),
        ("Came to", run.get_outcome_display() or "–"),
        ("Model", run.model or "–"),
        ("Tokens in", f"{run.tokens_in:,}"),
        ("Tokens out", f"{run.tokens_out:,}"),
        ("Cost", dollars(run.cost)),
        ("Waited", seconds_between(run.created_at, run.started_at)),
        ("First words after", seconds_between(run.created_at, run.first_words_at)),
        ("Took", seconds_between(run.created_at, run.ended_at)),
        ("Attempts", str(run.attempts)),
        ("Prompt", f"{run.prompt} {run.prompt_hash[:12]}".strip() or "–"),
    ]


def timeline(run: Run) -> list[Moment]:
    """Messages, model calls, tool calls, proposals and what became of them, feedback. A fixed number of queries."""
    moments = _messages(run) + _model_calls(run) + _tool_calls(run) + _proposals(run)
    if run.ended_at:
        bad = bool(run.error)
        moments.append(Moment(run.ended_at, "end", run.get_status_display(), run.error, bad=bad))
    return sorted(moments, key=lambda moment: moment.at)


def _messages(run: Run) -> list[Moment]:
    messages = list(run.messages.exclude(author=Author.USER))
    if run.question:
        messages.insert(0, run.question)
    moments = [
        Moment(
            run.created_at if message == run.question else message.created_at,
            message.author,
            message.get_author_display(),
            _panel_text(message, run),
            state="cut off" if message.cut else "",
        )
        for message in messages
    ]
    for row in Feedback.objects.filter(message__run=run).select_related("user"):
        moments.append(
            Moment(row.created_at, "feedback", f"{row.get_verdict_display()}, says {row.user}", row.comment)
        )
    return moments


def _panel_text(message: Message, run: Run) -> str:
    """What the assistant says, as its panel shows it, with links into the run's proving ground; else plain text."""
    if message.author != Author.ASSISTANT:
        return message.text
    with mounted(run.ground.code):
        return render(message.text)


def _model_calls(run: Run) -> list[Moment]:
    moments = []
    for call in run.model_calls.all():
        facts = [f"{call.tokens_in:,} tokens in", f"{call.tokens_out:,} out", dollars(call.cost)]
        facts += [f"{call.tokens_cached:,} from the cache"] if call.tokens_cached else []
        facts += ["estimated"] if call.estimated else []
        facts.append(f"{call.seconds:.2f} s" if call.ended_at else "under way")
        moments.append(Moment(call.at, "model", call.model, call.error, bad=bool(call.error), facts=facts))
    return moments


def _tool_calls(run: Run) -> list[Moment]:
    return [
        Moment(
            call.at,
            "tool",
            call.name,
            call.error or call.result.get("message", ""),
            call.get_status_display(),
            bad=call.status == ToolStatus.FAILED,
            facts=[f"{call.seconds:.2f} s"],
            data=[("Arguments", _json(call.args)), ("Result", _json(call.result))],
        )
        for call in run.tool_calls.all()
    ]


def _proposals(run: Run) -> list[Moment]:
    moments = []
    for row in run.proposals.select_related("decided_by"):
        moments.append(
            Moment(
                row.created_at,
                "proposal",
                f"Proposed: {row}",
                state=row.tool,
                data=[("Arguments", _json(row.args)), ("What would be done", _json(row.step))],
            )
        )
        if row.decided_at:
            by = f" by {row.decided_by}" if row.decided_by else ""
            bad = row.status in (ProposalStatus.CHANGED, ProposalStatus.EXPIRED)
            moments.append(
                Moment(row.decided_at, "decision", f"{row.get_status_display()}{by}: {row}", row.word, bad=bad)
            )
    return moments


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
