"""The queues: each task has one, and each has a worker wherever the site is started."""

import pytest
from django.conf import settings

from dynosite import workers
from dynosite.celery import app


def test_every_task_goes_to_the_queue_of_its_kind():
    app.loader.import_default_modules()
    ours = sorted(name for name in app.tasks if name.startswith(("allocations.", "assistant.", "dynosite.")))
    assert set(workers.ROUTES) <= set(ours)
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in ours}
    assert {name: queue for name, queue in queues.items() if queue != workers.UPKEEP} == {
        "assistant.tasks.run_turn": "chat",
        "allocations.tasks.solve_plan": "plans",
        "allocations.tasks.solve_scenario": "plans",
        "allocations.tasks.check_workbook": "imports",
        "allocations.tasks.import_workbook": "imports",
    }
    assert {"allocations.tasks.mail_notices", "assistant.tasks.take_up_lost_runs"} <= set(queues)


@pytest.mark.parametrize("queue", workers.ARGUMENTS)
def test_every_queue_has_a_worker_in_containers(queue):
    compose = (settings.BASE_DIR / "docker-compose.yml").read_text()
    assert f'command: ["python", "-m", "dynosite.workers", "{queue}"]' in compose
    assert workers.command(queue)[:3] == ("worker", f"--queues={queue}", f"--hostname={queue}@%h")


def test_what_computes_has_processes_which_a_time_limit_can_end_and_what_waits_has_threads():
    pools = {queue: arguments[0] for queue, arguments in workers.ARGUMENTS.items()}
    assert pools == {
        "chat": "--pool=threads",
        "plans": "--pool=prefork",
        "imports": "--pool=prefork",
        "upkeep": "--pool=threads",
    }
