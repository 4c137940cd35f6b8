"""The administration: Django's forms and actions, and the pages between."""

import html
from typing import Any

from django.test import Client

from allocations.admin.tests.conftest import fields_of
from allocations.models import Allocation, MaintenanceWindow, TestRequest
from allocations.tests.world import World
from assistant.tests.doors import Answer, Door
from assistant.tests.doors.pages import Pages, messages_in, posted

ADMINISTRATION = "/g/NORTH/admin/allocations"


class Administration(Door):
    def __init__(self, world: World, client: Client) -> None:
        super().__init__(world)
        self.client = client
        self.pages = Pages(world, client)

    def press(self, path: str, **fields: Any) -> tuple[Answer, bool]:
        """Posts a form. What was refused, and whether the page between asks to confirm it."""
        response = posted(self.client, f"{ADMINISTRATION}/{path}", fields)
        if response.status_code == 302:
            return Answer(None, messages_in(response)), False
        assert response.status_code == 200, response.status_code
        repeated = dict(response.context.get("fields") or ())
        if "_codes" in repeated:
            return Answer(frozenset(repeated["_codes"].split())), True
        refused = getattr(response.wsgi_request, "domain_error", None) or response.context.get("error")
        if refused is None:
            return Answer(self._amiss(response.context["adminform"].form.errors)), False
        page = html.unescape(response.content.decode())
        assert [refusal.sentence for refusal in refused.refusals if refusal.sentence not in page] == []
        return Answer(frozenset(refusal.code.value for refusal in refused.refusals)), False

    def _amiss(self, errors: Any) -> frozenset[str]:
        """What the form itself refuses: days in the wrong order, and requests that are not offered."""
        codes = {"last_day": "days-order", "request": "wrong-status"}
        return frozenset(codes[name] for name in errors)

    def save(self, path: str, fields: dict[str, Any], confirmed: Any) -> Answer:
        answer, asks = self.press(path, **fields)
        if asks and confirmed:
            answer, _ = self.press(path, **fields, _confirmed="1", _codes=" ".join(sorted(confirmed)))
        return answer

    def offers_book(self, *on, rest_waits=False, **more) -> bool:
        return not rest_waits

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
        fields = {"vehicle": vehicle_id, "dyno": dyno_id, "test_type": test_type_id, "drive": "", "note": ""}
        fields |= {"first_day": first_day, "last_day": last_day, "request": request_id or ""}
        return self.save("allocation/add/", fields, confirmed)

    def offers_move(self, allocation_id, *, first_day=None, last_day=None, **more) -> bool:
        """The form has both days, so that the length is kept by writing both."""
        row = Allocation.objects.get(pk=allocation_id)
        overran = row.status == "running" and row.last_day < row.ground.today()
        return last_day is not None or (first_day in (None, row.first_day) and not overran)

    def move(self, allocation_id, *, dyno_id, first_day=None, last_day=None, confirmed=()) -> Answer:
        row = Allocation.objects.get(pk=allocation_id)
        if row.status not in ("scheduled", "running"):
            return self._only_read("allocation", row.pk)
        fields = {"dyno": dyno_id, "first_day": first_day or row.first_day, "last_day": last_day or row.last_day}
        return self.save(f"allocation/{row.pk}/change/", fields | {"seen": row.version}, confirmed)

    def _only_read(self, model: str, pk: int) -> Answer:
        """What can no longer be changed has no form, and takes none."""
        assert self.client.post(f"{ADMINISTRATION}/{model}/{pk}/change/").status_code == 403
        return Answer(frozenset(["wrong-status"]))

    def offers_extend(self, allocation_id, *, days) -> bool:
        return days == 0

    def extend(self, allocation_id, *, days) -> Answer:
        return self._act("extend", allocation_id)

    def start(self, allocation_id) -> Answer:
        return self._act("start", allocation_id)

    def offers_complete(self, allocation_id, *, last_day) -> bool:
        """The action is of tests that ended on the day planned."""
        return last_day == Allocation.objects.get(pk=allocation_id).last_day

    def complete(self, allocation_id, *, last_day) -> Answer:
        return self._act("complete", allocation_id)

    def _act(self, action: str, allocation_id: int) -> Answer:
        return self.press("allocation/?shown=all", action=action, _selected_action=allocation_id)[0]

    def offers_cancel(self, allocation_id, *, keep_request) -> bool:
        return keep_request

    def cancel(self, allocation_id, *, keep_request) -> Answer:
        return self.press(f"allocation/{allocation_id}/cancel/", _confirmed="1")[0]

    def create_request(self, vehicle_id, *, test_type_id, days, earliest_start, after_id) -> Answer:
        fields = {"vehicle": vehicle_id, "test_type": test_type_id, "days": days, "priority": "normal"}
        return self.press("testrequest/add/", **fields, earliest_start=earliest_start, after=after_id)[0]

    def change_request(self, request_id, *, days) -> Answer:
        if TestRequest.objects.get(pk=request_id).status != "waiting":
            return self._only_read("testrequest", request_id)
        path = f"testrequest/{request_id}/change/"
        return self.press(path, **fields_of(self.client.get(f"{ADMINISTRATION}/{path}")) | {"days": days})[0]

    def cancel_request(self, request_id) -> Answer:
        return self.press(f"testrequest/{request_id}/cancel/", _confirmed="1")[0]

    def offers_set_maintenance(self, dyno_id, *, first_day, **more) -> bool:
        """Only an outage may have begun already."""
        return first_day >= self.world.north.today()

    def set_maintenance(self, dyno_id, *, first_day, last_day, kind, answers, window_id) -> Answer:
        """Where tests are in the way it leads to the page that asks what becomes of them, which goes on."""
        fields = {"dyno": dyno_id, "first_day": first_day, "last_day": last_day, "kind": kind.value}
        path = "maintenancewindow/add/"
        if window_id is not None:
            path = f"maintenancewindow/{window_id}/change/"
            fields["seen"] = MaintenanceWindow.objects.get(pk=window_id).version
        answer, _ = self.press(path, **fields)
        if "Nothing is saved yet." not in answer.text:
            return answer
        return self.pages.set_maintenance(
            dyno_id, first_day=first_day, last_day=last_day, kind=kind, answers=answers, window_id=window_id
        )

    def lift_maintenance(self, window_id, *, bring_back) -> Answer:
        version = {f"lift-version-{window_id}": MaintenanceWindow.objects.get(pk=window_id).version}
        back = {"lift-back": bring_back, "_confirmed": "1"}
        return self.press(f"maintenancewindow/{window_id}/lift/", **version, **back)[0]

    def undo(self, change_id) -> Answer:
        return self.press(f"change/{change_id}/undo/", _confirmed="1")[0]
