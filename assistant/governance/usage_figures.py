"""What the audit adds up to: spend, failures, approvals. Each is a table made by one query over the rows given."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from assistant.enums import BudgetScope, ProposalStatus, ToolStatus
from assistant.models import Budget, Spend
from assistant.spend import spending
from dynosite.lib import clock
from dynosite.lib.formats import full_date

MAX_ROWS = 30
"""Rows of a table; the rest is in the export."""


@dataclass(frozen=True)
class FigureTable:
    title: str
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def lines(self) -> list[list[str]]:
        """The rows as they are read."""
        return [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in self.rows]


def dollars(cost: Decimal | None) -> str:
    """To the cent, and small sums to the hundredth of one."""
    cost = cost or Decimal(0)
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:,.4f}"


def spend_by_user(rows: QuerySet) -> FigureTable:
    groups = (
        rows.order_by()
        .values("user__username")
        .annotate(
            days=Count("day", distinct=True),
            n=Sum("calls"),
            into=Sum("tokens_in"),
            out=Sum("tokens_out"),
            paid=Sum("cost"),
        )
        .order_by("-paid", "-into")[:MAX_ROWS]
    )
    lines = [
        (row["user__username"], row["days"], row["n"], row["into"], row["out"], dollars(row["paid"]))
        for row in groups
    ]
    return FigureTable("By user", ("User", "Days", "Calls", "Tokens in", "Tokens out", "Cost"), lines)


def spend_by_ground(rows: QuerySet) -> FigureTable:
    groups = (
        rows.order_by()
        .values("ground__name")
        .annotate(n=Sum("calls"), into=Sum("tokens_in"), out=Sum("tokens_out"), paid=Sum("cost"))
        .order_by("-paid", "-into")[:MAX_ROWS]
    )
    lines = [(row["ground__name"], row["n"], row["into"], row["out"], dollars(row["paid"])) for row in groups]
    return FigureTable("By proving ground", ("Ground", "Calls", "Tokens in", "Tokens out", "Cost"), lines)


def spend_by_day(rows: QuerySet) -> list[tuple[Any, int, Decimal]]:
    """Day, tokens and cost, of the latest days that have any, in the order of time."""
    groups = rows.order_by().values("day").annotate(tokens=Sum(F("tokens_in") + F("tokens_out")), paid=Sum("cost"))
    return [(row["day"], row["tokens"], row["paid"]) for row in groups.order_by("-day")[:MAX_ROWS]][::-1]


def tools(rows: QuerySet) -> FigureTable:
    """How each tool's calls ended."""
    groups = (
        rows.order_by()
        .values("name")
        .annotate(
            n=Count("pk"),
            failed=Count("pk", filter=Q(status=ToolStatus.FAILED)),
            invalid=Count("pk", filter=Q(status=ToolStatus.INVALID)),
            refused=Count("pk", filter=Q(status__in=(ToolStatus.REFUSED, ToolStatus.NOT_ALLOWED))),
            lost=Count("pk", filter=Q(status__in=(ToolStatus.NOT_FOUND, ToolStatus.UNCLEAR))),
            took=Avg("seconds"),
        )
        .order_by("-failed", "-n")
    )
    lines = [
        (
            row["name"],
            row["n"],
            row["failed"],
            percent(row["failed"], row["n"]),
            row["invalid"],
            row["refused"],
            row["lost"],
            f"{row['took'] or 0:.2f} s",
        )
        for row in groups
    ]
    heads = ("Tool", "Calls", "Failed", "Share", "Invalid", "Refused", "Not found or unclear", "Time, mean")
    return FigureTable("By tool", heads, lines)


def models(rows: QuerySet) -> FigureTable:
    """How each model's calls ended."""
    groups = (
        rows.order_by()
        .values("model")
        .annotate(
            n=Count("pk"),
            failed=Count("pk", filter=~Q(error="")),
            took=Avg("seconds"),
            tokens=Coalesce(Sum(F("tokens_in") + F("tokens_out")), 0),
            paid=Sum("cost"),
            guessed=Count("pk", filter=Q(estimated=True)),
        )
        .order_by("-failed", "-n")
    )
    lines = [
        (
            row["model"],
            row["n"],
            row["failed"],
            percent(row["failed"], row["n"]),
            f"{row['took'] or 0:.2f} s",
            row["tokens"],
            row["guessed"],
            dollars(row["paid"]),
        )
        for row in groups
    ]
    heads = ("Model", "Calls", "Failed", "Share", "Time, mean", "Tokens", "Estimated", "Cost")
    return FigureTable("By model", heads, lines)


DECISIONS = {
    "approved": (ProposalStatus.APPROVED, ProposalStatus.UNDONE),
    "undone": (ProposalStatus.UNDONE,),
    "edited": (ProposalStatus.REPLACED,),
    "rejected": (ProposalStatus.REJECTED,),
    "changed": (ProposalStatus.CHANGED,),
    "expired": (ProposalStatus.EXPIRED,),
    "waiting": (ProposalStatus.WAITING,),
}


def approvals(rows: QuerySet) -> FigureTable:
    """What became of each tool's proposals. The rate is of those that somebody decided on."""
    counts = {name: Count("pk", filter=Q(status__in=statuses)) for name, statuses in DECISIONS.items()}
    groups = rows.order_by().values("tool").annotate(n=Count("pk"), **counts).order_by("-n")
    lines = []
    for row in groups:
        decided = row["approved"] + row["edited"] + row["rejected"]
        lines.append((row["tool"], row["n"], *(row[name] for name in DECISIONS), percent(row["approved"], decided)))
    heads = ("Tool", "Proposed", *(name.capitalize() for name in DECISIONS), "Approval rate")
    return FigureTable("By tool", heads, lines)


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def spent_against(budgets: Iterable[Budget], grounds: Collection[int], *, whole: bool) -> dict[int, str]:
    """What is spent of each budget in the period that runs, by its id; of a general one, by whom most.

    Without `whole` only what the grounds show: sums over all grounds stay unsaid.
    """
    since = clock.today("UTC") - dt.timedelta(days=32)
    rows = (
        Spend.objects.filter(ground_id__in=grounds, day__gte=since)
        .values_list("day", "user__username", "ground__name", "ground__time_zone", "user_id", "ground_id")
        .annotate(tokens=F("tokens_in") + F("tokens_out"), paid=F("cost"))
    )
    spent = list(rows) if budgets else []
    return {budget.pk: _spent_of(budget, spent, whole) for budget in budgets}


def _spent_of(budget: Budget, rows: list[tuple], whole: bool) -> str:
    sums: dict[str, list[Any]] = {}
    for day, user, ground, time_zone, user_id, ground_id, tokens, paid in rows:
        first, last = spending.period_of(budget, clock.today(time_zone))
        if (
            not first <= day <= last
            or budget.user_id not in (None, user_id)
            or budget.ground_id not in (None, ground_id)
        ):
            continue
        key = {BudgetScope.USER: user, BudgetScope.GROUND: ground}.get(BudgetScope(budget.scope), "")
        total = sums.setdefault(key, [0, Decimal(0)])
        total[0] += tokens
        total[1] += paid
    if not whole and budget.scope != BudgetScope.GROUND:
        return "–"
    if not sums:
        return "nothing"
    most = max(sums, key=lambda key: (sums[key][1], sums[key][0]))
    amount = f"{sums[most][0]:,} tokens, {dollars(sums[most][1])}"
    general = budget.user_id is None and budget.ground_id is None and most
    return f"most by {most}: {amount}" if general else amount


WIDTH, HEIGHT = 640, 120


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Bars:
    """A chart in a box of WIDTH × HEIGHT."""

    bars: list[Bar]
    first: str
    last: str
    highest: str
    width: int = WIDTH
    height: int = HEIGHT


def bars_of(days: Sequence[tuple[Any, int, Decimal]]) -> Bars | None:
    """Cost by day, or tokens where nothing has cost anything."""
    if not days:
        return None
    paid = any(cost for _, _, cost in days)
    values = [float(cost) if paid else tokens for _, tokens, cost in days]
    highest, step = max(values) or 1, WIDTH / max(len(days), 10)
    bars = []
    for number, ((day, tokens, cost), value) in enumerate(zip(days, values, strict=True)):
        height = round(value / highest * HEIGHT, 1)
        label = f"{full_date(day)}: {tokens:,} tokens, {dollars(cost)}"
        bars.append(Bar(round(number * step + 1, 1), round(HEIGHT - height, 1), round(step - 2, 1), height, label))
    top = dollars(max(cost for _, _, cost in days)) if paid else f"{max(values):,} tokens"
    return Bars(bars, str(days[0][0]), str(days[-1][0]), top)
