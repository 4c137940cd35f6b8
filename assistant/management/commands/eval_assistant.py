"""Runs cases of what users say against the assistant, in a world and a database of their own."""

import json
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from assistant.evals import runner, scratch, world
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
        a_world, its_cases = _read(world), _read(cases)
        chosen = [case for case in its_cases if only is None or str(case["id"]) == only]
        try:
            results = _run(a_world, chosen, model)
        except DatabaseError as error:
            raise CommandError(f"The scratch database could not be made or filled: {error}") from error
        if as_json:
            self.stdout.write(json.dumps({"cases": [result.as_json() for result in results]}, default=str))
            return
        for result in results:
            mark = "pass" if result.passed else "FAIL"
            self.stdout.write(f"{mark}  {result.id:<28} {result.ms:>5} ms  {result.why}")
        self.stdout.write(f"{sum(result.passed for result in results)} of {len(results)} pass")


def _read(path: str) -> Any:
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def _run(a_world: dict[str, Any], cases: list[dict[str, Any]], model: str | None) -> list[runner.Result]:
    model_for = runner.model_named(model)
    with scratch.scratch_database(), clock.day_is(world.day(a_world["today"])):
        world.build(a_world)
        return [runner.run_case(case, a_world, model_for) for case in cases]
