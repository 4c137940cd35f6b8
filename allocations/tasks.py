from celery import shared_task

from allocations.exchange import uploads


@shared_task(ignore_result=True)
def check_workbook(id_: str) -> None:
    uploads.check(id_)


@shared_task(ignore_result=True)
def import_workbook(id_: str) -> None:
    uploads.carry(id_)


@shared_task(ignore_result=True)
def forget_old_workbooks() -> None:
    uploads.forget_old()
