"""Runs cases of what users say against the assistant, in a world and a database of their own."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from assistant.evals import files, runner, scratch, world
from dynosite.lib import clock

CASES = Path(world.__file__).parent / "cases"


class Command(BaseCommand):
    help = "Build the world of a file in a scratch database, say each case there on the world's day, and report."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--world", default=str(CASES / "north_world.yaml"))
        parser.add_argument("--cases", default=str(CASES / "north_cases.yaml"))
        parser.add_argument("--model", help="provider:model; the offline model without it")
        parser.add_argument("--json", action="store_true", dest="as_json")
        parser.add_argument("--only", help="the id of one case")

    def handle(self, *args, world: str, cases: str, model: str | None, as_json: bool, only: str | None, **options):
        try:
            a_world = files.read_world(world)
            chosen = files.read_cases(cases, a_world, only)
            model_for = runner.model_named(model)
            results = _run(a_world, chosen, model_for)
        except (files.FileError, runner.NoModelError) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The scratch database could not be made or filled: {error}") from error
        if as_json:
            self.stdout.write(json.dumps({"cases": [result.as_json() for result in results]}, default=str))
            return
        for result in results:
            mark = "pass" if result.passed else "FAIL"
            self.stdout.write(f"{mark}  {result.id:<28} {result.ms:>5} ms  {result.why}")
        self.stdout.write(f"{sum(result.passed for result in results)} of {len(results)} pass")


def _run(a_world: dict[str, Any], cases: list[dict[str, Any]], model_for: runner.ModelFor) -> list[runner.Result]:
    with scratch.scratch_database(), clock.day_is(world.day(a_world["today"])):
        world.build(a_world)
        return [runner.run_case(case, a_world, model_for) for case in cases]
