"""Errors of the domain that no page catches become HTTP in one place."""

import pytest
from django.test import RequestFactory

from allocations.enums import RefusalCode
from allocations.exceptions import Busy, Invalid, KeyReused, NotAllowed, NotFound, Refused, Stale
from allocations.web.middleware import DomainErrorMiddleware

CASES = [
    (NotFound("No such thing."), 404),
    (NotAllowed("Not you."), 403),
    (Stale("Somebody was faster."), 409),
    (KeyReused("Used before."), 409),
    (Refused.because(RefusalCode.NO_PLACE, "No place is left."), 422),
    (Invalid({"name": ["That name is taken."]}), 422),
    (Busy("Try again in a moment."), 503),
]


@pytest.mark.parametrize(("error", "status"), CASES, ids=lambda case: type(case).__name__)
def test_error_has_its_status_and_says_its_sentence(error, status, rf: RequestFactory, db):
    response = DomainErrorMiddleware(lambda request: None).process_exception(rf.get("/schedule/"), error)
    assert response.status_code == status
    # Whether it exists at all is nobody's business: the pages for 403 and 404 say the same for everything.
    assert (error.sentence in response.content.decode()) is (status not in (403, 404))


def test_other_errors_are_left_alone(rf):
    assert DomainErrorMiddleware(lambda request: None).process_exception(rf.get("/"), ValueError()) is None
