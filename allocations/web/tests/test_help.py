"""Help is there for everybody and says what the reader may do."""

import pytest
from django.urls import reverse


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.mark.parametrize(("user", "books"), [("viewer", False), ("scheduler", True)])
def test_help_names_only_what_the_reader_may_do(client, world, user, books):
    client.force_login(world.users[user])
    page = client.get(reverse("allocations:help"), follow=True).content.decode()
    assert ("Book a test" in page, "See what is late" in page) == (books, True)
    assert ("data-new-booking" in page) == books
