"""What is spent, against the budgets that hold for a run.

A budget of one user or ground takes the place of the general one of its kind and period.
"""

import calendar
import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q

from assistant.enums import BudgetPeriod, BudgetScope
from assistant.exceptions import OverBudget
from assistant.models import Budget, Run


class InUseError(Exception):
    """What is left of a budget is held by calls that are under way."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self.sentence = f"What is left of {_named(budget)} is in use by questions that are being answered; try again."


def expect_room(run: Run, day: dt.date, *, priced: bool) -> None:
    """Raises OverBudget or InUse unless one more call may be made. The budgets stay locked for the transaction."""
    budgets = {budget.pk: budget for budget in _locked(run)}
    if not budgets:
        return
    held_up = None
    for pk, tokens, cost, held_tokens, held_cost in _totals(list(budgets), run, day):
        budget = budgets[pk]
        if budget.tokens is not None and tokens >= budget.tokens:
            raise OverBudget(_spent(budget, f"{budget.tokens:,} tokens"))
        if budget.cost is not None:
            if not priced:
                raise OverBudget(f"The model has no price in the settings, and {_named(budget)} is one of cost.")
            if cost >= budget.cost:
                raise OverBudget(_spent(budget, f"${budget.cost:,.2f}"))
            held_up = budget if cost + held_cost >= budget.cost else held_up
        if budget.tokens is not None and tokens + held_tokens >= budget.tokens:
            held_up = budget
    if held_up:
        raise InUseError(held_up)


def _locked(run: Run) -> list[Budget]:
    # In the order of their ids, so that no two runs wait for each other.
    return _own_before_general(Budget.objects.filter(_of(run)).order_by("pk").select_for_update(no_key=True))


def _of(run: Run) -> Q:
    user = Q(scope=BudgetScope.USER) & (Q(user=None) | Q(user_id=run.user_id))
    ground = Q(scope=BudgetScope.GROUND) & (Q(ground=None) | Q(ground_id=run.ground_id))
    return user | ground | Q(scope=BudgetScope.WHOLE)


def _own_before_general(rows) -> list[Budget]:
    budgets: dict[tuple[str, str], Budget] = {}
    for budget in rows:
        key = (budget.scope, budget.period)
        if key not in budgets or budget.user_id or budget.ground_id:
            budgets[key] = budget
    return list(budgets.values())


# One statement, and so one moment: a call that ends is counted either as open or as spent, and never as neither.
_TOTALS = """
SELECT b.id, COALESCE(s.tokens, 0), COALESCE(s.cost, 0), COALESCE(o.tokens, 0), COALESCE(o.cost, 0)
FROM assistant_budget b
CROSS JOIN LATERAL (
    SELECT CASE b.period WHEN 'day' THEN %(day)s ELSE %(month_first)s END::date AS first,
           CASE b.period WHEN 'day' THEN %(day)s ELSE %(month_last)s END::date AS last
) days
CROSS JOIN LATERAL (
    SELECT sum(tokens_in + tokens_out) AS tokens, sum(cost) AS cost FROM assistant_spend
    WHERE day BETWEEN days.first AND days.last
      AND (b.scope <> 'user' OR user_id = %(user)s) AND (b.scope <> 'ground' OR ground_id = %(ground)s)
) s
CROSS JOIN LATERAL (
    SELECT sum(c.held_tokens) AS tokens, sum(c.held_cost) AS cost
    FROM assistant_modelcall c JOIN assistant_run r ON r.id = c.run_id
    WHERE c.ended_at IS NULL AND c.day BETWEEN days.first AND days.last
      AND (b.scope <> 'user' OR r.user_id = %(user)s) AND (b.scope <> 'ground' OR r.ground_id = %(ground)s)
) o
WHERE b.id = ANY(%(budgets)s)
ORDER BY b.id
"""


def _totals(budgets: list[int], run: Run, day: dt.date) -> list[tuple[int, int, Decimal, int, Decimal]]:
    """Of each budget: tokens and cost that are spent, and that open calls hold."""
    first, last = month_of(day)
    values: dict[str, Any] = {
        "budgets": budgets,
        "user": run.user_id,
        "ground": run.ground_id,
        "day": day,
        "month_first": first,
        "month_last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, values)
        return cursor.fetchall()


def period_of(budget: Budget, day: dt.date) -> tuple[dt.date, dt.date]:
    """The first and last day of the budget's period that a day is in."""
    return (day, day) if budget.period == BudgetPeriod.DAY else month_of(day)


def month_of(day: dt.date) -> tuple[dt.date, dt.date]:
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


_ADD = """
INSERT INTO assistant_spend AS s (day, user_id, ground_id, calls, tokens_in, tokens_out, cost)
VALUES (%s, %s, %s, 1, %s, %s, %s)
ON CONFLICT (day, user_id, ground_id) DO UPDATE SET
    calls = s.calls + 1, tokens_in = s.tokens_in + EXCLUDED.tokens_in,
    tokens_out = s.tokens_out + EXCLUDED.tokens_out, cost = s.cost + EXCLUDED.cost
"""


def add(run: Run, day: dt.date, tokens_in: int, tokens_out: int, cost: Decimal) -> None:
    """Adds a call to what its user has spent on the day."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [day, run.user_id, run.ground_id, tokens_in, tokens_out, cost])


_WHOSE = {
    BudgetScope.USER: "your budget",
    BudgetScope.GROUND: "the proving ground's budget",
    BudgetScope.WHOLE: "the site's budget",
}


def _named(budget: Budget) -> str:
    period = "today" if budget.period == BudgetPeriod.DAY else "this month"
    return f"{_WHOSE[BudgetScope(budget.scope)]} for {period}"


def _spent(budget: Budget, amount: str) -> str:
    anew = "tomorrow" if budget.period == BudgetPeriod.DAY else "next month"
    whose = _named(budget)
    return (
        f"{whose[0].upper()}{whose[1:]}, {amount}, is spent; it begins anew {anew}."
        " Until then the offline model answers."
    )
