"""The names that the offline model goes by, as the user may see them."""

from contextlib import suppress
from typing import Any

from allocations.exceptions import NotFound
from allocations.selectors import dynos, grounds, vehicles
from allocations.selectors.allocations import allocation_by_id
from assistant.providers.offline.page_in_view import NOWHERE, PageInView
from assistant.providers.offline.reading import Vocabulary
from assistant.tools.caller import Caller

MAX_VEHICLES = 20_000
_OF_PAGES: dict[str, Any] = {
    "allocation-detail": allocation_by_id,
    "vehicle-detail": vehicles.vehicle_by_id,
    "dyno-detail": dynos.dyno_by_id,
}


def vocabulary_of(caller: Caller) -> Vocabulary:
    rows = list(
        vehicles.vehicles(caller.ground, user=caller.user).values_list("tag", "vin", "program")[:MAX_VEHICLES]
    )
    return Vocabulary(
        today=caller.today,
        ground=caller.ground.name,
        role=str(caller.role.value),
        dynos=tuple(dynos.dynos(caller.ground, user=caller.user).values_list("name", flat=True)),
        tags=tuple(tag for tag, _, _ in rows if tag),
        vins=tuple(vin for _, vin, _ in rows if vin),
        test_types=tuple(grounds.test_types(caller.ground, user=caller.user).values_list("name", flat=True)),
        programs=tuple(sorted({program for _, _, program in rows if program})),
        page=_page_in_view(caller),
    )


def _page_in_view(caller: Caller) -> PageInView:
    """What the page in view points at, as far as the user may see it and it is of this ground."""
    page = caller.ctx.page
    selected = page.get("selected", {}).get("allocation")
    name, pk = ("allocation-detail", selected) if selected else (page.get("page"), page.get("id"))
    row: Any = None
    with suppress(NotFound, ValueError):
        if name in _OF_PAGES and pk:
            row = _OF_PAGES[name](int(pk), user=caller.user)
    if row is None or row.ground_id != caller.ground.pk:
        return NOWHERE
    if name == "allocation-detail":
        return PageInView(row.vehicle.label, row.dyno.name, row.pk)
    return PageInView(vehicle=row.label) if name == "vehicle-detail" else PageInView(dyno=row.name)
