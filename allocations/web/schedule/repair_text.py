"""An option of a repair as one line of text: so a form carries it, and an address."""

from allocations.enums import DisplacedTo
from allocations.selectors.maintenance import Answer
from allocations.selectors.repairs import RepairOption
from dynosite.lib.days import day_of
from dynosite.lib.params import number_of

MAX_ANSWERS = 1_000


def text_of(option: RepairOption) -> str:
    """The answers of an option as one line of text; `read` takes it back."""
    lines = []
    for kind, answers in (("d", option.answers), ("o", option.others)):
        for id_, answer in answers.items():
            place = (answer.dyno_id or "", answer.first_day or "", answer.last_day or "", answer.version or "")
            lines.append("/".join(map(str, (kind, id_, answer.to.value, *place))))
    return " ".join(lines)


def read(text: str) -> tuple[dict[int, Answer], dict[int, Answer]]:
    """The answers for those hit and for those that make room; what makes no sense is left out, and then missing."""
    answers: dict[str, dict[int, Answer]] = {"d": {}, "o": {}}
    for line in text.split(" ")[:MAX_ANSWERS]:
        try:
            kind, id_, to, dyno, first, last, version = line.split("/")
            answers[kind][_number(id_)] = Answer(
                DisplacedTo(to),
                _number(dyno) if dyno else None,
                day_of(first) if first else None,
                _number(version) if version else None,
                day_of(last) if last else None,
            )
        except (ValueError, KeyError):
            continue
    return answers["d"], answers["o"]


def _number(text: str) -> int:
    number = number_of(text)
    if number is None:
        raise ValueError(text)
    return number
