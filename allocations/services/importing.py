"""Imports a whole schedule: all of it in one transaction, or nothing.

Every dyno and vehicle of the ground is locked before the caller decides what to import, so that what it saw still
holds when it is written.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import psycopg.errors
from django.db import IntegrityError
from django.utils.text import slugify

from allocations import access
from allocations.enums import Action, Role
from allocations.exceptions import Busy
from allocations.models import (
    Allocation,
    Capability,
    Change,
    Dyno,
    Facility,
    MaintenanceWindow,
    ProvingGround,
    TestRequest,
    TestType,
    Vehicle,
)
from allocations.models.dyno import natural_key
from allocations.services.intake import BookingIn, Intake, RequestIn
from allocations.services.unit_of_work import Actor, Row, UnitOfWork

BATCH = 200
COLOURS = ("#2464c9", "#0f766e", "#b45309", "#7c3aed", "#be185d", "#4d7c0f", "#0369a1", "#a21caf")

Progress = Callable[[int, int], None]


class _NothingNewError(Exception):
    pass


def bring_in(
    ground_id: int, decide: Callable[[], Intake], *, actor: Actor, on_progress: Progress | None = None
) -> Change | None:
    """Locks the ground's dynos and vehicles, asks `decide` what to import, and writes it.

    Parameters
    ----------
    decide
        Called once, under the locks.
    on_progress
        Called with (requests written, requests in all). If it raises, the import stops and nothing is written.

    Returns
    -------
    Change | None
        The change, or None if there was nothing new to write.

    Raises
    ------
    NotAllowed
        If the user is no scheduler; or is no admin, and there are new dynos, capabilities, test types or maintenance
        windows.
    Busy
        Also if somebody added a dyno, test type or vehicle of the same name at the same moment.
    """

    def write(work: UnitOfWork) -> None:
        work.enter(ground_id)
        _lock_everything(work)
        if not _Writing(work, decide(), on_progress).run():
            raise _NothingNewError

    try:
        return UnitOfWork.run(write, actor=actor, action=Action.IMPORT)
    except _NothingNewError:
        return None
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            # A dyno, test type or vehicle of the same name that somebody made since the locks were taken.
            raise Busy(
                "Somebody changed dynos or vehicles at the same moment; nothing was written, try again."
            ) from error
        raise


def _lock_everything(work: UnitOfWork) -> None:
    # One import of a ground at a time: the dynos that two of them would make have no rows to lock yet.
    list(ProvingGround.objects.select_for_update(no_key=True).filter(pk=work.ground_id).values_list("pk"))
    work.lock_dynos(Dyno.objects.filter(ground_id=work.ground_id).values_list("pk", flat=True))
    work.lock_vehicles(Vehicle.objects.filter(ground_id=work.ground_id).values_list("pk", flat=True))


class _Writing:
    def __init__(self, work: UnitOfWork, intake: Intake, on_progress: Progress | None):
        self.work, self.intake = work, intake
        self.ground_id = work.ground_id
        self.on_progress = on_progress or (lambda done, total: None)
        self.changed = False

    def run(self) -> bool:
        self.on_progress(0, len(self.intake.requests))
        self._make_test_types()
        self._make_dynos()
        self._make_windows()
        self._make_vehicles()
        TestRequest.objects.filter(ground_id=self.ground_id, pk__in=self.intake.forgotten).update(import_key=None)
        self._make_requests()
        self.work.summary = self.intake.summary
        return self.changed

    def _as_admin(self) -> None:
        access.require(self.work.actor.user, self.ground_id, Role.ADMIN)
        self.changed = True

    def _make_test_types(self) -> None:
        existing = TestType.objects.filter(ground_id=self.ground_id)
        self.test_types = {t.name.casefold(): t.pk for t in existing}
        self.old_test_types = set(self.test_types)
        codes = {t.code for t in existing}
        for name in self.intake.test_types:
            if name.casefold() in self.test_types:
                continue
            self._as_admin()
            code = next(code for code in _codes(name) if code not in codes)
            codes.add(code)
            test_type = TestType.objects.create(
                ground_id=self.ground_id, name=name, code=code, colour=COLOURS[len(self.test_types) % len(COLOURS)]
            )
            self.test_types[name.casefold()] = test_type.pk

    def _make_dynos(self) -> None:
        facilities = {f.name.casefold(): f.pk for f in Facility.objects.filter(ground_id=self.ground_id)}
        self.dynos = {d.name.casefold(): d.pk for d in Dyno.objects.filter(ground_id=self.ground_id)}
        old, capabilities = set(self.dynos), []
        for dyno in self.intake.dynos:
            if dyno.facility.casefold() not in facilities and dyno.name.casefold() not in old:
                self._as_admin()
                facility = Facility.objects.create(
                    ground_id=self.ground_id, name=dyno.facility, position=min(len(facilities), 30_000)
                )
                facilities[dyno.facility.casefold()] = facility.pk
            if dyno.name.casefold() not in self.dynos:
                self._as_admin()
                new_dyno = Dyno.objects.create(
                    ground_id=self.ground_id,
                    facility_id=facilities[dyno.facility.casefold()],
                    name=dyno.name,
                    sort_key=natural_key(dyno.name),
                )
                self.dynos[dyno.name.casefold()] = new_dyno.pk
            # Admins decide what a dyno may run: only dynos and test types that are new get capabilities.
            capabilities += [
                Capability(
                    dyno_id=self.dynos[dyno.name.casefold()],
                    test_type_id=self.test_types[capability.test_type.casefold()],
                    drives=list(capability.drives),
                    weight_classes=list(capability.weight_classes),
                )
                for capability in dyno.capabilities
                if dyno.name.casefold() not in old or capability.test_type.casefold() not in self.old_test_types
            ]
        if capabilities:
            self._as_admin()
            Capability.objects.bulk_create(capabilities)
        self.work.dynos = set()

    def _make_windows(self) -> None:
        if self.intake.windows:
            self._as_admin()
        self._insert(
            MaintenanceWindow(
                ground_id=self.ground_id,
                dyno_id=self._dyno(window.dyno),
                first_day=window.first_day,
                last_day=window.last_day,
                reason=window.reason,
                reference=window.reference,
                created_by=self.work.actor.user,
            )
            for window in self.intake.windows
        )

    def _make_vehicles(self) -> None:
        ids = [vehicle.id for vehicle in self.intake.vehicles if vehicle.id]
        existing = Vehicle.objects.in_bulk(ids)
        self.vehicles: dict[Hashable, int] = {}
        new = []
        for vehicle in self.intake.vehicles:
            if vehicle.id:
                self.vehicles[vehicle.key] = vehicle.id
                self._fill_in(existing[vehicle.id], vehicle.fields)
            else:
                new.append((vehicle.key, Vehicle(ground_id=self.ground_id, **vehicle.fields)))
        self.changed = self.changed or bool(new)
        created = Vehicle.objects.bulk_create([vehicle for _, vehicle in new], batch_size=BATCH)
        self.vehicles |= {key: vehicle.pk for (key, _), vehicle in zip(new, created, strict=True)}

    def _fill_in(self, vehicle: Vehicle, fields: dict[str, Any]) -> None:
        filled = [name for name, value in fields.items() if value and not getattr(vehicle, name)]
        filled = [name for name in filled if name not in ("placeholder", "drive", "weight_class")]
        if filled:
            self.changed = True
            for name in filled:
                setattr(vehicle, name, fields[name])
            vehicle.save(update_fields=filled)

    def _make_requests(self) -> None:
        done, total = 0, len(self.intake.requests)
        request_of: dict[str, int] = {}
        for batch in _batches(self.intake.requests):
            requests = self._insert(
                TestRequest(
                    ground_id=self.ground_id,
                    vehicle_id=self.vehicles[row.vehicle],
                    test_type_id=self.test_types[row.test_type.casefold()],
                    created_by=self.work.actor.user,
                    after_id=row.after_id or request_of.get(row.after),
                    **row.fields,
                )
                for row in batch
            )
            request_of |= {request.import_key: request.pk for request in requests if request.import_key}
            pairs = zip(batch, requests, strict=True)
            self._insert(self._allocation(request, row.booking) for row, request in pairs if row.booking)
            done += len(batch)
            self.on_progress(done, total)

    def _allocation(self, request: TestRequest, booking: BookingIn) -> Allocation:
        return Allocation(
            ground_id=self.ground_id,
            vehicle_id=request.vehicle_id,
            dyno_id=self._dyno(booking.dyno),
            test_type_id=request.test_type_id,
            drive=request.drive,
            first_day=booking.first_day,
            last_day=booking.last_day,
            status=booking.status,
            request_id=request.pk,
            note=booking.note,
            source=self.work.actor.door,
            created_by=self.work.actor.user,
        )

    def _dyno(self, name: str) -> int:
        dyno = self.dynos[name.casefold()]
        self.work.dynos.add(dyno)
        return dyno

    def _insert(self, rows: Iterable[Row]) -> list[Row]:
        inserted = self.work.insert_all(rows, batch=BATCH)
        self.changed = self.changed or bool(inserted)
        return inserted


def _batches(rows: list[RequestIn]) -> Iterator[list[RequestIn]]:
    """At most `BATCH` at once, each request in a later batch than the one that it comes after."""
    rest, inserted = rows, {""}
    while rest:
        ready = [row for row in rest if row.after in inserted]
        if not ready:
            raise ValueError("Requests come after one another in a circle, or after one that is not imported.")
        for start in range(0, len(ready), BATCH):
            yield ready[start : start + BATCH]
        inserted |= {key for row in ready if (key := row.fields.get("import_key"))}
        chosen = set(map(id, ready))
        rest = [row for row in rest if id(row) not in chosen]


def _codes(name: str) -> Iterator[str]:
    plain = slugify(name)[:50] or "test"
    yield plain
    yield from (f"{plain}-{n}" for n in range(2, 10_000))
