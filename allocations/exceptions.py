"""The errors of the domain, each with a stable code and a sentence. Pages, API and chat show them in their own
way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allocations.enums import RefusalCode, Weight


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that fails: its stable code, and a sentence that says what is wrong and what would help."""

    code: RefusalCode
    sentence: str


class DomainError(Exception):
    """An error to show to the user. `sentence` says in plain words what is wrong."""

    code = "error"
    http_status = 422
    """The status of the page or of the API's answer."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence

    def details(self) -> dict[str, Any]:
        """Returns what there is besides code and sentence, as plain data."""
        return {}


class NotFound(DomainError):
    """It does not exist, or is not the user's to see: the two are not told apart."""

    code = "not-found"
    http_status = 404


class NotAllowed(DomainError):
    """The user's role is too low."""

    code = "not-allowed"
    http_status = 403


class WrongGround(DomainError):
    """A form or a part of a page belongs to one proving ground, and what it is about to another."""

    code = "wrong-ground"
    http_status = 409


class Stale(DomainError):
    """Somebody else has changed it since it was read."""

    code = "stale"
    http_status = 409


class Busy(DomainError):
    """The rows stayed locked for longer than the lock timeout; nothing was written."""

    code = "busy"
    http_status = 503


class KeyReused(DomainError):
    """An idempotency key was used for another request before."""

    code = "idempotency-key-reused"
    http_status = 409


class Invalid(DomainError):
    """Values that a row cannot have. `errors` has sentences by field; those of no single field are under ""."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, Sequence[str]]):
        super().__init__(" ".join(sentence for sentences in errors.values() for sentence in sentences))
        self.errors = {name: list(sentences) for name, sentences in errors.items()}

    def details(self) -> dict[str, Any]:
        return {"errors": self.errors}


class Refused(DomainError):
    """A rule refuses it. `refusals` has each rule that failed, `places` the nearest places that would do."""

    code = "refused"

    def __init__(self, refusals: Sequence[Refusal], places: Sequence[Any] = ()):
        super().__init__(" ".join(refusal.sentence for refusal in refusals))
        self.refusals = list(refusals)
        self.places = list(places)

    def details(self) -> dict[str, Any]:
        return {
            "refusals": [{"code": str(refusal.code), "message": refusal.sentence} for refusal in self.refusals],
            "places": [
                {
                    "dyno_id": place.dyno_id,
                    "dyno": place.dyno,
                    "facility": place.facility,
                    "first_day": place.first_day.isoformat(),
                    "last_day": place.last_day.isoformat(),
                    "alike": list(place.alike),
                }
                for place in self.places
            ],
        }

    @property
    def to_confirm(self) -> frozenset[RefusalCode]:
        """The codes that have to be confirmed to write this after all; empty if a rule refuses it for good."""
        codes = frozenset(refusal.code for refusal in self.refusals)
        return codes if all(code.weight is Weight.ASKS for code in codes) else frozenset()

    @classmethod
    def because(cls, code: RefusalCode, sentence: str) -> "Refused":
        return cls([Refusal(code, sentence)])
