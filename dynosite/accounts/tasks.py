from celery import shared_task

from dynosite.accounts import attempts
from dynosite.accounts.sessions import SessionStore


@shared_task(ignore_result=True)
def clear_up() -> None:
    """Remove sessions that have ended, and failed sign-ins that count no more."""
    SessionStore.clear_expired()
    attempts.forget_old()
