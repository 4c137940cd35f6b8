"""The assistant: a tool drafts, the card says what would be, and the user approves or rejects it."""

from typing import Any

from allocations.enums import MaintenanceKind
from allocations.models import Allocation, Dyno, TestRequest, TestType, Vehicle
from allocations.tests.world import World
from assistant import approvals
from assistant.conftest import context
from assistant.graph.calling import call
from assistant.models import Proposal
from assistant.tests.doors import Answer, Door


class Proposals(Door):
    def __init__(self, world: World, name: str) -> None:
        super().__init__(world)
        self.user = world.users[name]
        self.ctx = context(world, name)
        self.calls = 0

    def call(self, tool: str, **args: Any) -> dict[str, Any]:
        self.calls += 1
        args = {name: str(value) for name, value in args.items() if value is not None}
        return call(tool, args, ctx=self.ctx, call_id=f"call-{self.calls}")

    def decide(self, tool: str, confirmed: Any = (), **args: Any) -> Answer:
        """Approves a card that asks for nothing beyond what is `confirmed`; else rejects it for that."""
        result = self.call(tool, **args)
        if result["status"] == "refused":
            return Answer(frozenset(reason["code"] for reason in result["reasons"]), result["message"])
        assert result["status"] == "waiting", result
        proposal = Proposal.objects.get(pk=result["proposal"])
        if open_codes := frozenset(proposal.step.get("confirmed", ())) - frozenset(confirmed):
            assert proposal.card["warnings"] != []
            approvals.reject(proposal.pk, user=self.user)
            return Answer(open_codes)
        decision = approvals.approve(proposal.pk, user=self.user)
        assert decision.carried_out, decision.sentence
        return Answer()

    def _for(self, vehicle_id: int, test_type_id: int) -> int | None:
        """The request that a booking of this vehicle is the place of: the only one that waits."""
        waiting = TestRequest.objects.filter(vehicle=vehicle_id, test_type=test_type_id, status="waiting")
        ids = list(waiting.values_list("pk", flat=True))
        return ids[0] if len(ids) == 1 else None

    def offers_book(self, vehicle_id, dyno_id, *, test_type_id, request_id=None, rest_waits=False, **more) -> bool:
        return self._for(vehicle_id, test_type_id) == request_id and not rest_waits

    def book(
        self,
        vehicle_id,
        dyno_id,
        *,
        test_type_id,
        first_day,
        last_day,
        request_id=None,
        confirmed=(),
        rest_waits=False,
    ) -> Answer:
        return self.decide(
            "book_allocation",
            confirmed,
            **self._test(vehicle_id, test_type_id),
            dyno=Dyno.objects.get(pk=dyno_id).name,
            start_date=first_day,
            end_date=last_day,
        )

    def _test(self, vehicle_id: int, test_type_id: int) -> dict[str, Any]:
        test_type = TestType.objects.get(pk=test_type_id)
        return {"vehicle": Vehicle.objects.get(pk=vehicle_id).tag, "test_type": test_type.name}

    def offers_auto_book(self, vehicle_id, *, test_type_id, **more) -> bool:
        return self._for(vehicle_id, test_type_id) is None

    def auto_book(self, vehicle_id, *, test_type_id, first_day, days, backup, max_backup_days) -> Answer:
        """Beside that there is no place, it explains what stands in the way."""
        answer = self.decide(
            "auto_allocate_vehicle",
            **self._test(vehicle_id, test_type_id),
            start_date=first_day,
            days_to_complete=days,
            backup=backup,
            max_backup_days=max_backup_days,
        )
        return Answer(answer.codes & {"no-place"} or answer.codes)

    def offers_move(self, allocation_id, *, dyno_id, first_day=None, last_day=None, confirmed=()) -> bool:
        """Not to where it stands."""
        days = first_day is not None or last_day is not None
        return days or dyno_id != Allocation.objects.get(pk=allocation_id).dyno_id

    def move(self, allocation_id, *, dyno_id, first_day=None, last_day=None, confirmed=()) -> Answer:
        return self.decide(
            "move_allocation",
            confirmed,
            allocation=allocation_id,
            dyno=Dyno.objects.get(pk=dyno_id).name,
            start_date=first_day,
            end_date=last_day,
        )

    def offers_cancel(self, allocation_id, *, keep_request) -> bool:
        return keep_request

    def cancel(self, allocation_id, *, keep_request) -> Answer:
        return self.decide("cancel_allocation", allocation=allocation_id)

    def offers_set_maintenance(self, dyno_id, *, first_day, last_day, window_id, **more) -> bool:
        """What gives way it chooses itself."""
        stays = Allocation.objects.filter(dyno=dyno_id, first_day__lte=last_day, last_day__gte=first_day)
        return window_id is None and not stays.exclude(status="cancelled").exists()

    def set_maintenance(self, dyno_id, *, first_day, last_day, kind, answers, window_id) -> Answer:
        return self.decide("set_maintenance", **self.window(dyno_id, first_day, last_day, kind))

    def window(self, dyno_id: int, first_day, last_day, kind: MaintenanceKind) -> dict[str, Any]:
        dyno = Dyno.objects.get(pk=dyno_id).name
        return {"dyno": dyno, "start_date": first_day, "end_date": last_day, "kind": kind.value}

    def undo(self, change_id) -> Answer:
        return self.decide("undo_change", change=change_id)
