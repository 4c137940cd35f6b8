"""The files that are measured. They come from the tree, so that a file that moves is measured where it then is."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def product_packages() -> list[str]:
    """The packages that make the product: those whose imports are under contract."""
    return project()["tool"]["importlinter"]["root_packages"]


def packages() -> list[str]:
    return sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_test(path: Path) -> bool:
    return "tests" in path.parts or path.name == "conftest.py"


def modules(names: list[str] | None = None) -> Iterator[Path]:
    """Every module of the packages, tests included, migrations left out: tools write those."""
    for name in names or packages():
        for path in sorted((ROOT / name).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def documents() -> list[Path]:
    """All pages for people who work on the product or run it."""
    return sorted({*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("docs/**/*.md")})
