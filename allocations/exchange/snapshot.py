"""What the proving ground holds, read for an import."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import QuerySet

from allocations.enums import Action, AllocationStatus, RequestStatus
from allocations.exchange.cells import fold
from allocations.exchange.ground import (
    IN_MAINTENANCE,
    Ground,
    KnownCalendar,
    KnownDyno,
    KnownRow,
    KnownTest,
    KnownVehicle,
)
from allocations.exchange.outcome import BOOKED, CANCELLED, WAITING, Capability, Row, Sheets, Window
from allocations.models import (
    Allocation,
    Change,
    Dyno,
    MaintenanceWindow,
    ProvingGround,
    TestRequest,
    TestType,
    Vehicle,
)
from allocations.selectors.running import overrunning
from dynosite.lib.days import DayRange
from dynosite.lib.formats import full_date
from dynosite.lib.params import number_of

OUTCOMES = {RequestStatus.PLACED: BOOKED, RequestStatus.WAITING: WAITING, RequestStatus.CANCELLED: CANCELLED}


def own_identity(code: str, kind: str, pk: int) -> str:
    """The identity, in an exported workbook, of a request or booking that no import brought in."""
    return f"{code}:{kind}{pk}"


def snapshot(ground: ProvingGround, sheets: Sheets, identities: Iterable[str]) -> Ground:
    """The ground as it stands, for the days and rows of these sheets."""
    state = Ground(
        dynos={fold(d.name): d for d in _dynos(ground)},
        test_types={
            fold(name): name for name in TestType.objects.filter(ground=ground).values_list("name", flat=True)
        },
        vehicles=[
            KnownVehicle(pk, tag, (vin or "").upper(), placeholder, drive, weight)
            for pk, tag, vin, placeholder, drive, weight in Vehicle.objects.filter(ground=ground).values_list(
                "pk", "tag", "vin", "placeholder", "drive", "weight_class"
            )
        ],
    )
    state.former_dynos = former_names(Dyno, ground)
    state.former_test_types = former_names(TestType, ground)
    undone = _undone(ground)
    stays: list[Row | Window] = [*sheets.rows, *sheets.windows]
    days = [day for stay in stays for day in (stay.first, stay.last) if day]
    if days:
        _taken_days(ground, state, min(days), max(days))
    _windows(ground, state, undone["maintenancewindow"])
    _rows(ground, state, set(identities), undone["testrequest"])
    state.missing = _missing(ground, set(identities), undone["testrequest"])
    return state


def former_names(model: type[Dyno | TestType], ground: ProvingGround) -> dict[str, str]:
    """Folded names that rows of the ground once had and none has now, with what the row is called by now."""
    names = dict(model.objects.filter(ground=ground).values_list("pk", "name"))
    present = set(map(fold, names.values()))
    owners = defaultdict(set)
    events = model.pgh_event_model._default_manager.filter(ground_id=ground.pk, pgh_obj_id__in=names)
    for pk, name in events.order_by().values_list("pgh_obj_id", "name").distinct():
        if fold(name) not in present:
            owners[fold(name)].add(pk)
    return {name: names[pk] for name, (pk, *others) in owners.items() if not others}


def _missing(ground: ProvingGround, identities: set[str], undone: set[int]) -> list[KnownTest]:
    requests = TestRequest.objects.filter(ground=ground).exclude(import_key=None).exclude(import_key__in=identities)
    requests = requests.exclude(pk__in=undone).select_related("vehicle", "test_type").order_by("pk")
    live = Allocation.objects.filter(ground=ground, request__in=requests.values("pk"))
    places = _places(live)
    return [
        KnownTest(
            id=request.pk,
            test_type=fold(request.test_type.name),
            step=fold(request.step),
            first=request.earliest_start,
            days=request.days,
            vehicle=request.vehicle.label,
            tag=request.vehicle.tag,
            vin=(request.vehicle.vin or "").upper(),
            placeholder=request.vehicle.placeholder,
            row=_known_row(request.status, places.get(request.pk)),
        )
        for request in requests
    ]


@dataclass(frozen=True)
class _Place:
    dyno: str
    days: DayRange


def _places(rows: QuerySet[Allocation]) -> dict[int, _Place]:
    """Of each request the earliest place among these that is not cancelled."""
    live = rows.exclude(status=AllocationStatus.CANCELLED).order_by("-first_day")
    return {
        request_id: _Place(dyno, DayRange(first, last))
        for request_id, dyno, first, last in live.values_list("request_id", "dyno__name", "first_day", "last_day")
        if request_id is not None
    }


def _known_row(status: str, place: _Place | None) -> KnownRow:
    outcome = OUTCOMES[RequestStatus(status)]
    return KnownRow(outcome, place.dyno, place.days.first, place.days.last) if place else KnownRow(outcome)


def _dynos(ground: ProvingGround) -> list[KnownDyno]:
    capabilities = defaultdict(list)
    rows = Dyno.objects.filter(ground=ground, capabilities__isnull=False).order_by("capabilities__id")
    for pk, name, drives, weights in rows.values_list(
        "pk", "capabilities__test_type__name", "capabilities__drives", "capabilities__weight_classes"
    ):
        capabilities[pk].append(Capability(fold(name), tuple(drives), tuple(weights)))
    return [
        KnownDyno(d.name, d.facility.name, tuple(capabilities[d.pk]), d.enabled, d.available_from, d.available_to)
        for d in Dyno.objects.filter(ground=ground).select_related("facility")
    ]


def _taken_days(ground: ProvingGround, state: Ground, first: date, last: date) -> None:
    dynos: dict[str, KnownCalendar[str]] = defaultdict(KnownCalendar)
    vehicles: dict[int, KnownCalendar[str]] = defaultdict(KnownCalendar)
    stays = Allocation.objects.filter(ground=ground, first_day__lte=last, last_day__gte=first)
    for stay in stays.exclude(status=AllocationStatus.CANCELLED).values_list(
        "dyno__name", "vehicle_id", "vehicle__tag", "vehicle__vin", "first_day", "last_day"
    ):
        dyno, vehicle, tag, vin, start, end = stay
        dynos[fold(dyno)].take(start, end, f"booked for {tag or vin}")
        vehicles[vehicle].take(start, end, f"booked on {dyno}")
    windows = MaintenanceWindow.objects.filter(ground=ground, first_day__lte=last, last_day__gte=first)
    for dyno, start, end in windows.filter(lifted_at=None).values_list("dyno__name", "first_day", "last_day"):
        dynos[fold(dyno)].take(start, end, IN_MAINTENANCE)
    _take_overruns(ground, last, dynos, vehicles)
    state.dyno_days, state.vehicle_days = dict(dynos), dict(vehicles)
    waiting = TestRequest.objects.filter(ground=ground, status=RequestStatus.WAITING, vehicle__placeholder=True)
    for vehicle, start_day, length in waiting.values_list("vehicle_id", "earliest_start", "days"):
        if start_day:
            state.wanted_days.setdefault(vehicle, []).append(DayRange.starting(start_day, length))


def _take_overruns(
    ground: ProvingGround, last: date, dynos: dict[str, KnownCalendar[str]], vehicles: dict[int, KnownCalendar[str]]
) -> None:
    """What still runs past its end takes all days after it that nothing else takes: nobody knows until when."""
    running = Allocation.objects.filter(overrunning(ground.today()), ground=ground).select_related("vehicle", "dyno")
    for stay in running:
        after = stay.last_day + timedelta(days=1)
        on_dyno, of_vehicle = dynos[fold(stay.dyno.name)], vehicles[stay.vehicle_id]
        for start, end in on_dyno.free(after, last):
            on_dyno.take(start, end, f"held by {stay.vehicle}, which still runs past {full_date(stay.last_day)},")
        for start, end in of_vehicle.free(after, last):
            of_vehicle.take(start, end, f"running on {stay.dyno} past {full_date(stay.last_day)},")


def _windows(ground: ProvingGround, state: Ground, undone: set[int]) -> None:
    brought = MaintenanceWindow.objects.filter(ground=ground).exclude(reference="").exclude(pk__in=undone)
    state.windows = {(fold(dyno), reference) for dyno, reference in brought.values_list("dyno__name", "reference")}


def _rows(ground: ProvingGround, state: Ground, identities: set[str], undone: set[int]) -> None:
    prefix = f"{ground.code}:"
    own_requests = {pk: i for i in identities if (pk := _own(i, prefix, "R"))}
    own_bookings = {pk: i for i in identities if (pk := _own(i, prefix, "A"))}
    requests = TestRequest.objects.filter(ground=ground)
    keys: dict[int, str] = {}
    for pk, key in requests.filter(import_key__in=identities).values_list("pk", "import_key"):
        if key is None:
            continue
        if pk in undone:
            state.forgotten[key] = pk
        else:
            keys[pk] = key
    keys |= {pk: own_requests[pk] for pk in requests.filter(pk__in=own_requests).values_list("pk", flat=True)}
    places = _places(Allocation.objects.filter(ground=ground, request__in=keys))
    for pk, status in requests.filter(pk__in=keys).values_list("pk", "status"):
        state.rows[keys[pk]] = replace(_known_row(status, places.get(pk)), request_id=pk)
    for pk, status, dyno, first, last in Allocation.objects.filter(ground=ground, pk__in=own_bookings).values_list(
        "pk", "status", "dyno__name", "first_day", "last_day"
    ):
        outcome = CANCELLED if status == AllocationStatus.CANCELLED else BOOKED
        state.rows[own_bookings[pk]] = KnownRow(outcome, dyno, first, last)


def _own(identity: str, prefix: str, kind: str) -> int | None:
    rest = identity.removeprefix(f"{prefix}{kind}")
    return number_of(rest) if rest != identity else None


def _undone(ground: ProvingGround) -> dict[str, set[int]]:
    """The rows of imports that were undone and stayed so: they can come in again."""
    by_model: dict[str, set[int]] = {"testrequest": set(), "maintenancewindow": set(), "allocation": set()}
    undone = Change.objects.filter(ground=ground, action=Action.IMPORT, undone_by__isnull=False)
    for items in undone.filter(undone_by__undone_by__isnull=True).values_list("items", flat=True):
        for item in items:
            by_model.setdefault(item["model"], set()).add(item["id"])
    return by_model
