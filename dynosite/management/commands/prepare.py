"""`manage.py prepare`: what has to be done before the site starts, in one process because each start of one costs."""

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate the database, collect the static files, and with --demo fill an empty database."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo when there are no users")

    def handle(self, *args, demo: bool, **options) -> None:
        self.stdout.write("Migrating the database and collecting the static files.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if demo and not get_user_model().objects.exists():
            self.stdout.write("The database is empty: loading the demo.")
            call_command("demo")
