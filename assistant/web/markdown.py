"""A model's Markdown as HTML that can do no harm: no raw HTML, no images, links to pages of this site only."""

import re
from collections.abc import Mapping

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.web.addresses import is_own_page
from assistant.web.days import in_words
from dynosite.lib.plain_text import visible

LONGEST = 40_000
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h4", "hr", "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th",
    "thead", "tr", "ul",
}  # fmt: skip
_OWN = re.compile(r"(?<![\w/.:\\])/(?:allocations|dynos|maintenance|plans|requests|schedule|vehicles)/[\w\-/]*")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable("table")
    parser.disable(["image", "autolink", "html_inline", "html_block", "entity"])
    parser.validateLink = is_own_page  # type: ignore[method-assign]
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


def render(text: str, names: Mapping[str, str] | None = None) -> SafeString:
    """`names` become links where the text speaks of them: a name and the address of its page. Days are written as
    pages write them."""
    tokens = _PARSER.parse(visible(text[:LONGEST]))
    known = {name: url for name, url in (names or {}).items() if len(name) > 1 and is_own_page(url)}
    spoken = _pattern(known)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h4"
        if token.type == "inline" and token.children:
            token.children = _linked(token.children, known, spoken)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        html, tags=_TAGS, attributes={"*": set(), "a": {"href"}, "ol": {"start"}}, attribute_filter=_kept,
        url_schemes=set(), link_rel=None,
    )  # fmt: skip
    return mark_safe(clean)  # noqa: S308 - cleaned by a list of what is allowed, the line above


def _kept(tag: str, attribute: str, value: str) -> str | None:
    return None if attribute == "href" and not is_own_page(value) else value


def _pattern(known: Mapping[str, str]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.compile(rf"{_OWN.pattern}|(?<![\w\-])(?:{names})(?![\w\-])") if names else _OWN


def _linked(children: list[Token], known: Mapping[str, str], spoken: re.Pattern[str]) -> list[Token]:
    found: list[Token] = []
    inside = 0
    for child in children:
        inside += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        found += _pieces(child, known, spoken) if child.type == "text" and not inside else [child]
    return found


def _pieces(token: Token, known: Mapping[str, str], spoken: re.Pattern[str]) -> list[Token]:
    """The text, with what it names as links."""
    pieces: list[Token] = []
    end = 0
    for match in spoken.finditer(token.content):
        address = known.get(match[0], match[0])
        if not is_own_page(address):
            continue
        pieces += [_text(in_words(token.content[end : match.start()])), *_link(match[0], address)]
        end = match.end()
    return [*pieces, _text(in_words(token.content[end:]))]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(content: str, address: str) -> list[Token]:
    return [Token("link_open", "a", 1, attrs={"href": address}), _text(content), Token("link_close", "a", -1)]
