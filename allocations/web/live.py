"""Pages that keep up with their ground: the address of its event stream, from what the page is about to show on."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from allocations.models import ProvingGround
from allocations.web.ground_context import shell_of
from dynosite.lib.events import position
from dynosite.lib.htmx import wants_fragment


def stream_address(ground: ProvingGround) -> str:
    """To be asked for before the page reads anything, so that nothing falls between the page and its stream."""
    after = position(ground.pk)
    return reverse("allocations:schedule-stream") + "?" + urlencode({"after": after})


def live_list(request: HttpRequest) -> str:
    """The stream for a page with the part `list`; nothing for the part alone, whose page listens already."""
    ground = None if wants_fragment(request, "list") or "format" in request.GET else shell_of(request).ground
    return stream_address(ground) if ground else ""
