from celery import shared_task

from allocations.exchange import uploads
from allocations.services import mailing, plans, scenarios


@shared_task(ignore_result=True)
def check_workbook(id_: str) -> None:
    uploads.check(id_)


@shared_task(ignore_result=True)
def import_workbook(id_: str) -> None:
    uploads.carry(id_)


@shared_task(ignore_result=True)
def forget_old_workbooks() -> None:
    uploads.forget_old()


@shared_task(ignore_result=True)
def think_plan(id_: str) -> None:
    plans.think_plan(id_)


@shared_task(ignore_result=True)
def mail_notices() -> None:
    mailing.mail_notices()


@shared_task(ignore_result=True)
def think_scenario(id_: str) -> None:
    scenarios.think_scenario(id_)
