"""Finding what a person means by a name: digits exactly, letters with some forgiveness. Pure."""

import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

NEAR = 80
"""How alike letters have to be, of 100, for a typing error."""
VIN = re.compile(r"^[A-HJ-NPR-Z0-9]{17}$")


def squeezed(text: str) -> str:
    """Letters and digits only, in small letters: `NPG-1`, `npg 1` and `NPG1` are the same."""
    return re.sub(r"[^0-9a-z<>]", "", text.casefold())


def digits(text: str) -> list[str]:
    """The numbers in a text, without zeros in front: 17 is 017 and not 117."""
    return [number.lstrip("0") or "0" for number in re.findall(r"\d+", text)]


def _same(names: Iterable[str], text: str) -> list[str]:
    key = squeezed(text)
    return [name for name in names if key and squeezed(name) == key]


def vehicles_named(text: str, tags: Sequence[str], vins: Sequence[str] = ()) -> list[str]:
    """The tags or VINs that a text means: the same letters and digits, or else the end of a VIN."""
    matches = _same(tags, text) or _same(vins, text)
    if matches:
        return matches
    end = squeezed(text)
    return [vin for vin in vins if len(end) >= 5 and squeezed(vin).endswith(end)]


def alike(text: str, names: Sequence[str], *, limit: int = 3, least: int = NEAR) -> list[str]:
    """Names that look like the text, for "did you mean"."""
    matches = process.extract(text, names, processor=squeezed, scorer=fuzz.ratio, limit=limit, score_cutoff=least)
    return [name for name, _, _ in matches]


_DYNO_WORDS = re.compile(r"\b(?:dynos?|dynamometers?|cells?|rigs?|stands?|benche?s?|numbers?|no\.?|nr\.?)\b|#")


def dynos_named(text: str, names: Sequence[str]) -> list[str]:
    """The dynos that a text means. `dyno 17` and `17` mean those with the number 17, and no 117."""
    if matches := _same(names, text):
        return matches
    bare = _DYNO_WORDS.sub(" ", text.casefold())
    if matches := _same(names, bare):
        return matches
    if matches := [name for name in names if squeezed(_DYNO_WORDS.sub(" ", name.casefold())) == squeezed(bare) != ""]:
        return matches
    number = digits(bare)
    letters = re.sub(r"[^a-z]", "", bare)
    numbered = [name for name in names if number and digits(name) == number]
    if not letters:
        return numbered
    pool = numbered if number else [name for name in names if not digits(name)]
    matches = [name for name in pool if fuzz.ratio(letters, re.sub(r"[^a-z]", "", name.casefold())) >= NEAR]
    return matches or ([] if number else beginning(text, names))


def beginning(text: str, names: Sequence[str]) -> list[str]:
    """The names that a text is the beginning of: `EVX` of EVX-7 and EVX-8; a number is never cut in two."""
    key = squeezed(text)
    if len(key) < 3:
        return []
    pattern = re.compile(r"[^0-9a-z]*".join(key) + (r"(?!\d)" if key[-1].isdigit() else r"(?![a-z])"))
    return [name for name in names if pattern.match(name.casefold())]


_TEST_WORDS = {"test", "tests", "testing", "run", "runs", "a", "an", "the", "type", "cert"}


def _words(text: str) -> list[str]:
    words = re.findall(r"\d+(?:[.,]\d+)?[a-z]*|[a-z]+", text.casefold())
    return ["certification" if word == "cert" else word for word in words]


def test_types_named(text: str, names: Sequence[str]) -> list[str]:
    """The test types that a text names, the best first; those that fit equally well all come."""
    if matches := _same(names, text):
        return matches
    scores = {name: score for name in names if (score := _fits(_words(text), _words(name)))}
    best = max(scores.values(), default=0)
    return [name for name, score in scores.items() if score == best]


def _fits(words: list[str], name: list[str]) -> float:
    """How well the words said name a test type: 0 for not, else the share of its words that were said."""
    telling = [word for word in words if word not in _TEST_WORDS]
    own = [word for word in name if word not in _TEST_WORDS] or name
    hit = sum(any(_alike(word, part) for word in telling) for part in own)
    if not telling or not all(any(_alike(word, part) for part in own) for word in telling):
        return 0
    return hit / len(own)


def _alike(word: str, part: str) -> bool:
    if word == part:
        return True
    if digits(word) != digits(part):
        return False
    if digits(word):
        return re.sub(r"\W", "", word) == re.sub(r"\W", "", part)
    if len(word) >= 3 and (part.startswith(word) or word.startswith(part)) and abs(len(word) - len(part)) <= 9:
        return True
    return len(word) >= 4 and fuzz.ratio(word, part) >= NEAR
