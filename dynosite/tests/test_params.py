"""Whatever a browser sends as a number is one or none."""

import uuid

import pytest

from dynosite.lib.params import LARGEST, number_of, numbers_of, uuid_of


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("7", 7), ("007", 7), (str(LARGEST), LARGEST), (str(LARGEST + 1), None), ("9" * 5000, None)]
    + [(text, None) for text in ("", None, "-1", "+1", "1.0", " 1", "1\n", "٣", "²", "1e3", "0x1")],
)
def test_number_is_plain_digits_that_the_database_can_hold(text, number):
    assert number_of(text) == number


def test_number_may_be_bounded():
    assert [number_of(text, largest=9) for text in ("9", "10")] == [9, None]


def test_of_many_those_that_are_numbers_stay_in_their_order():
    assert numbers_of(["3", "x", "", "1"]) == [3, 1]


def test_uuid_or_none():
    pk = uuid.uuid4()
    assert [uuid_of(text) for text in (str(pk), "", None, "x", "1" * 33)] == [pk, None, None, None, None]
