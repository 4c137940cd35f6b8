"""The services against a plain model of the schedule: the same answers, the same rows, whatever is asked in turn."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from allocations.tests.machine import Services, prepare


def test_services_do_what_the_model_does(world, monkeypatch):
    prepare(world, Services, monkeypatch)
    steps = max(settings.default.stateful_step_count, 1)
    run_state_machine_as_test(Services, settings=settings(settings.default, stateful_step_count=min(steps, 60)))
