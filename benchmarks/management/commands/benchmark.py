"""What Dynosite costs, each against its floor, on a scratch database that is dropped afterwards."""

import logging
from importlib import import_module

from django.core.management.base import BaseCommand, CommandError

from benchmarks.report import UnmeasurableError
from benchmarks.scratch import scratch_database

NAMES = ("booking", "find", "calendar", "stream", "words")


class Command(BaseCommand):
    help = "Measure Dynosite against its floors, on a scratch database beside the configured one."

    def add_arguments(self, parser) -> None:
        subparsers = parser.add_subparsers(dest="name", required=True)
        for name in NAMES:
            sub = subparsers.add_parser(name, help=import_module(f"benchmarks.{name}").HELP)
            sub.add_argument("--json", action="store_true", help="the report as JSON")
            sub.add_argument("--seconds", type=float, default=3.0, help="how long each part is measured")

    def handle(self, *, name: str, seconds: float, json: bool, **options) -> None:
        logging.disable(logging.INFO)
        module = import_module(f"benchmarks.{name}")
        with scratch_database():
            try:
                report = module.run(seconds=seconds)
            except UnmeasurableError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(report.json() if json else report.text())
        if report.failures:
            raise CommandError("; ".join(report.failures))
