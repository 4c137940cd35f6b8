"""Celery: thin. The graph and all that it needs are loaded where a turn is run, and not by the other workers."""

import logging
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_init, worker_process_shutdown, worker_shutdown

from assistant import streams
from dynosite.lib.redis_client import shared_text

logger = logging.getLogger(__name__)

WAIT = 1
"""Seconds after which a run whose conversation another run has is looked at again."""


@worker_init.connect
def load_models(sender: Any, **kwargs: object) -> None:
    """Before the fork: the providers' libraries take seconds to load, which the first turns would wait for."""
    queue = sender.app.amqp.router.route({}, run_turn.name)["queue"].name
    if queue not in sender.app.amqp.queues.consume_from:
        return
    from assistant.providers import hosted
    from assistant.turns import running  # noqa: F401

    try:
        hosted.configured()
    except Exception:
        logger.exception("the models in ASSISTANT_MODELS cannot be loaded")


@worker_shutdown.connect
@worker_process_shutdown.connect
def close_checkpoints(**kwargs: object) -> None:
    """Opened by the first turn, and so after the fork: a connection can't be shared with the parent."""
    from assistant.graph import checkpoints

    checkpoints.close_pool()


@shared_task(bind=True, ignore_result=True, max_retries=None)
def run_turn(self: Task, run_id: str) -> None:
    from assistant.turns import running

    if not running.run_turn(run_id):
        raise self.retry(countdown=WAIT)


@shared_task(ignore_result=True)
def take_up_lost_runs() -> None:
    """Sends runs again whose message or worker is lost. A run that does have a worker ignores it."""
    from assistant.conversations import conversations
    from assistant.turns import running

    for run_id in running.lost():
        if shared_text().set(f"{streams.key(run_id)}:sent-again", 1, nx=True, ex=120):
            logger.warning("run %s is taken up again", run_id)
            conversations.send(run_id)


@shared_task(ignore_result=True)
def keep() -> None:
    """Every night: what has been kept for long enough goes."""
    from assistant.governance import retention

    logger.info("kept long enough and gone: %s", retention.keep())
