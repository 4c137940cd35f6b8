"""The assistant's pages of the administration in a browser: no fault that axe knows of, in light, dark and small."""

import pytest

from allocations.admin.tests.conftest import add_staff
from allocations.admin.tests.test_browser import LOOKS, faults
from assistant.admin.tests.conftest import a_run, url
from assistant.models import AssistantSettings, Budget, KillSwitch
from dynosite.tests.browsing import open_page


@pytest.mark.parametrize("look", LOOKS)
def test_pages_have_no_fault_that_axe_knows_of(committed_world, browser, asgi_server, look):
    add_staff(committed_world)
    run = a_run(committed_world)
    row = AssistantSettings.objects.create(ground=committed_world.north)
    Budget.objects.create(scope="whole", period="day", tokens=1_000)
    pages = [url(name) for name in ("run", "spend", "proposal", "toolcall", "modelcall", "feedback", "budget")]
    pages += [url("run", "change", run.pk), url("killswitch"), url("budget", "add")]
    pages += [url("assistantsettings", "change", row.pk)]
    with open_page(browser, asgi_server.url, **LOOKS[look]) as page:
        page.sign_in(committed_world.users["root"])
        for path in pages:
            page.goto(path)
            assert faults(page) == []
        KillSwitch.objects.create(off=True, reason="Odd answers.")
        page.goto(url("killswitch"))
        assert faults(page) == []
