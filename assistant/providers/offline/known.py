"""The names that the offline model goes by, as the user may see them."""

from allocations.selectors import dynos, reports, vehicles
from assistant.providers.offline.reading import Known
from assistant.tools.caller import Caller

MOST_VEHICLES = 20_000


def known_to(caller: Caller) -> Known:
    rows = list(
        vehicles.vehicles(caller.ground, user=caller.user).values_list("tag", "vin", "program")[:MOST_VEHICLES]
    )
    return Known(
        today=caller.today,
        ground=caller.ground.name,
        role=str(caller.role.value),
        dynos=tuple(dynos.dynos(caller.ground, user=caller.user).values_list("name", flat=True)),
        tags=tuple(tag for tag, _, _ in rows if tag),
        vins=tuple(vin for _, vin, _ in rows if vin),
        test_types=tuple(reports.test_types(caller.ground, user=caller.user).values_list("name", flat=True)),
        programs=tuple(sorted({program for _, _, program in rows if program})),
    )
