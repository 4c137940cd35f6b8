from celery import shared_task

from dynosite.ops import health


@shared_task(ignore_result=True)
def heartbeat() -> None:
    """Note that beat schedules and a worker works; the age of the note is a metric."""
    health.note_heartbeat()
