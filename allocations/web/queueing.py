"""Handing plans and scenarios to the workers."""

import logging
import uuid
from typing import Any

from kombu.exceptions import OperationalError

from allocations.services import jobs

logger = logging.getLogger(__name__)


def send_job(task: Any, kind: jobs.Kind, pk: uuid.UUID) -> None:
    """Sends the Celery task of a job; without a broker the job fails, and says to ask again."""
    try:
        task.delay(str(pk))
    except OperationalError:
        logger.warning("%s %s was not queued: no broker", kind.model._meta.verbose_name, pk)
        jobs.not_queued(kind, pk)
