"""The pages of a ground: their forms, and the second press where they ask."""

import html
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from allocations.admin.tests.conftest import fields_of
from allocations.models import Allocation, MaintenanceWindow, TestRequest, Vehicle
from allocations.tests.world import World
from assistant.tests.doors import Answer, Door


def posted(client: Client, address: str, fields: dict[str, Any]) -> Any:
    """The page after a press; the messages of earlier presses are read by then."""
    client.cookies.pop("messages", None)
    return client.post(address, {name: value for name, value in fields.items() if value is not None})


def messages_in(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


class Pages(Door):
    def __init__(self, world: World, client: Client) -> None:
        super().__init__(world)
        self.client = client

    def press(self, path: str, **fields: Any) -> tuple[Answer, bool]:
        """Posts a form. What was refused, and whether the page asks to confirm it."""
        response = posted(self.client, f"/g/NORTH/{path}", fields)
        if response.status_code == 302:
            return Answer(text=messages_in(response)), False
        assert response.status_code == 422, response.status_code
        outcome = response.context.get("outcome")
        if outcome is None:
            errors = [form.errors for form in self._forms(response) if form.is_bound and form.errors]
            assert [list(fields_amiss) for fields_amiss in errors] == [["last_day"]], errors
            return Answer(frozenset(["days-order"])), False
        page = html.unescape(response.content.decode())
        assert [sentence for sentence in outcome.sentences if sentence not in page] == []
        return Answer(frozenset(outcome.codes), " ".join(outcome.sentences)), bool(outcome.to_confirm)

    def _forms(self, response) -> list[Any]:
        names = ("form", "complete_form", "extend_form", "details_form")
        return [form for name in names if (form := response.context.get(name)) is not None]

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
        place = f"{dyno_id}/{first_day}"
        fields = {"first_day": first_day, "last_day": last_day, "days": "", "request": request_id}
        fields |= self._test(vehicle_id, test_type_id)
        answer, asks = self.press("allocations/new/", **fields, place=place)
        accepted = [*sorted(confirmed), *(["rest"] if rest_waits else [])]
        if asks and accepted:
            answer, _ = self.press("allocations/new/", **fields, anyway=" ".join([place, *accepted]))
        return answer

    def auto_book(self, vehicle_id, *, test_type_id, first_day, days, backup, max_backup_days) -> Answer:
        fields = self._test(vehicle_id, test_type_id) | {"first_day": first_day, "days": days, "last_day": ""}
        return self.press("allocations/new/", **fields, place="auto", backup=max_backup_days if backup else 0)[0]

    def _test(self, vehicle_id: int, test_type_id: int) -> dict[str, Any]:
        return {"vehicle": Vehicle.objects.get(pk=vehicle_id).label, "test_type": test_type_id}

    def move(self, allocation_id, *, dyno_id, first_day=None, last_day=None, confirmed=()) -> Answer:
        """The form has the first day; its empty last day keeps the length."""
        row = Allocation.objects.get(pk=allocation_id)
        path = f"allocations/{row.pk}/move/"
        fields = {"dyno": dyno_id, "first_day": first_day or row.first_day, "last_day": last_day or ""}
        fields["version"] = row.version
        answer, asks = self.press(path, **fields)
        if asks and confirmed:
            answer, _ = self.press(path, **fields, confirm=" ".join(sorted(confirmed)))
        return answer

    def extend(self, allocation_id, *, days) -> Answer:
        return self._step("extend", allocation_id, days=days or "")

    def start(self, allocation_id) -> Answer:
        return self._step("start", allocation_id)

    def complete(self, allocation_id, *, last_day) -> Answer:
        return self._step("complete", allocation_id, last_day=last_day)

    def cancel(self, allocation_id, *, keep_request) -> Answer:
        return self._step("cancel", allocation_id, cancel_request=None if keep_request else "on")

    def _step(self, name: str, allocation_id: int, **fields: Any) -> Answer:
        version = Allocation.objects.get(pk=allocation_id).version
        return self.press(f"allocations/{allocation_id}/{name}/", version=version, **fields)[0]

    def offers_create_request(self, vehicle_id, *, after_id, **more) -> bool:
        """What it comes after is said of a request that is there."""
        return after_id is None

    def create_request(self, vehicle_id, *, test_type_id, days, earliest_start, after_id) -> Answer:
        fields = self._test(vehicle_id, test_type_id) | {"days": days, "priority": "normal"}
        return self.press("requests/new/", **fields, earliest_start=earliest_start)[0]

    def offers_change_request(self, request_id, *, days) -> bool:
        """Of a request that has its place the form's days are not to be written in."""
        return TestRequest.objects.get(pk=request_id).status != "placed"

    def change_request(self, request_id, *, days) -> Answer:
        address = f"/g/NORTH/requests/{request_id}/change/"
        page = self.client.get(address)
        if page.status_code == 302:
            assert "can no longer be changed" in messages_in(page)
            return Answer(frozenset(["wrong-status"]))
        return self.press(f"requests/{request_id}/change/", **fields_of(page) | {"days": days})[0]

    def cancel_request(self, request_id) -> Answer:
        version = TestRequest.objects.get(pk=request_id).version
        return self.press(f"requests/{request_id}/cancel/", version=version)[0]

    def set_maintenance(self, dyno_id, *, first_day, last_day, kind, answers, window_id) -> Answer:
        fields: dict[str, Any] = {"dyno": dyno_id, "first_day": first_day, "last_day": last_day, "kind": kind.value}
        fields["others"] = "stay"
        for hit, answer in answers.items():
            fields[f"answer-{hit}"] = answer.to.value
            fields[f"version-{hit}"] = Allocation.objects.get(pk=hit).version
            fields[f"place-{hit}"] = f"{answer.dyno_id}/{answer.first_day}" if answer.dyno_id else None
        if window_id is None:
            return self.press("maintenance/new/", **fields)[0]
        version = MaintenanceWindow.objects.get(pk=window_id).version
        return self.press(f"maintenance/{window_id}/change/", **fields, version=version)[0]

    def lift_maintenance(self, window_id, *, bring_back) -> Answer:
        version = MaintenanceWindow.objects.get(pk=window_id).version
        return self.press(f"maintenance/{window_id}/lift/", version=version, back=bring_back)[0]

    def undo(self, change_id) -> Answer:
        answer, _ = self.press(f"changes/{change_id}/undo/")
        return Answer(None, answer.text)
