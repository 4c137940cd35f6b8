"""`manage.py heartbeat`: whether beat and a worker do their work, as a container's health check asks."""

from django.core.management.base import BaseCommand, CommandError

from dynosite.ops.health import heartbeat_age


class Command(BaseCommand):
    help = "Succeed when a Celery worker carried out beat's heartbeat lately."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--within", type=float, default=180.0, metavar="SECONDS")

    def handle(self, *args, within: float, **options) -> None:
        age = heartbeat_age()
        if age is None or age > within:
            raise CommandError("No heartbeat yet." if age is None else f"The last heartbeat was {age:.0f} s ago.")
        self.stdout.write(f"The last heartbeat was {age:.0f} s ago.")
