import datetime as dt

import pytest

from assistant.providers.offline.days import read_days

WEDNESDAY = dt.date(2026, 11, 18)

DAYS_BY_PHRASE = {
    "from 2026-12-14 to 2026-12-16": "2026-12-14 2026-12-16",
    "next week": "2026-11-23 2026-11-29",
    "december 1 to december 3": "2026-12-01 2026-12-03",
    "starting 2026-12-14 for 2 days": "2026-12-14 2026-12-15",
    "next monday for 3 days": "2026-11-23 2026-11-25",
    "2026-11-24 for one day": "2026-11-24 2026-11-24",
    "december 21 to 22": "2026-12-21 2026-12-22",
    "december 14 to 16": "2026-12-14 2026-12-16",
    "the week of dec 7": "2026-12-07 2026-12-13",
    "12/14": "2026-12-14 None",
    "in two weeks": "2026-12-02 None",
    "14.12.": "2026-12-14 None",
    "tomorrow for 3 days": "2026-11-19 2026-11-21",
    "between may 1 and may 3": "2027-05-01 2027-05-03",
    "may 1-3": "2027-05-01 2027-05-03",
    "1-3 may": "2027-05-01 2027-05-03",
    "may i have 2 pumps": "None None",
    "end of the month": "2026-11-30 None",
    "this weekend": "2026-11-21 2026-11-22",
    "q3": "2027-07-01 2027-09-30",
    "q1 2027": "2027-01-01 2027-03-31",
    "in december": "2026-12-01 2026-12-31",
    "from dec 14th through dec 16th": "2026-12-14 2026-12-16",
    "14.12. - 16.12.": "2026-12-14 2026-12-16",
    "14.-16.12.": "2026-12-14 2026-12-16",
    "14.12.2026 bis": "2026-12-14 None",
    "12/14 - 12/16": "2026-12-14 2026-12-16",
    "12/14-12/16": "2026-12-14 2026-12-16",
    "12/14/2026 to 12/16/2026": "2026-12-14 2026-12-16",
    "14 december": "2026-12-14 None",
    "the 14th of december": "2026-12-14 None",
    "on the 25th": "2026-11-25 None",
    "on the 3rd": "2026-12-03 None",
    "this friday": "2026-11-20 None",
    "friday": "2026-11-20 None",
    "from monday to wednesday": "2026-11-23 2026-11-25",
    "monday next week": "2026-11-23 None",
    "a week from monday": "2026-11-30 None",
    "week 50": "2026-12-07 2026-12-13",
    "kw 50": "2026-12-07 2026-12-13",
    "dec 28 to jan 3": "2026-12-28 2027-01-03",
    "december 30 until january 2": "2026-12-30 2027-01-02",
    "the first week of december": "2026-12-01 2026-12-07",
    "mid december": "2026-12-11 2026-12-20",
    "for 3 days from december 14": "2026-12-14 2026-12-16",
    "for three days starting dec 14": "2026-12-14 2026-12-16",
    "day after tomorrow": "2026-11-20 None",
    "next month": "2026-12-01 2026-12-31",
    "rest of the week": "2026-11-18 2026-11-22",
    "the next 10 days": "2026-11-18 2026-11-27",
    "monday, december 14": "2026-12-14 None",
    "from monday dec 14 to friday dec 18": "2026-12-14 2026-12-18",
    "dec 14–16": "2026-12-14 2026-12-16",
    "dec 14, 2026": "2026-12-14 None",
    "week after next": "2026-11-30 2026-12-06",
    "2 days starting 2026-12-14": "2026-12-14 2026-12-15",
    "a 5-day test from 12/14": "2026-12-14 2026-12-18",
    "from 14 to 16 december": "2026-12-14 2026-12-16",
    "between the 14th and the 16th of december": "2026-12-14 2026-12-16",
    "from the 14th to the 16th of december": "2026-12-14 2026-12-16",
    "2026-12-14..2026-12-16": "2026-12-14 2026-12-16",
    "in 3 days": "2026-11-21 None",
    "three weeks from now": "2026-12-09 None",
    "for two weeks beginning january 4": "2027-01-04 2027-01-17",
    "jan 4 2027 for a week": "2027-01-04 2027-01-10",
    "within the next two weeks": "2026-11-18 2026-12-01",
    "from now until friday": "2026-11-18 2026-11-20",
    "from tomorrow to friday": "2026-11-19 2026-11-20",
    "week of 12/7": "2026-12-07 2026-12-13",
    "2026-12-14 to 16": "2026-12-14 2026-12-16",
    "november 23-27": "2026-11-23 2026-11-27",
    "november to january": "2026-11-01 2027-01-31",
    "may 1 for 3 days": "2027-05-01 2027-05-03",
    "next tuesday through thursday": "2026-11-24 2026-11-26",
    "dec 14 and dec 15": "2026-12-14 2026-12-15",
    "2 week starting monday": "2026-11-23 2026-12-06",
    "2026-12-31": "2026-12-31 None",
    "early january": "2027-01-01 2027-01-10",
    "from the 21st to the 23rd": "2026-11-21 2026-11-23",
    "on monday the 14th of december": "2026-12-14 None",
    "next weekend": "2026-11-28 2026-11-29",
    "extend it by 2 days": "None None",
    "nov 22 and 23": "2026-11-22 2026-11-23",
    "the 22nd and 23rd of november": "2026-11-22 2026-11-23",
    "w50": "2026-12-07 2026-12-13",
    "the monday after next": "2026-11-30 None",
    "until the end of december from december 21": "2026-12-21 2026-12-31",
    "from thursday for 5 working days": "2026-11-19 2026-11-25",
    "on saturday for 3 business days": "2026-11-21 2026-11-25",
    "december 17 to december 13": "2026-12-17 2026-12-13",
}


@pytest.mark.parametrize("phrase", DAYS_BY_PHRASE)
def test_days_as_people_write_them(phrase):
    when = read_days(phrase, WEDNESDAY)
    assert f"{when.first} {when.end}" == DAYS_BY_PHRASE[phrase]


def test_a_length_alone_is_no_day():
    when = read_days("for 3 days", WEDNESDAY)
    assert (when.first, when.days) == (None, 3)


def test_questions_of_the_past_look_back():
    assert read_days("in october", WEDNESDAY, "past").first == dt.date(2026, 10, 1)
    assert read_days("in october", WEDNESDAY).first == dt.date(2027, 10, 1)


def test_names_and_amounts_are_no_days():
    for phrase in ("a 4800 lb car", "dyno 17", "4k certification", "the 150k mileage test", "may i have 2 pumps"):
        assert read_days(phrase, WEDNESDAY).first is None
