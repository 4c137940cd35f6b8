import re
import tomllib

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
FILES = ["requirements.txt", "deploy/requirements-dev.txt"]


def _pins(name: str) -> dict[str, str]:
    """The pinned packages of a file, each with the lines that follow it."""
    parts = re.split(r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / name).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _asked(names: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9._-]+", name)[0].lower() for name in names}


@pytest.mark.parametrize("name", FILES)
def test_every_pin_carries_hashes_and_no_address(name):
    pins = _pins(name)
    assert [package for package, rest in pins.items() if "--hash=sha256:" not in rest] == []
    assert re.findall(r"://|--(?:extra-)?index|--find-links|--trusted", (ROOT / name).read_text()) == []


def test_pins_hold_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins, pins_to_develop = _pins("requirements.txt"), _pins("deploy/requirements-dev.txt")
    assert _asked(project["project"]["dependencies"]) - set(pins) == set(), "run `make requirements`"
    assert _asked(project["dependency-groups"]["dev"]) - set(pins_to_develop) == set(), "run `make requirements`"
    version = re.compile(r"\S+")
    both = {
        package: (version.match(pins[package])[0], version.match(pins_to_develop[package])[0])
        for package in pins.keys() & pins_to_develop.keys()
    }
    assert {package: pair for package, pair in both.items() if pair[0] != pair[1]} == {}
