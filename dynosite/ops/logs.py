import logging


class WithoutHeartbeat(logging.Filter):
    """Leave out what the Celery worker says about each heartbeat: it would be most of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        details = record.args if isinstance(record.args, dict) else {}
        return record.levelno > logging.INFO or details.get("name") != "dynosite.ops.tasks.heartbeat"
