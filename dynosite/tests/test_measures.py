"""The measures count what they say they count, and vague names only grow fewer."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from measures import complexity, imports, type_checks, vague_names


def _function(source: str) -> ast.FunctionDef:
    return ast.parse(source).body[0]


def test_modules_have_the_vague_names_that_the_list_allows_and_no_more():
    assert vague_names.differences(vague_names.vague_by_module(), vague_names.allowed()) == []


def test_a_module_with_more_vague_names_or_with_fewer_is_reported():
    allowed = Counter({"a.py": 2, "b.py": 2, "c.py": 1})
    assert vague_names.differences(Counter({"a.py": 3, "b.py": 1, "c.py": 1}), allowed) == [
        "a.py has 3 vague names, and 2 are allowed: name values by what they hold.",
        "b.py has only 1 of 2 vague names: run `make measure ARGS=--lower`.",
    ]


def test_targets_arguments_fields_functions_and_classes_are_names_that_are_stored():
    source = "class Told:\n    asked: int\n\n\ndef _found(given):\n    for each in given:\n        name = each\n"
    stored = list(vague_names.stored_names(ast.parse(source)))
    assert sorted(stored) == ["Told", "_found", "asked", "each", "given", "name"]
    assert [name for name in stored if not vague_names.is_vague(name)] == ["name"]


def test_the_list_is_lowered_and_follows_a_module_that_moves(tmp_path: Path):
    path = tmp_path / "list"
    vague_names.lower(Counter({"a.py": 3, "b.py": 1}), path)
    vague_names.lower(Counter({"c.py": 3}), path)
    assert vague_names.allowed(path) == {"c.py": 3}


def test_the_list_is_never_raised(tmp_path: Path):
    path = tmp_path / "list"
    vague_names.lower(Counter({"a.py": 3}), path)
    with pytest.raises(ValueError, match="There are 4 vague names, 3 are allowed"):
        vague_names.lower(Counter({"a.py": 2, "b.py": 2}), path)
    assert vague_names.allowed(path) == {"a.py": 3}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("pass", 1),
        ("if a and b or c:\n        pass\n    elif d:\n        pass", 5),
        ("return [x for x in a if x if b] or None", 5),
        ("try:\n        pass\n    except ValueError:\n        pass", 2),
        ("def inner():\n        if a:\n            pass\n    return 1 if a else 2", 2),
        ("match a:\n        case 1:\n            pass\n        case _:\n            pass", 3),
    ],
)
def test_complexity_counts_branches_comprehensions_and_conditions(body, expected):
    assert complexity.complexity(_function(f"def function():\n    {body}\n")) == expected


def test_circles_are_modules_that_import_one_another():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"b", "outside"}, "d": {"a", "c"}}
    components = imports._strongly_connected(edges)
    assert sorted(map(sorted, components)) == [["a"], ["b", "c"], ["d"]]


def test_modules_that_mypy_checks_are_part_of_the_product():
    checked = type_checks.checked_modules()
    assert checked
    assert set(checked) <= set(type_checks.product_modules())
    assert set(type_checks.without_strict_optional()) <= set(checked)
