import re
import sys

import pytest

from assistant.web.addresses import is_own_page
from assistant.web.markdown import MAX_LENGTH, Names, render

HOSTILE = [
    "![x](https://evil.example/a.png)",
    "![x](/static/img/favicon.svg)",
    "![x](data:image/png;base64,AAAA)",
    "[![x](https://evil.example/a.png)](https://evil.example)",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](vbscript:x)",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](//evil.example/vehicles/1/)",
    "[a](/\\evil.example)",
    "[a](\\\\evil.example)",
    "[a](/%2f/evil.example)",
    "[a](https:/vehicles/1/)",
    "[a](http://testserver/vehicles/1/)",
    "[a](/accounts/sign-out/)",
    "[a](/admin/)",
    "[a](/vehicles/1/change/)",
    "[a](/schedule/?q=<script>)",
    "[a]: https://evil.example\n\n[a]",
    "[a][b]\n\n[b]: javascript:alert(1)",
    "<https://evil.example>",
    "https://evil.example/vehicles/1/",
    "www.evil.example",
    "mail@evil.example",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '<a href="/vehicles/1/" onclick="alert(1)">x</a>',
    "<style>*{display:none}</style>",
    "<iframe src=//evil.example></iframe>",
    "<details open ontoggle=alert(1)>",
    "`<b onmouseover=alert(1)>`",
    "```html\n<script>alert(1)</script>\n```",
    "|<img src=x>|\n|--|\n|[a](javascript:x)|",
    "<!-- x --><base href=//evil.example>",
    '[a](/vehicles/1/"onmouseover="alert(1))',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[a](<javascript:alert(1)>)",
]
ALLOWED = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h4",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_leads_nowhere_and_loads_nothing(text):
    html = render(text, {"x": "javascript:alert(1)", "evil": "//evil.example"})
    tags = re.findall(r"<(/?)([a-z0-9]+)([^>]*)>", html)
    assert {name for _, name, _ in tags} <= ALLOWED
    own = re.compile(r' href="(/[^"]*)"')
    attribute_lists = [attributes for _, _, attributes in tags if attributes.strip()]
    assert [text for text in attribute_lists if not ((match := own.fullmatch(text)) and is_own_page(match[1]))] == []


def test_what_nobody_sees_is_left_out():
    text = "NPG \u202e1\u202c is\u200b \u2066free\u2069\ufeff\U000e0041\x1b[0m [it](/vehi\u200bcles/3/)"
    assert render(text) == '<p>NPG 1 is free[0m <a href="/vehicles/3/">it</a></p>\n'
    assert render("می\u200cخواهم") == "<p>می\u200cخواهم</p>\n"


def test_ordinary_markdown_is_drawn():
    html = render("# Free\n**NPG 1** is *free*:\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<h4>Free</h4>" in html
    assert "<strong>NPG 1</strong> is <em>free</em>:" in html
    assert "<li>two</li>" in html
    assert "<td>2</td>" in html


def test_own_pages_are_links_written_as_markdown_or_plainly():
    assert render("[it](/allocations/12/)") == '<p><a href="/allocations/12/">it</a></p>\n'
    assert render("see /vehicles/3/ now") == '<p>see <a href="/vehicles/3/">/vehicles/3/</a> now</p>\n'
    assert render("see /vehicles/3/change/ now") == "<p>see /vehicles/3/change/ now</p>\n"


def test_names_become_links_where_they_stand_whole_and_no_link_is_inside_another():
    names = {"NPG 1": "/dynos/1/", "NPG 11": "/dynos/11/"}
    html = render("NPG 1, NPG 11, NPG 112, [NPG 1](/dynos/5/), `NPG 1`", names)
    assert html == (
        '<p><a href="/dynos/1/">NPG 1</a>, <a href="/dynos/11/">NPG 11</a>, NPG 112, <a href="/dynos/5/">NPG 1</a>, '
        "<code>NPG 1</code></p>\n"
    )


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("/vehicles/3/", True),
        ("/schedule/?from=2026-11-23&to=2026-12-01#show-1", True),
        ("/requests/", True),
        ("/vehicles/3", False),
        ("/vehicles/3/change/", False),
        ("/assistant/", False),
        ("//x/vehicles/3/", False),
        ("", False),
        ("vehicles/3/", False),
        ("/vehicles/3/\n", False),
    ],
)
def test_own_pages_only_show(address, own):
    assert is_own_page(address) is own


def _lines_run(text: str) -> int:
    """How many lines of Python drawing the text takes: the same on every machine."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        render(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("piece", ["*a_", "[a](", "[", "**a__", "[*a_", "`a``", "*a"])
def test_marks_without_end_are_shown_as_they_are_written(piece):
    many = piece * (MAX_LENGTH // len(piece))
    assert _lines_run(many) < 40 * MAX_LENGTH
    assert render(many) == f"<p>{many}</p>\n"


def test_marks_of_an_ordinary_long_answer_are_drawn():
    row = "| [NPG 1](/dynos/1/) | **late** | 2 |\n"
    html = render("| a | b | c |\n|---|---|---|\n" + row * 400)
    assert html.count('<a href="/dynos/1/">NPG 1</a>') == html.count("<strong>late</strong>") == 400


def test_work_does_not_grow_with_the_number_of_names():
    text = "V1 V22 " * 2_000

    def compared(number: int) -> int:
        names = Names({f"V{count}": f"/vehicles/{count + 1}/" for count in range(number)})
        spoken = [words for _, words, _ in names.spoken(text)]
        assert spoken == ["V1", "V22"] * 2_000
        return names.compared

    lengths = 4
    assert compared(10_000) <= lengths * 4_000


def test_the_longest_name_that_stands_whole_is_the_link():
    names = {"NPG 1": "/dynos/1/", "NPG 1 east": "/dynos/2/", "1 east": "/dynos/3/", "PG 1": "/dynos/4/"}
    assert render("NPG 1 east; NPG 1 eastern, x-NPG 1", names) == (
        '<p><a href="/dynos/2/">NPG 1 east</a>; <a href="/dynos/1/">NPG 1</a> eastern, x-NPG 1</p>\n'
    )
