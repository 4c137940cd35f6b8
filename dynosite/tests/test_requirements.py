import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PRODUCT = {"dynosite", "allocations", "assistant"}
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
FILES = ["requirements.txt", "deploy/requirements-dev.txt"]


def _pins(name: str) -> dict[str, str]:
    """The pinned packages of a file, each with the lines that follow it."""
    parts = re.split(r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / name).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _required(names: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9._-]+", name)[0].lower() for name in names}


@pytest.mark.parametrize("name", FILES)
def test_every_pin_carries_hashes_and_no_address(name):
    pins = _pins(name)
    assert [package for package, rest in pins.items() if "--hash=sha256:" not in rest] == []
    assert re.findall(r"://|--(?:extra-)?index|--find-links|--trusted", (ROOT / name).read_text()) == []


def test_pins_hold_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins, pins_to_develop = _pins("requirements.txt"), _pins("deploy/requirements-dev.txt")
    assert _required(project["project"]["dependencies"]) - set(pins) == set(), "run `make requirements`"
    assert _required(project["dependency-groups"]["dev"]) - set(pins_to_develop) == set(), "run `make requirements`"
    version = re.compile(r"\S+")
    both = {
        package: (version.match(pins[package])[0], version.match(pins_to_develop[package])[0])
        for package in pins.keys() & pins_to_develop.keys()
    }
    assert {package: pair for package, pair in both.items() if pair[0] != pair[1]} == {}


def _imported(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever in it, save what only a type checker reads."""
    packages = set()
    nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.add(node.module.partition(".")[0])
    return packages


def test_everything_that_is_imported_is_asked_for():
    """What only another package's needs bring along may go away with its next version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    required = _required(project["project"]["dependencies"])
    required_to_develop = required | _required(project["dependency-groups"]["dev"])
    homes = packages_distributions()
    not_asked = set()
    for path in (path for app in OURS for path in (ROOT / app).rglob("*.py")):
        # A benchmark that wants more than the product has says so where that is not installed.
        outside = path.relative_to(ROOT).parts[0] not in PRODUCT
        for_tests = outside or {"tests", "benchmarks"} & set(path.parts) or path.name == "conftest.py"
        for name in _imported(path) - sys.stdlib_module_names - OURS:
            packages = {re.sub(r"[-_.]+", "-", package).lower() for package in homes.get(name, [name])}
            if not packages & (required_to_develop if for_tests else required):
                not_asked.add(f"{path.relative_to(ROOT)}: {name}")
    assert not_asked == set()
