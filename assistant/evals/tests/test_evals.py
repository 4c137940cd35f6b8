"""Every case of the files beside the runner passes offline, through the real graph."""

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.db import connection

from allocations.models import Allocation
from assistant.enums import RunOutcome, ToolStatus
from assistant.evals import runner, world
from assistant.management.commands.eval_assistant import CASES
from assistant.models import ToolCall
from dynosite.lib import clock


def read(name: str):
    return yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["north", "ridge", "delta"])
def test_all_cases_pass_offline(name, transactional_db):
    a_world, cases = read(f"{name}_world"), read(f"{name}_cases")
    with clock.day_is(world.day(a_world["today"])):
        world.build(a_world)
        before = Allocation.objects.count()
        results = [runner.run_case(case, a_world) for case in cases]
    failed = {result.id: result.why for result in results if not result.passed}
    assert failed == {}
    assert Allocation.objects.count() == before
    assert ToolCall.objects.filter(status=ToolStatus.FAILED).count() == 0


def test_a_wrong_answer_is_seen(transactional_db):
    a_world = read("north_world")
    case = {
        "id": "x",
        "say": "list the dynos",
        "tools": ["detect_conflicts"],
        "args": {"dyno": "NPG 1"},
        "outcome": "proposal",
        "has": ["NPG 77"],
        "hasnt": ["NPG 21"],
    }
    with clock.day_is(world.day(a_world["today"])):
        world.build(a_world)
        result = runner.run_case(case, a_world)
    assert result.passed is False
    assert result.why.split("; ") == [
        "called list_dynos, not detect_conflicts",
        "dyno is None, not 'NPG 1'",
        "the outcome is answer, not proposal",
        "'NPG 77' is missing",
        "'NPG 21' is said",
    ]


def test_the_command_works_in_a_database_of_its_own(transactional_db, tmp_path: Path):
    cases = tmp_path / "cases.yaml"
    cases.write_text(
        "- {id: a, say: 'run a query: how many dynos per test type?', tools: [query_database], has: [brake]}\n"
        "- {id: b, say: 'Allocate 412W103 for a brake test starting 2026-12-14 for 2 days', outcome: proposal}\n"
    )
    out = StringIO()
    own = connection.settings_dict["NAME"]
    call_command("eval_assistant", cases=str(cases), as_json=True, stdout=out)
    results = json.loads(out.getvalue())["cases"]
    assert [(case["id"], case["pass"], case["outcome"]) for case in results] == [
        ("a", True, RunOutcome.ANSWER),
        ("b", True, RunOutcome.PROPOSAL),
    ]
    assert results[1]["tools"][0]["name"] == "auto_allocate_vehicle"
    assert connection.settings_dict["NAME"] == own
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'dynosite_eval_%%'")
        assert Allocation.objects.count() == 0
