"""The stylesheets: colours are tokens, and no class is left over."""

import ast
import re
from pathlib import Path

import django
import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
APPS = ("allocations", "assistant", "dynosite")
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z_][\w-]*")
CLASS_LIST = re.compile(r"[\w -]+")
CLASS_ATTRIBUTE = re.compile(r'class="((?:\{%.*?%\}|\{\{.*?\}\}|[^"])*)"')
CLASS_BLOCK = re.compile(r"class %\}(.*?)\{% endblock", re.DOTALL)
ARGUMENT = re.compile(r"\{%.*?%\}")
JS_STRING = re.compile(r'"([^"\n]*)"|\'([^\'\n]*)\'|`([^`]*)`')
BUILT = ("status-", "is-", "d", "field-", "model-")
"""What classes begin with that are put together: `status-{{ look }}`; Django writes the last two."""
OF_HTMX = {"htmx-request"}


def without_comments(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def classes_styled() -> dict[str, str]:
    """The classes of all selectors, with the name of a stylesheet that has them."""
    classes = {}
    for path in STYLES:
        text = re.sub(r'url\([^)]*\)|"[^"]*"', "", without_comments(path))
        for selector in re.findall(r"([^{};]*)\{", text):
            classes |= dict.fromkeys(re.findall(r"\.(-?[A-Za-z_][\w-]*)", selector), path.name)
    return classes


def words_in_templates(folder: Path) -> set[str]:
    """The words that stand as classes, and those in quotes that are given to tags."""
    words = set()
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for classes in (*CLASS_ATTRIBUTE.findall(text), *CLASS_BLOCK.findall(text)):
            words |= set(WORD.findall(classes))
        for tag in ARGUMENT.findall(text):
            words |= {word for quoted in re.findall(r'"([^"]*)"', tag) for word in WORD.findall(quoted)}
    return words


def words_in_scripts() -> set[str]:
    """The words of strings that are names of classes, and of selectors those after a full stop."""
    words = set()
    for path in (ROOT / "static").rglob("*.js"):
        for parts in JS_STRING.findall(path.read_text(encoding="utf-8")):
            text = "".join(parts)
            words |= set(WORD.findall(text) if CLASS_LIST.fullmatch(text) else re.findall(r"\.([\w-]+)", text))
            words |= {word for classes in CLASS_ATTRIBUTE.findall(text) for word in WORD.findall(classes)}
    return words


def words_in_modules(folder: Path) -> set[str]:
    """The words of strings that are names of classes, or of attributes that hold them."""
    words = set()
    for path in folder.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
                lists = [node.value] if CLASS_LIST.fullmatch(node.value) else CLASS_ATTRIBUTE.findall(node.value)
                words |= {word for classes in lists for word in WORD.findall(classes)}
    return words


def words_used() -> set[str]:
    admin, forms = Path(django.__file__).parent / "contrib" / "admin", Path(django.__file__).parent / "forms"
    words = OF_HTMX | words_in_templates(ROOT / "templates") | words_in_templates(admin) | words_in_scripts()
    for folder in (*(ROOT / app for app in APPS), admin, forms):
        words |= words_in_modules(folder)
    return words


def is_used(name: str, words: set[str]) -> bool:
    rests = [name.removeprefix(prefix) for prefix in BUILT if name.startswith(prefix)]
    return name in words or any(rest in words or rest.isdecimal() for rest in rests)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_colours_stand_in_the_tokens_only(path):
    colours = COLOUR.findall(without_comments(path))
    assert bool(colours) == (path.name == "tokens.css"), colours


def test_every_token_is_used():
    sheets = "\n".join(without_comments(path) for path in STYLES)
    tokens = re.findall(r"^\s*(--[\w-]+):", without_comments(ROOT / "static" / "css" / "tokens.css"), re.MULTILINE)
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "static" / "js").rglob("*.js"))
    assert [name for name in tokens if not re.search(rf"var\({name}\s*[,)]", sheets) and name not in scripts] == []


def test_every_class_is_used():
    words = words_used()
    assert {name: sheet for name, sheet in classes_styled().items() if not is_used(name, words)} == {}


def test_a_class_that_nothing_writes_is_noticed():
    assert not is_used("left-over", words_used())
