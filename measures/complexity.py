"""The cyclomatic complexity of functions, with comprehensions, conditional expressions and `and`/`or` counted."""

import ast
from collections.abc import Iterator

from measures.source import is_test, modules, name_of, parsed

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


def complexity(function: _Function) -> int:
    """One, and one for every branch. A function inside the function counts for itself."""
    total = 1
    nodes: list[ast.AST] = list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop()
        if isinstance(node, _Function):
            continue
        total += isinstance(node, _BRANCHES)
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
        nodes.extend(ast.iter_child_nodes(node))
    return total


def functions() -> Iterator[tuple[str, str, int]]:
    """The module, the name and the complexity of every function that is not a test's."""
    for path in modules():
        if is_test(path):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, _Function):
                yield name_of(path), node.name, complexity(node)
