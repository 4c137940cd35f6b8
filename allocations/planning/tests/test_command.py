"""`manage.py solve` reads and prints the formats."""

import io
import json
import os
import signal
import time

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


def waiting(count: int, **more) -> dict:
    """A problem that no short search can prove: many late tests on two dynos."""
    tests = [
        {"id": f"T{i}", "vehicle": f"V{i}", "days": 1 + i % 5, "earliest": i % 7, "due": i % 11, "weight": 1 + i % 4}
        | {"dynos": ["D0", "D1"]}
        for i in range(count)
    ]
    return {"horizon": 400, "dynos": ["D0", "D1"], "tests": tests} | more


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_prints_the_best_plan_so_far(tmp_path, number):
    path = tmp_path / "long.json"
    path.write_text(json.dumps(waiting(90)))
    before = [signal.getsignal(handled) for handled in (signal.SIGINT, signal.SIGTERM)]

    class Interrupting(io.StringIO):
        """Sends the signal when the first progress is told."""

        def write(self, text):
            if not self.getvalue():
                os.kill(os.getpid(), number)
            return super().write(text)

    out, began = io.StringIO(), time.monotonic()
    call_command("solve", str(path), "--seconds", "300", stdout=out, stderr=Interrupting())
    assert time.monotonic() - began < 200
    lines = out.getvalue().splitlines()
    assert len(lines) == 91
    assert lines[-1].startswith("feasible: objective ")
    assert "0 unplaced" in lines[-1]
    assert [signal.getsignal(handled) for handled in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(CommandError, match="--seconds must be between 0 and"):
        call_command("solve", str(DATA / "40x10-3.json"), "--seconds", seconds)


def test_no_time_gives_the_first_plan(tmp_path):
    path = tmp_path / "bom.json"
    path.write_text(json.dumps(waiting(30, occupied=None, weights=None)), encoding="utf-8-sig")
    out = io.StringIO()
    call_command("solve", str(path), "--seconds", "0", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["status"], len(answer["placements"]), answer["unplaced"]) == ("feasible", 30, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "problem: is not JSON"), ("[" * 100_000, "problem: is not JSON"), ("[]", "problem: must be an object")],
)
def test_what_is_no_problem_is_refused(tmp_path, text, message):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command("solve", str(path))
