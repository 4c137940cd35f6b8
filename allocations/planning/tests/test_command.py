"""`manage.py solve` reads and prints the formats."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from allocations.planning import Problem, Solution, check

from .published import DATA


def test_json_holds_the_solution_alone():
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "solve", str(DATA / "40x10-3.json"), "--seconds", "120", "--workers", "2", "--json", stdout=out, stderr=err
    )
    data = json.loads(out.getvalue())
    assert set(data) == {"status", "objective", "bound", "gap", "moved", "seconds", "placements", "unplaced"}
    assert (data["status"], data["objective"], data["bound"], data["unplaced"]) == ("optimal", 271, 271, [])
    problem = Problem.from_json((DATA / "40x10-3.json").read_text())
    assert check(problem, Solution.from_json(data)) == []
    assert err.getvalue() == ""


def test_text_ends_with_a_summary():
    out, err = io.StringIO(), io.StringIO()
    call_command("solve", str(DATA / "40x10-3.json"), "--steps", "50", "--seconds", "1", stdout=out, stderr=err)
    lines = out.getvalue().splitlines()
    assert len(lines) == 41
    assert "objective" in lines[-1]
    assert "0 unplaced" in lines[-1]
    assert "bound" in err.getvalue()


def test_a_malformed_problem_is_refused_by_field(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"horizon": 3, "dynos": [], "tests": [{"id": "A"}]}')
    with pytest.raises(CommandError, match=r"tests\[0\]\.days: is missing"):
        call_command("solve", str(bad))
    with pytest.raises(CommandError, match="cannot read"):
        call_command("solve", str(tmp_path / "none.json"))
