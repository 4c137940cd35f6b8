"""The queues, and the worker of each: what waits in one never holds up another.

`manage.py up` starts these; in a container `python -m dynosite.workers chat` is one of them.
"""

import os
import sys

from dynosite import env

CHAT, PLANS, IMPORTS, UPKEEP = "chat", "plans", "imports", "upkeep"

# A turn of the assistant waits for a model on the network most of its time: threads. The planner and the workbook
# reader compute: processes, which Celery's time limit can end.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    CHAT: ("--pool=threads", f"--concurrency={env.integer('CHAT_THREADS', 32, least=1)}"),
    PLANS: ("--pool=prefork", f"--concurrency={env.integer('PLAN_PROCESSES', 2, least=1)}"),
    IMPORTS: ("--pool=prefork", "--concurrency=2"),
    UPKEEP: ("--pool=threads", "--concurrency=4"),
}

ROUTES = {
    "assistant.tasks.run_turn": {"queue": CHAT},
    "allocations.tasks.solve_plan": {"queue": PLANS},
    "allocations.tasks.solve_scenario": {"queue": PLANS},
    "allocations.tasks.check_workbook": {"queue": IMPORTS},
    "allocations.tasks.import_workbook": {"queue": IMPORTS},
}
"""All other tasks are upkeep: the beat's, and mail."""


def command(queue: str) -> tuple[str, ...]:
    """What follows `celery -A dynosite` to start the queue's worker."""
    name = (f"--queues={queue}", f"--hostname={queue}@%h")
    return ("worker", *name, *ARGUMENTS[queue], "--without-mingle", "--without-gossip", "--loglevel=INFO")


if __name__ == "__main__":
    if sys.argv[1:] not in ([queue] for queue in ARGUMENTS):
        sys.exit(f"Name one queue: {', '.join(ARGUMENTS)}.")
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-A", "dynosite", *command(sys.argv[1])])  # noqa: S606
