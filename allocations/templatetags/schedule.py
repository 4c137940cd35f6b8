"""Bars and sparks of the calendar, written straight to HTML: a board has thousands of them."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from allocations.enums import AllocationStatus
from allocations.selectors.calendar import SPARK_BARS, Bar
from allocations.web.schedule.lanes import Stacked
from dynosite.lib.formats import day_range

register = template.Library()

_BAR = '<a class="bar {}" id="{}{}" href="{}{}/" title="{}"{} style="--s:{};--n:{}{}"><span>{}{}</span></a>'
_LABELS = {"maintenance": "Maintenance", **dict(AllocationStatus.choices)}
SPARK_HEIGHT = 16
LONG = 14
"""Days from which a bar has room for words at every zoom."""


@register.simple_tag
def bar(stay: Bar, links: dict[str, str], total: int, stacked: Stacked | None = None) -> SafeString:
    """A bar is a link to what it stands for; its place is two custom properties, its looks are classes.

    Among those of several lanes it says on which of them it is, and its level is a third one.
    """
    visible_days = min(stay.start + stay.held, total) - max(stay.start, 0)
    css = f"status-{stay.look}"
    if visible_days <= 2:
        css += f" d{visible_days}"
    elif visible_days >= LONG:
        css += " long"
    if not stay.matches:
        css += " dim"
    kind = "w" if stay.status == "maintenance" else "a"
    title = title_of(stay)
    vehicle = format_html("<b>{}</b> ", stay.vehicle) if stay.vehicle else ""
    done = f";--p:{stay.done}%" if stay.done is not None else ""
    if stay.over:
        css += " over"
        done += f";--o:{stay.over}"
    label, lane = stay.label, ""
    if stacked:
        done += f";--l:{stacked.level}"
        lane = format_html(' data-lane="{}"', stacked.lane.id)
        title = f"{stacked.lane.name}: {title}"
        label = f"{label} · {stacked.lane.name}"
    return format_html(
        _BAR, css, kind, stay.pk, links[kind], stay.pk, title, lane, stay.start, stay.held, done, vehicle, label
    )


def title_of(stay: Bar) -> str:
    """All that a bar says where it has no room for words: whose it is, which test, its days and why it is late."""
    subject = ", ".join(filter(None, (stay.vehicle, stay.label)))
    state = f"{_LABELS[stay.status]}, {day_range(stay.first, stay.last, year=False)}"
    return ". ".join(filter(None, (subject, state, stay.late.sentence if stay.late else "")))


@register.simple_tag
def spark(weekly: list[int], now: int | None) -> SafeString:
    """A small column chart, a column a week, in a box of 46 by 16 filled from the right; `now` is set off."""
    columns = []
    for number, percent in enumerate(weekly):
        offset = (SPARK_BARS - len(weekly) + number) * 6
        height = max(1, round(percent * SPARK_HEIGHT / 100))
        columns.append(f"M{offset} {SPARK_HEIGHT}v-{height}h4v{height}z")
    current = columns.pop(now) if now is not None else ""
    return format_html('<path d="{}"/><path class="now" d="{}"/>', "".join(columns), current)
