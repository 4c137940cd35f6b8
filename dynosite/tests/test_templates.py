"""What the project's templates and their tags send."""

import re
from pathlib import Path

import pytest
from django.template import engines
from django.template.loader import get_template

from dynosite.lib.template_loading import Loader


def rendered(source: str, **context: object) -> str:
    return engines["django"].from_string("{% load ui %}" + source).render(context)


@pytest.mark.parametrize("name", ["base.html", "components/header.html", "allocations/schedule/_row.html"])
def test_templates_are_sent_without_their_indentation(name):
    loader = Loader(engines["django"].engine)
    origin = next(origin for origin in loader.get_template_sources(name))
    source = Path(origin.name).read_text(encoding="utf-8")
    sent = loader.get_contents(origin)
    assert re.search(r"^ +", source, re.MULTILINE)
    assert not re.search(r"^[ \t]+", sent, re.MULTILINE)
    assert sent.count("\n") == source.count("\n")
    assert get_template(name)


def test_indentation_of_what_was_typed_stays():
    page = get_template("allocations/requests/_many.html").template
    assert "\n    " not in page.source
    assert rendered("<textarea>{{ note }}</textarea>", note="a\n    b") == "<textarea>a\n    b</textarea>"


def test_joined_lines_leave_no_separator_for_what_is_missing():
    lines = ["{{ first }}", "{% if second %}<b>{{ second }}</b>{% endif %}", "last"]
    source = "\n  ".join(["{% joined end='.' %}", *lines, "{% endjoined %}"])
    assert rendered(source, first="<a>", second="two") == "&lt;a&gt;, <b>two</b>, last."
    assert rendered(source, first="one") == "one, last."


def test_alert_has_kind_title_and_text():
    page = rendered("{% alert 'bad' title %} {{ text }} {% endalert %}", title="<No>", text="Try <again>.")
    assert 'class="alert bad" role="alert"' in page
    assert "<b>&lt;No&gt;</b><p>Try &lt;again&gt;.</p>" in page
    assert "<p>" not in rendered("{% alert 'good' 'Done' %}{% endalert %}")


def test_blank_slate_has_a_way_on_where_there_is_one():
    page = rendered("{% blank_slate 'search' 'Nothing' url='?' action='All' %}Try less.{% endblank_slate %}")
    assert "<h2>Nothing</h2>" in page
    assert "<p>Try less.</p>" in page
    assert '<a class="button" href="?">All</a>' in page
    assert 'class="actions"' not in rendered("{% blank_slate 'search' 'Nothing' %}{% endblank_slate %}")


def test_polling_asks_for_the_element_itself():
    attributes = 'hx-get="/plans/1/?a=1&amp;b=2" hx-trigger="every 1s" hx-target="#plan" hx-swap="outerHTML"'
    assert rendered("{% polling address 'plan' %}", address="/plans/1/?a=1&b=2") == attributes
