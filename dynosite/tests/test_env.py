import ast
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dynosite import env

ROOT = settings.BASE_DIR
READERS = {"text", "flag", "integer", "words", "choice", "prices", "rates"}
# Set by pytest, Django or a terminal, not by whoever runs the site.
NOT_OURS = {"PYTEST_XDIST_WORKER", "DJANGO_SETTINGS_MODULE", "NO_COLOR"}


def _names_read(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        first = node.args[0]
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        owner = ast.unparse(node.func.value)
        if (owner == "env" and node.func.attr in READERS) or (owner == "os.environ" and node.func.attr == "get"):
            names.add(first.value)
    return names


def test_env_example_names_every_variable_that_is_read_and_no_other():
    read = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    for app in ("dynosite", "allocations", "assistant"):
        for path in (ROOT / app).rglob("*.py"):
            if "tests" not in path.parts:
                read |= _names_read(path)
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == read - NOT_OURS


def test_env_example_carries_no_secret():
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    secrets = {name: value for name, value in values.items() if re.search("(KEY|PASSWORD|TOKEN)$", name)}
    assert set(secrets) >= {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "METRICS_TOKEN", "GEMINI_API_KEY"}
    assert set(secrets.values()) == {""}


def test_text_comes_from_the_file_that_name_file_names(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "key"))
    assert env.text("THING") == "from the file"


def test_text_refuses_a_file_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match=r"THING_FILE: .*nowhere cannot be read \(No such file"):
        env.text("THING")


def test_text_refuses_a_value_and_a_file(monkeypatch):
    monkeypatch.setenv("THING", "value")
    monkeypatch.setenv("THING_FILE", "somewhere")
    with pytest.raises(ImproperlyConfigured, match="Set either THING or THING_FILE, not both"):
        env.text("THING")


def test_what_is_empty_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("THING", "")
    assert env.text("THING", "default") == "default"
    assert env.flag("THING", True) is True
    assert env.integer("THING", 7) == 7
    assert env.words("THING", "a, b") == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "expected"), [("on", True), ("TRUE", True), ("1", True), ("off", False), ("0", False)]
)
def test_flag_reads_the_usual_words(monkeypatch, value, expected):
    monkeypatch.setenv("THING", value)
    assert env.flag("THING", not expected) is expected


def test_flag_refuses_other_words(monkeypatch):
    monkeypatch.setenv("THING", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="THING must be on or off, not 'perhaps'"):
        env.flag("THING")


@pytest.mark.parametrize(
    ("value", "requirement"), [("many", "a whole number, not 'many'"), ("0", "1 or more, not 0")]
)
def test_integer_refuses_what_is_none_or_too_small(monkeypatch, value, requirement):
    monkeypatch.setenv("THING", value)
    with pytest.raises(ImproperlyConfigured, match=f"THING must be {requirement}"):
        env.integer("THING", 5, least=1)


def test_choice_refuses_what_is_not_offered(monkeypatch):
    monkeypatch.setenv("THING", "blue")
    with pytest.raises(ImproperlyConfigured, match="THING must be one of red, green, not 'blue'"):
        env.choice("THING", "red", ("red", "green"))


@pytest.mark.parametrize(("worker", "database"), [("gw0", 4), ("gw1", 12)])
def test_each_pytest_worker_has_its_own_redis_database(monkeypatch, worker, database):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    url, prefix = env.worker_redis("redis://:secret@host:6379/4", "dynosite")
    assert url == f"redis://:secret@host:6379/{database}"
    assert prefix == f"dynosite-test-{database}"


def test_prices_are_decimals_by_model(monkeypatch):
    monkeypatch.setenv("THING", "openai:gpt-5=1.25/10/0.125, ollama:org/llama=0/0")
    assert env.prices("THING") == {
        "openai:gpt-5": (Decimal("1.25"), Decimal(10), Decimal("0.125")),
        "ollama:org/llama": (Decimal(0), Decimal(0)),
    }


@pytest.mark.parametrize("wrong", ["gpt", "gpt=1", "gpt=1/x", "=1/2", "gpt=1/2/3/4", "gpt=-1/2", "gpt=NaN/1"])
def test_prices_refuses_what_is_none(monkeypatch, wrong):
    monkeypatch.setenv("THING", wrong)
    with pytest.raises(ImproperlyConfigured, match="THING: a price is model=in/out"):
        env.prices("THING")


def test_rates_are_numbers_and_seconds(monkeypatch):
    monkeypatch.setenv("THING", "10/minute, 120/hour,5/day")
    assert env.rates("THING") == [(10, 60), (120, 3600), (5, 86400)]


@pytest.mark.parametrize("wrong", ["10", "0/minute", "x/minute", "10/second", "-1/hour"])
def test_rates_refuses_what_is_none(monkeypatch, wrong):
    monkeypatch.setenv("THING", wrong)
    with pytest.raises(ImproperlyConfigured, match="THING: a rate is a number/minute"):
        env.rates("THING")
