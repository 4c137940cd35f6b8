"""Files that cannot be used are told of in sentences, before any database is made."""

from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from assistant.evals import files, runner, scratch
from assistant.management.commands.eval_assistant import CASES

CASE = {"id": "a", "say": "list the dynos"}


@pytest.fixture
def no_database(monkeypatch):
    def make():
        raise AssertionError("a database was made")

    monkeypatch.setattr(scratch, "scratch_database", make)


def world(**changes) -> dict:
    values = yaml.safe_load((CASES / "north_world.yaml").read_text(encoding="utf-8"))
    return {name: value for name, value in (values | changes).items() if value is not ...}


def refusal_of(tmp_path: Path, a_world, cases, **options) -> str:
    """What the command says of these files."""
    for name, data in (("w", a_world), ("c", cases)):
        text = data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CommandError) as error:
        call_command("eval_assistant", world=str(tmp_path / "w.yaml"), cases=str(tmp_path / "c.yaml"), **options)
    return str(error.value)


GROUND = {"code": "N", "name": "N"}
WRONG_WORLDS = [
    ("[", "cannot be read: while parsing"),
    ("- 1", "is no world: it should have today, grounds"),
    ("", "is no world"),
    (world(today=...), "today is needed, as YYYY-MM-DD"),
    (world(today="soon"), "today is needed, as YYYY-MM-DD"),
    (world(grounds=None), "there is no ground"),
    (world(dynos="NPG 1"), "dynos should be a list"),
    (world(dynos=["NPG 1"]), "dynos 1 should have name, ground"),
    (world(dynos=[{"name": "X"}]), "dynos 1 has no ground"),
    (world(dynos=[{"name": "X", "ground": "MOON"}]), "dynos 1: there is no ground MOON"),
    (world(vehicles=[{"ground": "NPG", "drive": "2WD"}]), "vehicles 1 has neither tag nor vin"),
    (world(vehicles=[{"tag": "A", "ground": "NPG", "drive": "6WD"}]), "drive is '6WD', and none of 2WD, AWD"),
    (world(maintenance=[{"dyno": "NPG 99", "first": "2026-11-23", "last": "2026-11-24"}]), "there is no dyno NPG 99"),
    (
        world(maintenance=[{"dyno": "NPG 1", "first": "Monday", "last": "2026-11-24"}]),
        "first is 'Monday', and no day",
    ),
    (world(users=[{"username": "x", "role": {"NPG": "king"}}]), "role is 'king', and none of viewer"),
]


@pytest.mark.parametrize(("a_world", "sentence"), WRONG_WORLDS)
def test_world_that_cannot_be_used(no_database, tmp_path, a_world, sentence):
    refusal = refusal_of(tmp_path, a_world, [CASE])
    assert sentence in refusal
    assert refusal.startswith(str(tmp_path / "w.yaml"))


WRONG_CASES = [
    ("a: b: c", "cannot be read"),
    ("just words", "has no cases"),
    ([{"id": "a"}], "case 1 should have an id and what is said"),
    ([CASE, CASE], "case a is there twice"),
    ([CASE | {"as": "nobody"}], "case a: there is no user nobody"),
    ([CASE | {"ground": "MOON"}], "case a: there is no ground MOON"),
    ([CASE | {"outcome": "fine"}], "outcome is 'fine', and none of answer"),
    ([CASE | {"tools": ["list_dinos"]}], "case a: there is no tool list_dinos"),
    ([CASE | {"has": "NPG 1"}], "case a: has should be a list"),
]


@pytest.mark.parametrize(("cases", "sentence"), WRONG_CASES)
def test_cases_that_cannot_be_used(no_database, tmp_path, cases, sentence):
    refusal = refusal_of(tmp_path, world(), cases)
    assert sentence in refusal
    assert refusal.startswith(str(tmp_path / "c.yaml"))


def test_file_that_is_not_there(no_database, tmp_path):
    with pytest.raises(CommandError, match=r"nowhere.yaml cannot be read: .*No such file"):
        call_command("eval_assistant", world=str(tmp_path / "nowhere.yaml"))


def test_case_that_there_is_not(no_database, tmp_path):
    assert "has no case zzz" in refusal_of(tmp_path, world(), [CASE], only="zzz")


def test_many_mistakes_are_told_in_part(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(yaml.safe_dump(world(vehicles=[{"tag": str(n), "ground": "NPG"} for n in range(40)])))
    with pytest.raises(files.FileError) as error:
        files.read_world(str(path))
    assert "vehicles 1 has no drive" in str(error.value)
    assert str(error.value).endswith("more")


def test_files_may_leave_out_or_leave_empty_what_there_is_none_of(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(
        "today: 2026-11-18\ngrounds: [{code: N}]\nusers: [{username: scheduler, role: {N: scheduler}}]\n"
        "allocations:\n"
    )
    read = files.read_world(str(path))
    assert (read["allocations"], read["dynos"]) == ([], [])


@pytest.mark.parametrize(
    ("name", "key", "sentence"),
    [
        ("gemini-2.5-flash", "", "Gemini needs GEMINI_API_KEY"),
        ("flash", "k", "flash is no model: name it as provider:model"),
        ("nobody:model", "k", "The model nobody:model cannot be used"),
    ],
)
def test_model_that_cannot_be_asked(no_database, tmp_path, settings, name, key, sentence):
    settings.GEMINI_API_KEY = key
    assert sentence in refusal_of(tmp_path, world(), [CASE], model=name)


def test_each_of_the_files_beside_the_runner_can_be_used():
    for name in ("north", "ridge", "delta"):
        read = files.read_world(str(CASES / f"{name}_world.yaml"))
        assert len(files.read_cases(str(CASES / f"{name}_cases.yaml"), read)) > 5


def test_without_a_name_it_is_the_offline_model():
    assert {runner.model_named(name) for name in (None, "", "offline")} == {runner.offline_model}
