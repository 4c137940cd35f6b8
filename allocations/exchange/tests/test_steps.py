"""Mileage steps of one vehicle come one after another."""

import pytest

from allocations.exchange.steps import StepRange, step_range
from allocations.exchange.tests.books import day, row
from allocations.exchange.tests.test_importing import bring
from allocations.models import ProvingGround, TestRequest


@pytest.fixture
def ground(db):
    return ProvingGround.objects.create(code="WEST", name="West")


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("0K - 5K", 0, 5_000),
        ("5K-75K", 5_000, 75_000),
        ("75K – 150K", 75_000, 150_000),
        ("5K to 37.5K", 5_000, 37_500),
        ("5 - 75K", 5_000, 75_000),
        ("500-5K", 500, 5_000),
        ("0 - 5,000 mi", 0, 5_000),
        ("37,5k - 75k km", 37_500, 75_000),
        ("0 - 37,500km", 0, 37_500),
        ("5K mi - 75K mi", 5_000, 75_000),
    ],
)
def test_step_is_read_as_a_range(words, start, end):
    assert step_range(words) == StepRange(start, end)


@pytest.mark.parametrize("words", ["", "DUR", "5K", "75K - 5K", "5K - 5K", "Step 2 - 3", "5K - 75K - 150K"])
def test_what_names_no_range_has_no_order(words):
    assert step_range(words) is None


def orders():
    """By step the step that it comes after."""
    rows = TestRequest.objects.select_related("after").order_by("step")
    return {request.step: request.after.step if request.after else None for request in rows}


def waiting(tag, step, first, **cells):
    return row(tag, step=step, facility=None, dyno="No dyno available", first=first, **cells)


def test_steps_of_a_vehicle_come_after_one_another_in_whatever_order_they_stand(ground):
    bring(
        ground,
        waiting("412W766", "75K - 150K", day(40)),
        row("412W766", step="0K - 5K", first=day(0)),
        waiting("412W766", "5K - 75K", day(20)),
    )
    assert orders() == {"0K - 5K": None, "5K - 75K": "0K - 5K", "75K - 150K": "5K - 75K"}


def test_steps_of_another_vehicle_or_test_or_of_a_cancelled_row_are_no_predecessors(ground):
    bring(
        ground,
        row("412W766", step="0K - 5K", first=day(0)),
        waiting("412W766", "5K - 75K", day(20), test="150K Mileage"),
        waiting("412W767", "5K - 75K", day(20)),
        waiting("412W768", "0K - 10K", day(20), status="CANCELLED"),
        waiting("412W768", "10K - 20K", day(30)),
    )
    assert [request.after for request in TestRequest.objects.all()] == [None] * 5


def test_of_two_steps_that_end_where_one_begins_the_latest_before_it_counts(ground):
    bring(
        ground,
        waiting("412W766", "0K - 5K", day(0)),
        waiting("412W766", "1K - 5K", day(9)),
        waiting("412W766", "2K - 5K", day(30)),
        waiting("412W766", "5K - 75K", day(20)),
    )
    assert orders()["5K - 75K"] == "1K - 5K"


def test_rows_whose_days_say_the_other_order_have_none(ground):
    bring(ground, waiting("412W766", "0K - 5K", day(30)), waiting("412W766", "5K - 75K", day(20)))
    assert orders() == {"0K - 5K": None, "5K - 75K": None}


def test_step_after_a_row_that_was_exported_here_comes_after_its_request(ground):
    bring(ground, row("412W766", step="0K - 5K", first=day(0)))
    TestRequest.objects.update(import_key=None)
    own = f"WEST:R{TestRequest.objects.get().pk}"
    exported = row("412W766", step="0K - 5K", first=day(0), identity=own)
    bring(ground, exported, waiting("412W766", "5K - 75K", day(20)))
    assert orders() == {"0K - 5K": None, "5K - 75K": "0K - 5K"}


def test_step_that_comes_with_a_second_import_comes_after_the_one_that_is_there(ground):
    bring(ground, row("412W766", step="0K - 5K", first=day(0)))
    bring(ground, row("412W766", step="0K - 5K", first=day(0)), waiting("412W766", "5K - 75K", day(20)))
    assert orders() == {"0K - 5K": None, "5K - 75K": "0K - 5K"}
