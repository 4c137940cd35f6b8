"""Names of dynos and facilities, told from the other words that a forecast sheet has where it names a dyno."""

import re

from dynosite.lib.plain_text import one_line

NOTHING = frozenset({"", "-", "--", "–", "—", "?", "n/a", "na", "#n/a", "none", "tbd", "tba", "tbc"})
"""What people write into a cell that is to be empty."""
NO_PLACE = frozenset({"no dyno available", "invalid drive", "invalid test", "no dyno candidates"}) | NOTHING
"""Words of the workbook's macro for a test that it found no dyno for; never names of dynos."""
POOL = "Track"
"""In a sheet: whichever lane of the track is free."""
MAX_NAME_LENGTH = 60

_QUOTED = r'"((?:[^"]|"")*)"'
_PART = re.compile(rf"\s*(?:{_QUOTED}\s*(?=[,;]|$)|([^,;]*))(?:[,;]|$)")


def folded(name: str) -> str:
    """What names are compared by."""
    return one_line(name).upper().casefold()


def name_problem(name: str) -> str:
    """Why no dyno or facility can be given this name, in a sentence; empty where it can."""
    if "," in name or ";" in name:
        plain = " ".join(re.sub(r"[,;]", " ", name).split()) or "Cell 5 north"
        return f"A name has no comma or semicolon, which separate dynos in the forecast workbook; {plain} would do."
    if folded(name).rstrip(".!") in NO_PLACE:
        return f"'{name}' says in the forecast workbook that there is no dyno; choose another name."
    if name.startswith('"'):
        return "A name does not begin with a quotation mark."
    if len(name) > MAX_NAME_LENGTH:
        return f"A name has {MAX_NAME_LENGTH} characters at most."
    return ""


def dyno_name_problem(name: str) -> str:
    if folded(name) == folded(POOL):
        return f"'{POOL}' means any lane of the track in the forecast workbook; {POOL} 1 would do."
    return name_problem(name)


def quoted(name: str) -> str:
    """The name as a sheet has it where it could be read as something else."""
    return '"' + name.replace('"', '""') + '"'


def unquoted(words: str) -> str | None:
    """The name that stands in quotation marks; None where the words are not one quoted name."""
    match = re.fullmatch(_QUOTED, words)
    return match and match[1].replace('""', '"')


def listed(words: str) -> list[tuple[str, bool]]:
    """The names of a list separated by commas or semicolons, each with whether it was quoted."""
    names = []
    for match in _PART.finditer(words):
        exact = match[1] is not None
        name = one_line(match[1].replace('""', '"') if exact else match[2])
        if name:
            names.append((name, exact))
    return names
