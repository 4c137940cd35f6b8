"""What the assistant did and what it cost: spend, proposals, tool calls, model calls, feedback."""

from html import unescape
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import strip_tags
from django.utils.text import Truncator

from assistant.admin.base import ReadOnlyAdmin, run_link
from assistant.governance import usage_figures
from assistant.governance.usage_figures import Bars, FigureTable, dollars
from assistant.models import Feedback, ModelCall, Proposal, Spend, ToolCall
from assistant.web.markdown import render
from dynosite.lib.moments import moment

ONLY = admin.RelatedOnlyFieldListFilter


class FailedFilter(admin.SimpleListFilter):
    title = "result"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Failed"), ("no", "Answered")]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return {"yes": rows.exclude(error=""), "no": rows.filter(error="")}.get(self.value() or "", rows)


@admin.register(Spend)
class SpendAdmin(ReadOnlyAdmin):
    list_display = ["day", "user", "ground_code", "calls", "tokens_in", "tokens_out", "paid"]
    list_filter = [("ground", ONLY), ("user", ONLY), "day"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    date_hierarchy = "day"
    ordering = ["-day", "user__username"]
    export = ("day", "user__username", "ground__code", "calls", "tokens_in", "tokens_out", "cost")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "ground")

    @admin.display(description="cost", ordering="cost")
    def paid(self, row: Spend) -> str:
        return dollars(row.cost)

    def summary(self, request: HttpRequest, rows: QuerySet) -> tuple[list[FigureTable], Bars | None]:
        tables = [usage_figures.spend_by_user(rows), usage_figures.spend_by_ground(rows), _prices()]
        return tables, usage_figures.bars_of(usage_figures.spend_by_day(rows))


def _prices() -> FigureTable:
    """Of the models that are set up; a model that is not priced is said to be so."""
    rows: list[tuple[Any, ...]] = []
    for model in settings.ASSISTANT_MODELS:
        price = settings.ASSISTANT_PRICES.get(model)
        rows.append((model, *(f"${amount}" for amount in price[:2])) if price else (model, "no price", "no price"))
    rows.append(("offline", "free", "free"))
    return FigureTable("Prices, for a million tokens", ("Model", "In", "Out"), rows)


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    list_display = ["proposed_at", "title", "tool", "user", "ground_code", "status", "decided_by", "decided", "word"]
    list_filter = ["status", "tool", ("ground", ONLY), ("user", ONLY), "created_at"]
    search_fields = ["tool", "word", "user__username", "card__title"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    export = (
        "created_at",
        "tool",
        "user__username",
        "ground__code",
        "status",
        "decided_by__username",
        "decided_at",
        "word",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "ground", "decided_by")

    @admin.display(description="proposed", ordering="created_at")
    def proposed_at(self, row: Proposal) -> str:
        return run_link(row.run_id, moment(row.created_at, row.ground.time_zone))

    @admin.display(description="decided", ordering="decided_at")
    def decided(self, row: Proposal) -> str:
        return moment(row.decided_at, row.ground.time_zone) if row.decided_at else "–"

    @admin.display(description="what")
    def title(self, row: Proposal) -> str:
        return str(row)

    def summary(self, request: HttpRequest, rows: QuerySet) -> tuple[list[FigureTable], Bars | None]:
        return [usage_figures.approvals(rows)], None


class OfRunAdmin(ReadOnlyAdmin):
    """Rows that are known by their run."""

    ground_path = "run__ground_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("run__user", "run__ground")

    @admin.display(ordering="at")
    def when(self, row: Any) -> str:
        return run_link(row.run_id, moment(row.at, row.run.ground.time_zone, seconds=True))

    @admin.display(description="ground", ordering="run__ground__code")
    def run_ground(self, row: Any) -> str:
        return row.run.ground.code

    @admin.display(description="user", ordering="run__user__username")
    def run_user(self, row: Any) -> str:
        return row.run.user.username


@admin.register(ToolCall)
class ToolCallAdmin(OfRunAdmin):
    list_display = ["when", "name", "status", "run_user", "run_ground", "took", "result_text"]
    list_filter = ["status", "name", ("run__ground", ONLY), ("run__user", ONLY), "at"]
    search_fields = ["name", "error", "run__user__username"]
    date_hierarchy = "at"
    ordering = ["-at"]
    export = ("at", "name", "status", "run__user__username", "run__ground__code", "seconds", "error")

    @admin.display(ordering="seconds")
    def took(self, row: ToolCall) -> str:
        return f"{row.seconds:.2f} s"

    @admin.display(description="error or message")
    def result_text(self, row: ToolCall) -> str:
        return Truncator(row.error or row.result.get("message", "")).chars(120)

    def summary(self, request: HttpRequest, rows: QuerySet) -> tuple[list[FigureTable], Bars | None]:
        return [usage_figures.tools(rows)], None


@admin.register(ModelCall)
class ModelCallAdmin(OfRunAdmin):
    list_display = ["when", "model", "run_user", "run_ground", "tokens_in", "tokens_out", "paid", "took", "failure"]
    list_filter = [FailedFilter, "model", ("run__ground", ONLY), ("run__user", ONLY), "at"]
    search_fields = ["model", "error", "run__user__username"]
    date_hierarchy = "at"
    ordering = ["-at"]
    export = (
        "at",
        "model",
        "run__user__username",
        "run__ground__code",
        "tokens_in",
        "tokens_out",
        "tokens_cached",
        "cost",
        "estimated",
        "seconds",
        "error",
    )

    @admin.display(ordering="seconds")
    def took(self, row: ModelCall) -> str:
        return f"{row.seconds:.2f} s" if row.ended_at else "under way"

    @admin.display(description="cost", ordering="cost")
    def paid(self, row: ModelCall) -> str:
        return dollars(row.cost) + (" (estimated)" if row.estimated else "")

    @admin.display(description="error")
    def failure(self, row: ModelCall) -> str:
        return Truncator(row.error).chars(120)

    def summary(self, request: HttpRequest, rows: QuerySet) -> tuple[list[FigureTable], Bars | None]:
        return [usage_figures.models(rows)], None


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    ground_path = "message__conversation__ground_id"
    list_display = ["when", "verdict", "comment", "user", "feedback_ground", "answer"]
    list_filter = ["verdict", ("message__conversation__ground", ONLY), ("user", ONLY), "created_at"]
    search_fields = ["comment", "user__username", "message__text"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    export = ("created_at", "verdict", "comment", "user__username", "message__text")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "message__conversation__ground")

    @admin.display(ordering="created_at")
    def when(self, row: Feedback) -> str:
        return run_link(row.message.run_id, moment(row.created_at, row.message.conversation.ground.time_zone))

    @admin.display(description="ground")
    def feedback_ground(self, row: Feedback) -> str:
        return row.message.conversation.ground.code

    @admin.display
    def answer(self, row: Feedback) -> str:
        return Truncator(unescape(strip_tags(render(row.message.text)))).chars(160)
