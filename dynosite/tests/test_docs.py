"""What the documents say of the tree is so: rooms, commands, files, addresses of pages, classes, lengths of lines."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from measures import text
from measures.source import documents, packages, parsed, product_packages

ROOT = settings.BASE_DIR
ARCHITECTURE = ROOT / "docs" / "architecture.md"
UNMAPPED = {"tests", "migrations", "management", "commands", "data", "vendor", "en", "__pycache__"}
# Generated, named as an example of what somebody would add, or of another project.
ELSEWHERE = {"servers.json", "import_it.py", "manage.py", "lucide-static", "htmx.min.js"}
FILES = {"py", "html", "js", "css", "sh", "toml", "md", "sql", "yaml", "yml"}
CODE = re.compile(r"`([^`\n]+)`")


@cache
def _tree() -> frozenset[str]:
    """Every file and folder of the checkout, from its root."""
    tops = [path for path in ROOT.iterdir() if path.name not in {".git", ".venv", ".local"}]
    paths = {*tops, *(path for top in tops if top.is_dir() for path in top.rglob("*"))}
    return frozenset(path.relative_to(ROOT).as_posix() for path in paths if "__pycache__" not in path.parts)


@cache
def _suffixes() -> frozenset[str]:
    """Every path and every end of one: a document may leave out the folders that its section is about."""
    return frozenset(
        "/".join(parts[start:]) for path in _tree() for parts in [path.split("/")] for start in range(len(parts))
    )


def _mapped(package: str) -> str:
    """The lines of the map on a package: its own and those indented below it."""
    lines = ARCHITECTURE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{package}/"))
    end = next(number for number in range(start + 1, len(lines)) if not lines[number].startswith(" "))
    return "\n".join(lines[start:end])


def _named(document: Path) -> list[str]:
    """What a document sets as code, outside of its blocks of commands."""
    prose = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return CODE.findall(prose)


def test_the_map_names_every_top_level_package():
    page = ARCHITECTURE.read_text(encoding="utf-8")
    assert [name for name in packages() if f"\n{name}/" not in page] == []


@pytest.mark.parametrize("package", product_packages())
def test_the_map_names_every_room_and_module_of_a_package(package):
    section = _mapped(package)
    rooms = {
        path.parent.name
        for path in (ROOT / package).rglob("*/__init__.py")
        if not UNMAPPED & set(path.relative_to(ROOT).parts)
    }
    modules = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py", "conftest.py"}
    assert {f"{room}/" for room in rooms if f"{room}/" not in section} == set()
    assert {module for module in modules if not re.search(rf"\b{re.escape(module)}", section)} == set()


@pytest.mark.parametrize("package", product_packages())
def test_the_map_names_every_management_command_and_no_other(package):
    commands = {path.stem for path in (ROOT / package / "management" / "commands").glob("[!_]*.py")}
    line = re.search(r"management/commands/\s+(.+)", _mapped(package))
    assert set(re.split(r", ", line[1] if line else "")) == commands


def test_the_architecture_page_links_to_every_document():
    page = ARCHITECTURE.read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert {name for name in pages if f"]({name})" not in page} == set()
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    decisions = {path.name for path in (ROOT / "docs" / "decisions").glob("*.md")} - {"README.md"}
    assert {name for name in decisions if f"]({name})" not in index} == set()


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_something(document):
    targets = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)", document.read_text(encoding="utf-8"))
    missing = []
    for target, heading in targets:
        path = (document.parent / target).resolve() if target else document
        anchors = _anchors(path) if heading and path.suffix == ".md" else set()
        if not path.exists() or (heading and heading not in anchors):
            missing.append(f"{target}#{heading}")
    assert missing == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_exists(document):
    named = {
        name.removesuffix("/")
        for code in _named(document)
        for name in re.findall(
            r"(?<![\w<./*…-])[\w.-]+(?:/[\w.-]+)*\.(?:py|html|js|css|sh|toml|md|sql|yaml|yml)\b", code
        )
    }
    assert {name for name in named if name not in _suffixes()} - ELSEWHERE == set()


@cache
def _definitions() -> dict[str, set[str]]:
    """The modules and packages by every end of their dotted name, each with the names that it defines or imports."""
    defined: dict[str, set[str]] = {}
    for name in packages():
        for path in (ROOT / name).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            names = set(_top_level(parsed(path)))
            if path.name == "__init__.py":
                names |= {child.stem for child in path.parent.iterdir()}
            for start in range(len(parts)):
                defined.setdefault(".".join(parts[start:]), set()).update(names)
    return defined


def _top_level(tree: ast.Module) -> list[str]:
    names = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [target.id for target in targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
    return names


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_function_that_a_document_names_in_a_module_is_there(document):
    missing = set()
    for code in _named(document):
        dotted = re.match(r"([a-z_]+(?:\.[a-z_]+)*)\.([A-Za-z_]+)\b(?!\.[a-z])", code)
        if not dotted or dotted[2] in FILES:
            continue
        if dotted[1] in _definitions() and dotted[2] not in _definitions()[dotted[1]]:
            missing.add(dotted[0])
    assert missing == set()


def test_every_class_that_the_building_blocks_offer_has_a_style():
    styles = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "static" / "css").glob("*.css"))
    page = "\n".join(_named(ROOT / "docs" / "pages.md"))
    offered = {name for names in re.findall(r'class="([\w -]+)"', page) for name in names.split()}
    assert offered
    assert {name for name in offered if f".{name}" not in styles} == set()


def test_documents_have_no_line_over_120_characters():
    assert text.long_document_lines() == []


def test_the_newest_version_of_the_changelog_is_that_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)
    released = re.findall(r"^## (\d+\.\d+\.\d+)\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released[0] == version[1]


def test_every_target_of_make_is_explained():
    targets = re.findall(r"^([a-z-]+):(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    internal = {"environment", "environment-dev"}
    assert [name for name, rest in targets if "##" not in rest and name not in internal] == []
