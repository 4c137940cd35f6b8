"""Names that do not say what they hold, counted by module, and the list of those that are still there.

The list may only shrink. `dynosite/tests/test_measures.py` compares it with the code; `make measure ARGS=--lower`
writes it anew, and refuses while there are more vague names than the list has in all.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from measures.source import ROOT, is_test, modules, name_of, parsed

VAGUE = frozenset(
    [
        *(
            "asked",
            "each",
            "found",
            "given",
            "gone",
            "here",
            "kept",
            "known",
            "left",
            "made",
            "meant",
            "said",
            "seen",
        ),
        *("shown", "taken", "there", "told", "wanted", "what", "written"),
    ]
)
"""Participles, pronouns and adverbs, none of which says what a variable holds."""
ALLOWED = ROOT / "measures" / "vague_names.txt"
_NOT_COUNTED = {"self", "cls", "_"}


def stored_names(tree: ast.AST) -> Iterator[str]:
    """Every name that a module gives to a value, a function or a class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.name
        else:
            continue
        if name not in _NOT_COUNTED:
            yield name


def is_vague(name: str) -> bool:
    return name.strip("_").lower() in VAGUE


def vague_by_module() -> Counter[str]:
    return Counter(name_of(path) for path in modules() for name in stored_names(parsed(path)) if is_vague(name))


def share(*, tests: bool) -> tuple[int, int]:
    """The number of vague names and of all names, in tests or in everything else."""
    names = [name for path in modules() if is_test(path) == tests for name in stored_names(parsed(path))]
    return sum(map(is_vague, names)), len(names)


def allowed(path: Path = ALLOWED) -> Counter[str]:
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return Counter({name: int(count) for count, name in pairs})


def differences(counted: Counter[str], listed: Counter[str]) -> list[str]:
    """What the code and the list do not agree on, a sentence for each module."""
    sentences = []
    for module in sorted(counted.keys() | listed.keys()):
        if counted[module] > listed[module]:
            sentences.append(
                f"{module} has {counted[module]} vague names, and {listed[module]} are allowed: "
                "name values by what they hold."
            )
        elif counted[module] < listed[module]:
            sentences.append(
                f"{module} has only {counted[module]} of {listed[module]} vague names: "
                "run `make measure ARGS=--lower`."
            )
    return sentences


def lower(counted: Counter[str], path: Path = ALLOWED) -> None:
    """Write the list anew. Names may move between modules, but their sum may not grow.

    Raises
    ------
    ValueError
        There are more vague names than the list allows in all.
    """
    limit = allowed(path).total()
    if path.exists() and counted.total() > limit:
        raise ValueError(f"There are {counted.total()} vague names, {limit} are allowed: rename the new ones.")
    head = "# Vague names that each module still has. The list only shrinks: `make measure ARGS=--lower`.\n"
    path.write_text(head + "".join(f"{count} {name}\n" for name, count in sorted(counted.items())), encoding="utf-8")
