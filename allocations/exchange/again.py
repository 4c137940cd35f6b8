"""What a workbook calls by another name than the ground does by now: taken as the same, and said as a doubt."""

from collections.abc import Collection
from dataclasses import replace

from allocations.exchange.cells import fold
from allocations.exchange.dynos import meaning
from allocations.exchange.ground import Ground, KnownTest
from allocations.exchange.outcome import Doubt, Row, Sheets
from allocations.names import quoted


def with_names_of_today(sheets: Sheets, ground: Ground, choices: Collection[str]) -> Sheets:
    """The sheets with the present names of dynos and test types that were renamed here, each with its doubt.

    A name is left as it is where the ground has it still, or where `choices` has the doubt's key.
    """
    doubts: dict[str, Doubt] = {}

    def dyno(name: str) -> str:
        new = ground.former_dynos.get(fold(name))
        if new is None or f"dyno:{fold(name)}" in choices:
            return name
        sentence = f"The dyno '{name}' was renamed here: it is {new} now, and the sheet's '{name}' is taken as {new}."
        doubts.setdefault(fold(name), Doubt(sentence, f"dyno:{fold(name)}", f"'{name}' is a new dyno"))
        return new

    def test_type(name: str) -> str:
        new = ground.former_test_types.get(fold(name))
        if new is None or f"test:{fold(name)}" in choices:
            return name
        sentence = f"The test type '{name}' was renamed here: it is {new} now, and '{name}' is taken as {new}."
        doubts.setdefault(f"test {fold(name)}", Doubt(sentence, f"test:{fold(name)}", f"'{name}' is a new test type"))
        return new

    names = {*ground.dynos, *ground.former_dynos, *(fold(name) for rule in sheets.rules for name in rule.dynos)}
    dynos = dict.fromkeys(names, "")

    def row_of_today(row: Row) -> Row:
        row = replace(row, test_type=test_type(row.test_type))
        key = meaning(row.facility, row.dyno, dynos) if ground.former_dynos else None
        if key in ground.former_dynos and (new := dyno(key)) != key:
            return replace(row, dyno=quoted(new))
        return row

    return replace(
        sheets,
        rules=[
            replace(rule, test_type=test_type(rule.test_type), dynos=tuple(dict.fromkeys(map(dyno, rule.dynos))))
            for rule in sheets.rules
        ],
        windows=[replace(window, dyno=dyno(window.dyno)) for window in sheets.windows],
        named_dynos=[(n, dyno(name)) for n, name in sheets.named_dynos],
        rows=[row_of_today(row) for row in sheets.rows],
        doubts=[*doubts.values(), *sheets.doubts],
    )


def known_otherwise(
    rows: list[Row], identities: dict[int, str], ground: Ground, choices: Collection[str]
) -> tuple[dict[int, KnownTest], list[Doubt]]:
    """Of rows that are not known, those that are tests imported before whose vehicle or test the sheet now calls
    otherwise, by row number; and their doubts."""
    unmatched = {test.id: test for test in ground.missing}
    matches, doubts = {}, []
    for row in rows:
        key = f"row:{identities[row.number]}"
        alike = [test for test in unmatched.values() if _is_alike(row, test)]
        test = min(alike, key=lambda test: (not _has_vehicle(row, test), test.id), default=None)
        if test is None or key in choices:
            continue
        del unmatched[test.id]
        matches[row.number] = test
        doubts.append(Doubt(_sentence(row, test), key, f"Row {row.number} is another test"))
    return matches, doubts


def _is_alike(row: Row, test: KnownTest) -> bool:
    if not (test.placeholder or _has_vehicle(row, test)):
        return False
    of_row = (fold(row.test_type), fold(row.detail("step")), row.first, row.days)
    return of_row == (test.test_type, test.step, test.first, test.days)


def _has_vehicle(row: Row, test: KnownTest) -> bool:
    return bool((row.vin and row.vin == test.vin) or (row.tag and fold(row.tag) == fold(test.tag)))


def _sentence(row: Row, test: KnownTest) -> str:
    subject = f"Row {row.number}, {row.test_type} of {row.vin or row.tag}, looks like the test of {test.vehicle}"
    if _has_vehicle(row, test):
        return f"{subject} that was imported before, called otherwise then; it was left as it is here."
    return (
        f"{subject}, a placeholder, that was imported before and is no longer in the sheet: nothing is made of the "
        f"row. If it is that test, give {test.vehicle} here the tag {row.tag or row.vin}."
    )
