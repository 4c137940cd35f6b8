"""Circles of imports between modules, and contracts on imports that are broken."""

import re
import subprocess
import sys

import grimp

from measures.source import ROOT, product_packages

_LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


def circles() -> list[list[str]]:
    """Groups of modules each of which imports, directly or through others, every other of its group.

    Imports for type checking count too: a reader follows them as well.
    """
    graph = grimp.build_graph(*product_packages())
    product = [module for module in graph.modules if ".tests" not in module]
    imports = {module: graph.find_modules_directly_imported_by(module) for module in product}
    return sorted(sorted(group) for group in _strongly_connected(imports) if len(group) > 1)


def broken_contracts() -> int:
    command = [sys.executable, "-c", _LINT, "--no-logo"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    summary = re.search(r"Contracts: \d+ kept, (\d+) broken", output)
    if summary is None:
        raise RuntimeError(f"import-linter gave no result:\n{output}")
    return int(summary[1])


def _strongly_connected(imports: dict[str, set[str]]) -> list[list[str]]:
    """Kosaraju's algorithm: in the order in which a walk ends, each tree of the reversed graph is one component."""
    reverse: dict[str, set[str]] = {module: set() for module in imports}
    for module, targets in imports.items():
        for target in targets & imports.keys():
            reverse[target].add(module)
    visited: set[str] = set()
    order = [module for start in sorted(imports) for module in _walk(start, imports, visited)]
    visited = set()
    return [_walk(start, reverse, visited) for start in reversed(order) if start not in visited]


def _walk(start: str, edges: dict[str, set[str]], visited: set[str]) -> list[str]:
    """The modules that are newly reached from `start`, each after those that it leads to."""
    if start in visited:
        return []
    visited.add(start)
    finished: list[str] = []
    stack = [(start, iter(sorted(edges[start])))]
    while stack:
        module, targets = stack[-1]
        following = next((target for target in targets if target in edges and target not in visited), None)
        if following is None:
            finished.append(module)
            stack.pop()
        else:
            visited.add(following)
            stack.append((following, iter(sorted(edges[following]))))
    return finished
