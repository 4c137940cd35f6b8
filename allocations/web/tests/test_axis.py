"""The head of the calendar."""

from allocations.tests.world import day
from allocations.web.schedule.axis import axis_of
from dynosite.lib.days import DayRange


def test_weeks_stand_over_days():
    days = DayRange(day(3), day(15))
    axis = axis_of(days, "week", day(5), [0] * 11 + [90, 100])
    assert [(span.label, span.note, span.length) for span in axis.spans] == [
        ("19 Nov", "W47", 4),
        ("23 Nov", "W48", 7),
        ("30 Nov", "W49", 2),
    ]
    assert [(head.letter, head.number, head.css, head.hot) for head in axis.days][:3] == [
        ("T", 19, "", False),
        ("F", 20, "", False),
        ("S", 21, "weekend today", False),
    ]
    assert [head.hot for head in axis.days[-2:]] == [True, True]
    assert (axis.today, axis.weekday) == (2, 3)


def test_days_off_are_shaded_in_runs_and_holidays_named():
    days = DayRange(day(0), day(20))
    closed = {
        day(5): "Saturday",
        day(6): "Sunday",
        day(10): "Thanksgiving Day",
        day(11): "Inventory",
        day(12): "Inventory",
        day(13): "Sunday",
    }
    axis = axis_of(days, "week", day(5), [0] * 21, closed)
    assert [(off.start, off.length, off.name) for off in axis.off] == [
        (5, 2, ""),
        (10, 4, "Thanksgiving Day and Inventory"),
    ]
    assert axis.named == axis.off[1:]
    assert [(head.css, head.off) for head in axis.days[4:7]] == [
        ("", ""),
        ("weekend off today", "Saturday"),
        ("weekend off", "Sunday"),
    ]
    assert axis_of(days, "quarter", day(5), [0] * 21, closed).off == axis.off
    assert axis_of(days, "week", day(5), [0] * 21).off == []


def test_months_stand_over_weeks_where_days_have_no_room():
    days = DayRange(day(0), day(50))
    axis = axis_of(days, "quarter", day(-1), [0] * 51)
    assert [(span.label, span.note, span.length) for span in axis.spans] == [
        ("November", "2026", 15),
        ("December", "2026", 31),
        ("January", "2027", 5),
    ]
    assert sum(span.length for span in axis.weeks) == 51
    assert (axis.days, axis.today) == ([], None)
