"""What a sentence holds: vehicles, dynos, test types, weight, drive, days. Pure."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from assistant import matching
from assistant.providers.offline.days import Bias, When, read_days
from assistant.providers.offline.languages import in_english
from assistant.providers.offline.page_in_view import NOWHERE, PageInView
from assistant.providers.offline.words import KEYWORDS, KNOWN_WORDS


@dataclass(frozen=True)
class Vocabulary:
    """The names of the ground, and the day there. Only what the user may see anyway."""

    today: dt.date
    ground: str = ""
    role: str = "scheduler"
    dynos: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    vins: tuple[str, ...] = ()
    test_types: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    page: PageInView = NOWHERE
    check: Callable[[], object] = field(default=lambda: None, compare=False, repr=False)
    """Asked before each reading; what it raises ends the thinking (such as a stop)."""


@dataclass(frozen=True)
class Sentence:
    """A sentence and what was found in it. `words` is it without names, in small letters, typing errors mended."""

    text: str
    words: str
    vehicles: tuple[str, ...] = ()
    dynos: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    unsure_tests: tuple[str, ...] = ()
    weight: int | None = None
    drive: str | None = None
    when: When = field(default_factory=When)
    backup: bool = False
    backup_days: int | None = None
    program: str | None = None
    fix: "Sentence | None" = None
    """What was put right of it in the next turn."""

    @property
    def vehicle(self) -> str | None:
        return self.vehicles[0] if self.vehicles else None

    @property
    def dyno(self) -> str | None:
        return self.dynos[0] if self.dynos else None

    @property
    def test(self) -> str | None:
        return self.tests[0] if self.tests else None

    @property
    def has_needs(self) -> bool:
        """Whether it says of something to run what a dyno must be able to."""
        return bool(self.test or self.weight or self.drive)

    def has(self, pattern: str) -> bool:
        return re.search(rf"\b(?:{pattern})\b", self.words) is not None


CUT = " ; "
_DASHES = str.maketrans({"–": "-", "—": "-", "‑": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " "})


def read(text: str, vocabulary: Vocabulary, *, bias: Bias | None = None) -> Sentence:
    """Takes the names out first, so that their digits are no days, then weights, drives and days."""
    vocabulary.check()
    joined = " ".join(text.translate(_DASHES).split())
    english = in_english(joined, _words_of(vocabulary))
    plain, vehicles, dynos, weight = _names(_in_digits(_whole_words(english)), vocabulary)
    rest = mended(plain.casefold(), vocabulary)
    rest, tests, unsure = _tests(rest, vocabulary)
    rest, drive = _drive(rest)
    if weight is None and drive:
        rest, weight = _bare_weight(rest)
    bare = " ".join(rest.split())
    rest, backup, backup_days = _backup(rest)
    whole = mended(_whole_words(english).casefold(), vocabulary)
    when = read_days(rest, vocabulary.today, bias or _bias(whole))
    if not when.first and _SOON.search(rest):
        # As soon as it can be: from today on, whenever the first place is free.
        when, backup, backup_days = (
            replace(when, first=vocabulary.today, point=True, starting=True),
            True,
            backup_days or 30,
        )
    sentence = Sentence(
        text if english == joined else english,
        whole,
        vehicles,
        dynos,
        tests,
        unsure,
        weight,
        drive,
        when,
        backup or backup_days is not None,
        backup_days,
        _program(whole, vocabulary),
    )
    return replace(sentence, words=bare)


def _names(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...], tuple[str, ...], int | None]:
    """The text without the vehicles, dynos and weight that it names, and those."""
    text, vehicles = _vehicles(text, vocabulary)
    text, dynos = _dynos(text, vocabulary)
    text, weight = _weight(text)
    text, more = _unknown_vehicles(text, vocabulary)
    if not vehicles and not more:
        text, more = _partial_vehicles(text, vocabulary)
    return text, vehicles + more, dynos, weight


def _bias(words: str) -> Bias:
    if re.search(
        r"\b(?:was|were|did|had|have been|has been|completed|finished|done|last(?! (?:week|day|days|half|part) of)|past|ago|since|ran)\b",
        words,
    ):
        return "past"
    if re.search(r"\b(?:busy|utili[sz]ation|used|usage|occupancy|how many|load)\b", words):
        return "near"
    return "future"


# Short forms, and numbers in words.

_SHORT = {
    "whats": "what's",
    "wheres": "where's",
    "whens": "when's",
    "whos": "who's",
    "hows": "how's",
    "thats": "that's",
    "cant": "can't",
    "wont": "won't",
    "dont": "don't",
    "doesnt": "doesn't",
    "isnt": "isn't",
    "arent": "aren't",
    "didnt": "didn't",
    "couldnt": "couldn't",
    "wat": "what",
    "wen": "when",
    "nxt": "next",
    "tmrw": "tomorrow",
    "tmr": "tomorrow",
    "tomo": "tomorrow",
    "pls": "please",
    "plz": "please",
    "wk": "week",
    "wks": "weeks",
    "u": "you",
    "veh": "vehicle",
    "maint": "maintenance",
    "sched": "schedule",
    "avail": "available",
    "alloc": "allocate",
    "reqs": "requests",
    "util": "utilisation",
}
_SHORT_WORD = re.compile(r"(?<![\w'/-])(?:" + "|".join(_SHORT) + r")(?![\w'/-])", re.IGNORECASE)


def _whole_words(text: str) -> str:
    return _SHORT_WORD.sub(lambda match: _SHORT[match[0].casefold()], text)


_ONES = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        " eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_NUMBER_WORDS = re.compile(
    r"(?i)\b(?:(?:{0})[\s-]+(?:and\s+)?)*(?:{0})(?=[\s-]+(?:lbs?|pounds?|kgs?|kilos?|days?|weeks?)\b)".format(
        "|".join([*_ONES, *_TENS, "hundred", "thousand"])
    )
)


def _in_digits(text: str) -> str:
    """`twelve thousand pound` is 12000 pound, and `twenty one days` 21 days."""
    return _NUMBER_WORDS.sub(lambda match: str(_counted(match[0])), text)


def _counted(words: str) -> int:
    total = part = 0
    for word in re.findall(r"[a-z]+", words.casefold()):
        if word == "hundred":
            part = (part or 1) * 100
        elif word == "thousand":
            total, part = total + (part or 1) * 1000, 0
        else:
            part += _ONES.get(word, _TENS.get(word, 0))
    return total + part


# Typing errors.


def _words_of(vocabulary: Vocabulary) -> set[str]:
    return {
        word
        for name in (*vocabulary.test_types, *vocabulary.dynos, *vocabulary.programs)
        for word in re.findall(r"[^\W\d_]+", name.casefold())
    }


def mended(text: str, vocabulary: Vocabulary) -> str:
    """The words that are no words, put right where one keyword is a letter or two away."""
    own = _words_of(vocabulary)
    return re.sub(r"[a-z]{4,}", lambda match: _mend(match[0], own, text, match), text)


def _mend(word: str, own: set[str], text: str, match: re.Match) -> str:
    around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
    if any(map(str.isdigit, around)) or _is_word(word, own):
        return word
    allowed = 1 if len(word) < 7 else 2
    pool = [*KEYWORDS, *(other for other in own if len(other) > 3)]
    best = process.extractOne(word, pool, scorer=OSA.distance, score_cutoff=allowed)
    if best is None or (best[0][0] != word[0] and len(word) < 6 and OSA.distance(word, best[0]) > 1):
        return word
    return best[0]


_ENDINGS = ("s", "es", "ed", "ing", "er", "ly")


def _is_word(word: str, own: set[str]) -> bool:
    """Whether it is known, or another form of a word that is."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    forms = {word, *stems, *(stem + "e" for stem in stems)}
    return not (forms.isdisjoint(own) and forms.isdisjoint(KNOWN_WORDS))


_SOON = re.compile(
    r"\b(?:asap|a\.s\.a\.p|as soon as possible|as early as possible|(?:the )?(?:earliest|soonest|first|next)(?: possible| available| free)? (?:date|slot|place|day|opportunity|chance|time|dyno|availability)|right away|immediately|earliest possible|first available|next available|soonest)\b"
)

# Names.


def _vehicles(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]]:
    """Known tags and VINs, as they are written in the records."""
    by_key = {
        matching.squeezed(name): name
        for name in (*vocabulary.vins, *vocabulary.tags)
        if len(matching.squeezed(name)) >= 2
    }
    mentions: list[tuple[int, str]] = []
    dyno_keys = {matching.squeezed(name) for name in vocabulary.dynos}
    tokens = list(re.finditer(r"[A-Za-z0-9][\w.#/-]*", text))
    spans: list[tuple[int, int]] = []
    for start in range(len(tokens)):
        for end in range(min(len(tokens), start + 4), start, -1):
            first, last = tokens[start].start(), tokens[end - 1].end()
            if _overlaps(first, last, spans):
                continue
            name = _name_spelt(text[first:last], by_key)
            if name and matching.squeezed(name) not in dyno_keys:
                mentions.append((first, name))
                spans.append((first, last))
                break
    return _without_spans(text, spans), tuple(dict.fromkeys(name for _, name in sorted(mentions)))


def _overlaps(first: int, last: int, spans: list[tuple[int, int]]) -> bool:
    return any(a < last and first < b for a, b in spans)


def _without_spans(text: str, spans: list[tuple[int, int]]) -> str:
    for first, last in sorted(spans, reverse=True):
        text = text[:first] + CUT + text[last:]
    return text


def _name_spelt(spelling: str, by_key: dict[str, str]) -> str | None:
    """The name that is meant by a spelling, which may have an s behind it."""
    key = matching.squeezed(spelling.rstrip(".,/-"))
    if key not in by_key and re.search(r"'s$|\ds$", spelling):
        key = key.removesuffix("s")
    return by_key[key] if key in by_key and _like_a_name(key, spelling, by_key[key]) else None


def _like_a_name(key: str, spelling: str, name: str) -> bool:
    """A tag that is a plain word of every day, or a short number, counts only as it is written."""
    if spelling == name or (re.search(r"\d", key) and re.search(r"[a-z]", key)):
        return True
    return len(key) >= 5 if key.isdigit() else len(key) >= 4 and key not in KNOWN_WORDS


_SHAPE = re.compile(
    r"(?<![\w/.-])(?=[A-Za-z0-9-]*\d)(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?![\w/])"
)
_NO_VEHICLE = re.compile(
    r"(?i)^(?:\d+(?:st|nd|rd|th|k|lbs?|kg|x\d|wd|days?|weeks?|d|w|h|am|pm|mi|miles?)|[24]wd|4x[24]|[qh][1-4]|kw\d+|cw\d+|wk\d+|w\d{1,2}"
    r"|\d+-(?:day|week)s?|20\d\d-.*|\d+-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*.*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*-?\d{1,2}(?:st|nd|rd|th)?|v\d+)$"
)


def _unknown_vehicles(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]]:
    """What looks like a tag or VIN and is none that is known, or what follows the word vehicle."""
    words = _words_of_tests(vocabulary)
    matches = [match for match in _SHAPE.finditer(text) if _may_be_a_vehicle(match, text, words)]
    if matches:
        return _without_spans(text, [match.span() for match in matches]), tuple(match[0] for match in matches)
    lead = re.search(
        r"(?i)\b(?:vehicle|vin|tag)\s*(?:no\.?|number|#|:|id\b)\s*[:#]?\s*(\w[\w-]*)|\b(?:vehicle|vin|tag)\s+(\d{2,}|[A-Z][A-Z-]{1,}\w*)\b",
        text,
    )
    if lead and _may_be_a_name(lead[1] or lead[2]):
        return _without_spans(text, [lead.span()]), (lead[1] or lead[2],)
    return text, ()


def _words_of_tests(vocabulary: Vocabulary) -> set[str]:
    """The names of the tests, and the words and numbers in them."""
    words = {word for name in vocabulary.test_types for word in re.findall(r"[a-z0-9]+", name.casefold())}
    return words | {matching.squeezed(name) for name in vocabulary.test_types}


def _may_be_a_vehicle(match: re.Match, text: str, words_of_tests: set[str]) -> bool:
    """Whether a word of letters and digits looks like a tag or VIN; the word vehicle before it makes it one."""
    word = match[0]
    if matching.squeezed(word) in words_of_tests:
        return False
    if re.search(r"(?i)\b(?:vehicle|vin|tag|car|truck)\s*(?:no\.?|number|#|:)?\s*$", text[: match.start()]):
        return True
    return not _NO_VEHICLE.match(word) and (len(word) >= 5 or (len(word) >= 4 and word.upper() == word))


_ENDING = re.compile(
    r"(?i)\b(?:vins?\s+)?(?:that\s+)?(?:ending|ends|ended|last (?:\w+ )?(?:digits|characters|numbers))\s*(?:in|with|on|are|of)?\s*"
    r"([A-Za-z0-9]*\d[A-Za-z0-9]{2,})\b"
)


def _partial_vehicles(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]]:
    """The end of a VIN that is said to be one, or the beginning of tags: `EVX` of EVX-7 and EVX-8."""
    if match := _ENDING.search(text):
        end = matching.squeezed(match[1])
        names = [name for name in (*vocabulary.vins, *vocabulary.tags) if matching.squeezed(name).endswith(end)]
        vehicle = names[0] if len(names) == 1 else match[1]
        return text[: match.start()] + CUT + text[match.end() :], (vehicle,)
    names_of_others = " ".join((*vocabulary.dynos, *vocabulary.test_types))
    words = KNOWN_WORDS.union(re.findall(r"[a-z]+", names_of_others.casefold()))
    for match in re.finditer(r"(?<![\w./-])[A-Za-z][\w-]{2,}(?![\w./])", text):
        word = match[0].casefold()
        if word in words or _NO_VEHICLE.match(word):
            continue
        if matching.beginning(word, vocabulary.tags):
            return text[: match.start()] + CUT + text[match.end() :], (match[0],)
    return text, ()


def _program(words: str, vocabulary: Vocabulary) -> str | None:
    return next(
        (
            program
            for program in vocabulary.programs
            if re.search(rf"(?<!\w){re.escape(program.casefold())}s?(?!\w)", words)
        ),
        None,
    )


def _may_be_a_name(word: str) -> bool:
    return (len(word) > 2 or word.isdigit()) and matching.squeezed(word) not in KNOWN_WORDS


def _pattern(name: str) -> str:
    parts = re.findall(r"[A-Za-z]+|\d+", name)
    parts = [rf"0*{part.lstrip('0') or '0'}" if part.isdigit() else re.escape(part) for part in parts]
    return r"(?<![A-Za-z0-9])" + r"[\s#_.\-/]*".join(parts) + r"(?![A-Za-z0-9]|[./-]\d)"


def _dynos(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]]:
    mentions: list[tuple[int, str]] = []
    for name in sorted(vocabulary.dynos, key=len, reverse=True):
        for match in reversed(list(re.finditer(_pattern(name), text, re.IGNORECASE))):
            mentions.append((match.start(), name))
            text = text[: match.start()] + " " * (len(match[0]) - 1) + ";" + text[match.end() :]
    listed = re.compile(
        r"(?:\b(?i:dyno(?:meter)?s?|dynamometers?|cell|rig|stand|bench)\s*(?i:no\.?|number|#)?\s*|#\s?)(\d+[a-z]?)(?![\w/-]|\s*(?:lb|days?|free|open))"
        r"|\b(?i:dyno|dynamometer|cell|rig|stand|bench)\s+([B-HJ-Z])\b"
    )
    text, mentions = _other_dynos(text, mentions)
    for match in reversed(list(listed.finditer(text))):
        label = match[1] or match[2]
        named = matching.dynos_named(label, vocabulary.dynos)
        mentions.append((match.start(), named[0] if len(named) == 1 else f"dyno {label}"))
        text = text[: match.start()] + CUT + text[match.end() :]
    if not mentions:
        text, mentions = _nearly_dynos(text, vocabulary)
    if not mentions:
        text, mentions = _partial_dynos(text, vocabulary)
    return text, tuple(dict.fromkeys(name for _, name in sorted(mentions)))


_OTHER = re.compile(r"(?<![\w-])(?P<word>[A-Za-z]{2,12})\s*#\s?\d{1,4}(?![\w/-])")
_NOT_OTHER = {
    "dyno",
    "dynos",
    "dynamometer",
    "cell",
    "rig",
    "stand",
    "bench",
    "allocation",
    "booking",
    "request",
    "proposal",
    "vehicle",
    "vin",
    "tag",
    "id",
    "number",
    "week",
    "wk",
    "kw",
    "on",
    "onto",
    "to",
    "at",
    "in",
    "use",
    "from",
    "and",
    "or",
    "is",
    "for",
}


def _other_dynos(text: str, mentions: list[tuple[int, str]]) -> tuple[str, list[tuple[int, str]]]:
    """`STC #1`, which is no dyno here, as it was said: its number alone would be another dyno's."""
    for match in reversed(list(_OTHER.finditer(text))):
        if match["word"].casefold() not in _NOT_OTHER:
            mentions = [*mentions, (match.start(), match[0])]
            text = text[: match.start()] + CUT + text[match.end() :]
    return text, mentions


def _nearly_dynos(text: str, vocabulary: Vocabulary) -> tuple[str, list[tuple[int, str]]]:
    """`NGP 21` for NPG 21; and `NPG 99`, which no dyno is called, as it was said."""
    letters = {_letters(name) for name in vocabulary.dynos if re.search(r"\d", name)} - {""}
    for match in re.finditer(r"(?<!\w)([A-Za-z]{2,12})[\s#-]*(\d{1,4})(?![\w/.-]|\s*(?:lb|days?|weeks?|k\b))", text):
        word = match[1].casefold()
        if word not in KNOWN_WORDS - letters and _is_near(word, letters):
            names = matching.dynos_named(match[0], vocabulary.dynos) or _alike_with_number(word, match[2], vocabulary)
            name = names[0] if len(names) == 1 else match[0]
            return text[: match.start()] + CUT + text[match.end() :], [(match.start(), name)]
    return text, []


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold())


def _is_near(word: str, prefixes: set[str]) -> bool:
    """Whether it is one of them, or a letter or two away from a longer one."""
    return word in prefixes or any(
        OSA.distance(word, prefix) <= (1 if len(prefix) < 5 else 2) for prefix in prefixes if len(prefix) > 2
    )


def _alike_with_number(word: str, number: str, vocabulary: Vocabulary) -> list[str]:
    digits = matching.digits(number)
    names = [name for name in vocabulary.dynos if matching.digits(name) == digits]
    return [name for name in names if OSA.distance(word, _letters(name)) <= 2]


def _partial_dynos(text: str, vocabulary: Vocabulary) -> tuple[str, list[tuple[int, str]]]:
    """`Hub` where there are Hub East and Hub West, and `Hub North`, which none is called, as they were said."""
    firsts = {
        match[0].casefold() for name in vocabulary.dynos if (match := re.match(r"[A-Za-z]{3,}(?=[\s#_.-])", name))
    }
    for first in sorted(firsts - {"dyno", "cell", "test", "the"}):
        match = re.search(
            rf"(?i)\b(?P<lead>on|onto|to|at|in|into|use|of|is|about)\s+(?:the\s+)?{first}\b(?P<more>\s+(?:[A-Z][a-z]+|[A-Z])\b)?",
            text,
        )
        if match:
            start = match.end("lead") + 1
            end = match.end("more") if _goes_on(match["more"]) else text.casefold().index(first, start) + len(first)
            label = re.sub(r"(?i)^the\s+", "", text[start:end].strip())
            return text[:start] + CUT + text[end:], [(start, label)]
    words = KNOWN_WORDS | _words_of(vocabulary) | _NOT_OTHER | _HOLIDAYS
    for match in _ON_SOMETHING.finditer(text):
        word = match["word"].casefold()
        if word not in words and word[:3] not in _MONTHS_AND_DAYS and not matching.beginning(word, vocabulary.tags):
            return text[: match.start("name")] + CUT + text[match.end("name") :], [(match.start(), match["name"])]
    return text, []


def _goes_on(more: str | None) -> bool:
    """Whether the word behind the beginning of a name is of it: it has a capital, and is no month or day."""
    word = (more or "").strip()
    return word[:1].isupper() and word.casefold()[:3] not in _MONTHS_AND_DAYS


_ON_SOMETHING = re.compile(
    r"\b(?:on|onto)\s+(?:the\s+)?(?P<name>(?P<word>[A-Z][a-z]{3,11}|[A-Z]{2,8}(?=[\s-]?\d))(?:[\s-]?\d{1,4})?)(?![\w/.-])"
)
_HOLIDAYS = {"thanksgiving", "christmas", "easter", "halloween"}
_MONTHS_AND_DAYS = set("jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun".split())


# Tests, weight, drive, backup.


def _tests(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The test types that are named, longest first; those that only might be meant come apart."""
    tokens = list(re.finditer(r"\d+(?:[.,]\d+)?[a-z]*|[a-z]+", text))
    names: list[str] = []
    unsure: list[str] = []
    cuts: list[tuple[int, int]] = []
    for size in range(_most_words(vocabulary.test_types) + 1, 0, -1):
        for start in range(len(tokens) - size + 1):
            first, last = tokens[start].start(), tokens[start + size - 1].end()
            words = [token[0] for token in tokens[start : start + size]]
            if _overlaps(first, last, cuts) or not _names_a_test(words) or ";" in text[first:last]:
                continue
            named = matching.test_types_named(" ".join(words), vocabulary.test_types)
            if len(named) == 1:
                names.append(named[0])
                cuts.append((first, last))
            else:
                unsure = unsure or named
    return _without_spans(text, cuts), tuple(dict.fromkeys(names)), () if names else tuple(unsure)


def _most_words(names: Iterable[str]) -> int:
    return max((len(re.findall(r"\w+", name)) for name in names), default=0)


_NO_TEST = {
    "test",
    "tests",
    "testing",
    "run",
    "runs",
    "running",
    "type",
    "day",
    "days",
    "week",
    "weeks",
    "dyno",
    "dynos",
    "vehicle",
    "free",
    "lb",
    "lbs",
    "the",
    "for",
    "and",
    "from",
    "today",
    "open",
    "book",
    "move",
}


_EVERYDAY = KNOWN_WORDS - {"brake", "brakes"}


def _names_a_test(words: list[str]) -> bool:
    """Not begun or ended by a filler, and not a word that stands in every other sentence."""
    own = [word for word in words if word not in _NO_TEST]
    if not own or words[0] in _NO_TEST or words[-1] in _NO_TEST - {"test", "run"}:
        return False
    if _EVERYDAY.issuperset(own):
        return len(own) > 1 or own[0] in _TESTY
    return not (len(own) == 1 and own[0].isdigit())


_TESTY = {
    "emission",
    "emissions",
    "certification",
    "mileage",
    "durability",
    "coastdown",
    "performance",
    "thermal",
    "noise",
    "cold",
    "hot",
    "soak",
    "fuel",
    "economy",
    "range",
    "endurance",
    "ageing",
    "aging",
    "mile",
    "cert",
    "break",
    "breaks",
}


def _bare_weight(text: str) -> tuple[str, int | None]:
    """`brake 2WD 4800`: beside a drive, such a number is a weight."""
    match = re.search(r"(?<![\w./-])(?!20[2-4]\d\b)([2-9]\d{3}|[1-4]\d{4})(?![\w./-])", text)
    if not match:
        return text, None
    return text[: match.start()] + CUT + text[match.end() :], int(match[1])


def _weight(text: str) -> tuple[str, int | None]:
    pattern = re.compile(
        r"(?i)(?<![\w.])(?P<n>\d{1,3}(?:[,' ]\d{3})+|\d+(?:\.\d+)?)\s*(?P<k>k)?\s*-?(?P<unit>lbs?|pounds?|pds|#|kgs?|kilos?|kilograms?)(?![\w])\.?"
        r"|\b(?:weigh(?:s|ing|t)?|at)\s+(?:of\s+|is\s+|about\s+|:\s*)?(?P<n2>\d{1,3}(?:,\d{3})+|\d{4,5})(?!-|\d|/)"
    )
    match = pattern.search(text)
    if not match:
        return text, None
    number = float(re.sub(r"[,' ]", "", match["n"] or match["n2"]))
    if match["k"]:
        number *= 1000
    if (match["unit"] or "").casefold().startswith("k"):
        number *= 2.20462
    if re.search(r"(?i)\b(?:over|above|more than|heavier than|exceeding)\s*$", text[: match.start()]):
        number += 1
    return text[: match.start()] + CUT + text[match.end() :], round(number)


_DRIVES = re.compile(
    r"(?<!\w)(?:(?P<two>2[\s-]?wd|fwd|rwd|4x2|(?:two|2|front|rear)[\s-]+wheel(?:[\s-]+drive)?)"
    r"|(?P<all>awd|4[\s-]?wd|4x4|(?:all|four|4)[\s-]+wheel(?:[\s-]+drive)?))(?!\w)"
)


def _drive(text: str) -> tuple[str, str | None]:
    match = _DRIVES.search(text)
    if not match:
        return text, None
    return text[: match.start()] + CUT + text[match.end() :], "2WD" if match["two"] else "AWD"


_COUNT = r"(?P<n>\d{1,3}|one|two|three|four|five|six|seven|ten|fourteen|a|couple of|a couple of)"
_BACKUP = re.compile(
    r"(?:,\s*)?(?:with\s+)?(?:a\s+)?(?:back-?\s?up|fallback|slack|buffer|flexib\w+|wiggle room)\b(?:\s+(?:window|days?|option|range|period))?"
    r"(?:[\s,]*(?:of|up to|for up to|by up to|max(?:imum)?|at most|within|:|by|to|for|=|allowed|ok(?:ay)?|enabled|permitted|fine|is|yes))*\s*(?:"
    + _COUNT
    + r"\s*(?P<u>days?|weeks?)(?:\s+(?:later|at most|max))?)?"
    r"|(?:,\s*)?(?:(?:and|but)\s+)?(?:it\s+)?(?:can|could|may|might|is allowed to|is free to)\s+(?:slip|slide|shift|move|start later|be later|be late|wait|be delayed|be pushed)"
    r"\s*(?:back\s+|out\s+)?(?:by\s+)?(?:up to|at most|max(?:imum)?|as much as|as late as)?\s*"
    + _COUNT.replace("?P<n>", "?P<n4>")
    + r"\s*(?P<u4>days?|weeks?)"
    r"|"
    + _COUNT.replace("?P<n>", "?P<n2>")
    + r"\s*-?(?P<u2>days?|weeks?)\s+(?:of\s+)?(?:back-?\s?up|slack|buffer|fallback|flexibility|wiggle room|later at most|later at the latest)"
    r"|(?:or\s+)?(?:up to|at most|(?:start|it can start|can start)\s+up to|within|no more than)\s+"
    + _COUNT.replace("?P<n>", "?P<n3>")
    + r"\s*(?P<u3>days?|weeks?)\s+(?:later|after(?:wards)?|late|of delay|delay)"
)


_NO_BACKUP = re.compile(r"\b(?:no|without(?: a)?)\s+(?:back-?\s?up|fallback|slack|buffer)\b")
_OR_LATER = re.compile(
    r"\bor (?:later|as soon as possible(?: after)?|the next (?:free|available|best) (?:day|date|slot)|the first free day after)\b"
)
_COUNTS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "fourteen": 14,
    "a": 1,
    "couple of": 2,
    "a couple of": 2,
}


def _backup(text: str) -> tuple[str, bool, int | None]:
    """The text without what it says of a later start, whether one is allowed, and by how many days at most."""
    if _NO_BACKUP.search(text):
        return _NO_BACKUP.sub(CUT, text), False, None
    match = _backup_match(text)
    if match:
        return text[: match.start()] + CUT + text[match.end() :], True, _backup_days(match)
    later = _OR_LATER.search(text)
    return (text[: later.start()] + CUT + text[later.end() :], True, None) if later else (text, False, None)


def _backup_match(text: str) -> re.Match | None:
    """The mention of a backup, the one with a number before the others."""
    match = next((candidate for candidate in _BACKUP.finditer(text) if candidate["n"]), None) or _BACKUP.search(text)
    mention = re.search(r"\b(?:back-?\s?up|fallback|buffer)\b\D{0,12}\d+\s*(?:days?|weeks?)", text)
    if match and mention and match.start() < mention.start():
        return _BACKUP.match(text, mention.start()) or match
    return match


def _backup_days(match: re.Match) -> int | None:
    count = next(filter(None, match.group("n", "n2", "n3", "n4")), None)
    if not count:
        return None
    unit = next(filter(None, match.group("u", "u2", "u3", "u4")), "day")
    return (int(count) if count.isdigit() else _COUNTS[count]) * (7 if unit.startswith("week") else 1)


def listed(things: Iterable[str]) -> str:
    """`a, b and c`."""
    names = list(things)
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
