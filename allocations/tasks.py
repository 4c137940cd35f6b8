from collections.abc import Callable

from celery import Task, shared_task

from allocations.enums import ImportState
from allocations.exchange import uploads
from allocations.services import jobs, mailing, plans, scenarios


def _unless_held(task: Task, work: Callable[[str], None], id_: str) -> None:
    """A message that comes while another worker has the job waits until that has ended it, or is known to be lost."""
    try:
        work(id_)
    except jobs.HeldError as held:
        raise task.retry(countdown=held.seconds) from None


@shared_task(bind=True, ignore_result=True, max_retries=None)
def check_workbook(self: Task, id_: str) -> None:
    _unless_held(self, uploads.check, id_)


@shared_task(bind=True, ignore_result=True, max_retries=None)
def import_workbook(self: Task, id_: str) -> None:
    _unless_held(self, uploads.carry, id_)


@shared_task(ignore_result=True)
def forget_old_workbooks() -> None:
    uploads.forget_old()


@shared_task(bind=True, ignore_result=True, max_retries=None)
def solve_plan(self: Task, id_: str) -> None:
    _unless_held(self, plans.solve_plan, id_)


@shared_task(ignore_result=True)
def mail_notices() -> None:
    mailing.mail_notices()


@shared_task(bind=True, ignore_result=True, max_retries=None)
def solve_scenario(self: Task, id_: str) -> None:
    _unless_held(self, scenarios.solve_scenario, id_)


@shared_task(ignore_result=True)
def take_up_lost_jobs() -> None:
    """Sends plans, what-ifs and imports again whose worker or message is lost, and ends those given up."""
    for plan in jobs.take_up(jobs.PLANS):
        solve_plan.delay(str(plan.pk))
    for scenario in jobs.take_up(jobs.SCENARIOS):
        solve_scenario.delay(str(scenario.pk))
    for upload in jobs.take_up(jobs.IMPORTS):
        task = check_workbook if upload.state == ImportState.CHECKING else import_workbook
        task.delay(str(upload.pk))
