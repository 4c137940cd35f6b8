"""How much of the product mypy checks, and how much of that with `strict_optional`."""

import re
from pathlib import Path

from measures.source import ROOT, is_test, modules, name_of, product_packages, project


def product_modules() -> list[Path]:
    return [path for path in modules(product_packages()) if not is_test(path)]


def checked_modules() -> list[Path]:
    """The modules of the product that `files` and `exclude` of mypy's settings leave to check."""
    settings = project()["tool"]["mypy"]
    entries = settings["files"]
    checked = {path for entry in ([entries] if isinstance(entries, str) else entries) for path in _expanded(entry)}
    excluded = settings.get("exclude", [])
    patterns = [re.compile(pattern) for pattern in ([excluded] if isinstance(excluded, str) else excluded)]
    unchecked = {name for name, _ in _overridden("ignore_errors", True)}
    return [
        path
        for path in product_modules()
        if path in checked
        and not any(pattern.search(name_of(path)) for pattern in patterns)
        and not _matches(path, unchecked)
    ]


def without_strict_optional() -> list[Path]:
    """The checked modules in which anything may be None without a word of it."""
    lax = {name for name, _ in _overridden("strict_optional", False)}
    return [path for path in checked_modules() if _matches(path, lax)]


def _expanded(entry: str) -> set[Path]:
    paths: set[Path] = set()
    for path in ROOT.glob(entry):
        paths |= set(path.rglob("*.py")) if path.is_dir() else {path}
    return paths


def _overridden(option: str, value: bool) -> list[tuple[str, bool]]:
    overrides = project()["tool"]["mypy"].get("overrides", [])
    named = [override for override in overrides if override.get(option) is value]
    modules_of = ([entry["module"]] if isinstance(entry["module"], str) else entry["module"] for entry in named)
    return [(name, value) for names in modules_of for name in names]


def _matches(path: Path, names: set[str]) -> bool:
    dotted = name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return any(
        dotted == name or (name.endswith(".*") and f"{dotted}.".startswith(name.removesuffix("*"))) for name in names
    )
