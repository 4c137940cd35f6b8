"""How days and numbers are written for people."""

import datetime as dt


def day(value: dt.date, *, year: bool = False) -> str:
    """`Mon 23 Nov`, or `Mon 23 Nov 2026`."""
    return f"{value:%a} {value.day} {value:%b}" + (f" {value.year}" if year else "")


def full_date(value: dt.date) -> str:
    """`23 Nov 2026`, as sentences say a day."""
    return day_range(value, value)


def day_range(first: dt.date, last: dt.date, *, year: bool = True) -> str:
    """`23 – 26 Nov 2026`: what both ends share is written once."""
    end = f"{last.day} {last:%b}" + (f" {last.year}" if year or first.year != last.year else "")
    if first == last:
        return end
    if first.year != last.year:
        return f"{first.day} {first:%b} {first.year} – {end}"
    if first.month != last.month:
        return f"{first.day} {first:%b} – {end}"
    return f"{first.day} – {end}"


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 dyno`, `11 dynos`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
