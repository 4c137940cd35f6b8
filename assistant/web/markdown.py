"""A model's Markdown as HTML that can do no harm: no raw HTML, no images, links to pages of this site only."""

import re
from collections.abc import Iterator, Mapping

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.web.addresses import in_page, is_own_page
from assistant.web.days import in_words
from dynosite.lib.plain_text import visible

MAX_LENGTH = 40_000
MAX_MARKS = 4_000
"""Characters that may begin a link, emphasis or code; each may be looked at from many others. With more of them a
text is shown as it is written."""
_MARKS = re.compile(r"[\[*_`]")
_TAGS = {
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
_OWN = re.compile(r"(?<![\w/.:\\])/(?:allocations|dynos|maintenance|plans|requests|schedule|vehicles)/[\w\-/]*")
_BEGIN = re.compile(r"(?<![\w\-])\S")
_GOES_ON = re.compile(r"[\w\-]")


class _Parser(MarkdownIt):
    """Of links it lets those through that lead to this site's own pages."""

    def validateLink(self, url: str) -> bool:
        return is_own_page(url)

    def normalizeLink(self, url: str) -> str:
        return in_page(url)


def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "linkify": False, "breaks": True})
    parser.enable("table")
    parser.disable(["image", "autolink", "html_inline", "html_block", "entity"])
    return parser


_PARSER, _PLAIN = _parser(), MarkdownIt("zero")


def render(text: str, names: Mapping[str, str] | None = None) -> SafeString:
    """`names` become links where the text speaks of them: a name and the address of its page. Days are written as
    pages write them."""
    text = visible(text[:MAX_LENGTH])
    parser = _PARSER if len(_MARKS.findall(text)) <= MAX_MARKS else _PLAIN
    tokens = parser.parse(text)
    spoken = Names({name: url for name, url in (names or {}).items() if len(name) > 1 and is_own_page(url)})
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h4"
        if token.type == "inline" and token.children:
            token.children = _linked(token.children, spoken)
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        attribute_filter=_own_href,
        url_schemes=set(),
        link_rel=None,
    )
    return mark_safe(clean)  # noqa: S308 - cleaned by a list of what is allowed, the line above


def _own_href(tag: str, attribute: str, value: str) -> str | None:
    return None if attribute == "href" and not is_own_page(value) else value


class Names:
    """Names and the addresses of their pages. How long a search takes does not grow with how many names there are."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._lengths: dict[str, list[int]] = {}
        """By what a name begins with, longest first."""
        for begin, length in sorted({(name[0], len(name)) for name in urls}, key=lambda pair: -pair[1]):
            self._lengths.setdefault(begin, []).append(length)
        self.compared = 0

    def spoken(self, text: str) -> Iterator[tuple[int, str, str]]:
        """Place, words and address of each own page and name in the text, from left to right."""
        own = {match.start(): match[0] for match in _OWN.finditer(text)}
        place = 0
        while match := _BEGIN.search(text, place):
            place = match.start()
            words = own.get(place) or self._name_at(text, place)
            if words and is_own_page(address := self._urls.get(words, words)):
                yield place, words, address
            place += len(words) or 1

    def _name_at(self, text: str, place: int) -> str:
        for length in self._lengths.get(text[place], ()):
            self.compared += 1
            words = text[place : place + length]
            if words in self._urls and not _GOES_ON.match(text, place + length):
                return words
        return ""


def _linked(children: list[Token], names: Names) -> list[Token]:
    linked: list[Token] = []
    inside = 0
    for child in children:
        inside += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        linked += _pieces(child, names) if child.type == "text" and not inside else [child]
    return linked


def _pieces(token: Token, names: Names) -> list[Token]:
    """The text, with what it names as links."""
    pieces: list[Token] = []
    end = 0
    for place, words, address in names.spoken(token.content):
        pieces += [_text(in_words(token.content[end:place])), *_link(words, address)]
        end = place + len(words)
    return [*pieces, _text(in_words(token.content[end:]))]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(content: str, address: str) -> list[Token]:
    return [
        Token("link_open", "a", 1, attrs={"href": in_page(address)}),
        _text(content),
        Token("link_close", "a", -1),
    ]
