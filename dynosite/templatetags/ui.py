"""Template tags of the look: icons, badges of statuses, sortable headings, ranges of days."""

import datetime as dt
import uuid

from django import template
from django.template import Context, Node, NodeList
from django.template.base import FilterExpression, Parser, Token
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dynosite.lib import moments
from dynosite.lib.formats import count, day_range
from dynosite.lib.ground_address import mounted

register = template.Library()

STATUS_ICONS = {
    "scheduled": "circle-check",
    "running": "play",
    "completed": "check",
    "cancelled": "ban",
    "late": "triangle-alert",
    "overrun": "hourglass",
    "unstarted": "clock",
    "past-due": "triangle-alert",
    "waiting": "circle-dashed",
    "placed": "circle-check",
    "maintenance": "wrench",
}


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """An icon of the sprite by Lucide's name; `size` is small or large; without `label` it is decoration."""
    use = format_html('<use href="{}#{}"></use>', static("vendor/lucide/sprite.svg"), name)
    css = f"icon {size}".strip()
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}">{}</svg>', css, label, use)
    return format_html('<svg class="{}" aria-hidden="true">{}</svg>', css, use)


@register.simple_block_tag
def alert(content: str, kind: str = "", title: str = "") -> SafeString:
    """`{% alert "bad" "Title" %}Text{% endalert %}`; kinds are `good`, `warn`, `bad` and none."""
    text = SafeString(content.strip())
    return render_to_string("components/alert.html", {"kind": kind, "title": title, "text": text})


@register.simple_block_tag
def blank_slate(content: str, icon_name: str, title: str, url: str = "", action: str = "") -> SafeString:
    """`{% blank_slate "inbox" "Title" %}Text{% endblank_slate %}`: what stands where there is nothing to list."""
    context = {
        "icon_name": icon_name,
        "title": title,
        "text": SafeString(content.strip()),
        "url": url,
        "action": action,
    }
    return render_to_string("components/empty.html", context)


@register.simple_block_tag
def joined(content: str, separator: str = ", ", end: str = "") -> SafeString:
    """The lines of the block, joined: a line that a condition leaves empty leaves no separator behind.

    Each line is one item, so what is written in it has no line breaks of its own.
    """
    lines = (line.strip() for line in content.split("\n"))
    return SafeString(separator.join(filter(None, lines)) + end)


@register.simple_tag
def polling(address: str, target: str) -> SafeString:
    """The attributes by which the element with the id `target` asks for itself again every second."""
    return format_html('hx-get="{}" hx-trigger="every 1s" hx-target="#{}" hx-swap="outerHTML"', address, target)


@register.simple_tag(takes_context=True)
def form_key(context: RequestContext) -> SafeString:
    """The hidden idempotency key of a form that writes; a form shown again keeps the one it came with."""
    request = context.get("request")
    key = (request.POST.get("key", "")[:60] if request else "") or uuid.uuid4()
    return format_html('<input type="hidden" name="key" value="{}">', key)


@register.simple_tag
def status_badge(status: str, label: str = "", hue: str = "") -> SafeString:
    """A badge with the status's hue and icon; `hue` borrows those of another status."""
    shown_as = hue or status
    picture = icon(STATUS_ICONS[shown_as]) if shown_as in STATUS_ICONS else ""
    return format_html(
        '<span class="badge status-{}">{}{}</span>',
        shown_as,
        picture,
        label or str(status).replace("_", " ").capitalize(),
    )


@register.simple_tag(takes_context=True)
def sort_heading(context: RequestContext, name: str, label: str, css: str = "") -> SafeString:
    """A table heading that sorts by `?sort=name`, then by `?sort=-name`, and says which way it is sorted."""
    request = context["request"]
    current = request.GET.get("sort", context.get("sort", ""))
    sort, way, arrow = name, "", ""
    if current == name:
        sort, way, arrow = f"-{name}", ' aria-sort="ascending"', icon("arrow-up", "small")
    elif current == f"-{name}":
        way, arrow = ' aria-sort="descending"', icon("arrow-down", "small")
    query = request.GET.copy()
    query["sort"] = sort
    query.pop("page", None)
    return format_html(
        '<th scope="col" class="{}"{}><a href="?{}">{}{}</a></th>',
        css,
        SafeString(way),
        query.urlencode(),
        label,
        arrow,
    )


@register.simple_tag
def ground_url(code: str, name: str, *args: object) -> str:
    """`{% url %}` in another proving ground than the page's."""
    with mounted(code):
        return reverse(name, args=args)


@register.tag
def inground(parser: Parser, token: Token) -> "InGround":
    """`{% inground code %}…{% endinground %}`: what is inside writes its addresses in that proving ground."""
    _, code = token.split_contents()
    nodes = parser.parse(("endinground",))
    parser.delete_first_token()
    return InGround(parser.compile_filter(code), nodes)


class InGround(Node):
    def __init__(self, code: FilterExpression, nodelist: NodeList) -> None:
        self.code, self.nodelist = code, nodelist

    def render(self, context: Context) -> str:
        with mounted(self.code.resolve(context)):
            return self.nodelist.render(context)


@register.simple_tag
def days(first: dt.date, last: dt.date, year: bool = True) -> str:
    """`23 – 26 Nov 2026`; with `year=False` the year shows only where it differs."""
    return day_range(first, last, year=year)


@register.filter
def zone_name(time_zone: str) -> str:
    """`America/Detroit` is Detroit time."""
    return moments.zone_name(time_zone)


@register.filter
def signed(number: int) -> str:
    """A difference, with its sign."""
    return f"+{number}" if number > 0 else f"−{-number}" if number < 0 else "0"


@register.filter
def thousands(number: int) -> str:
    """`20,054`."""
    return f"{number:,}"


@register.filter
def counted(number: int, singular: str) -> str:
    """`{{ 11|counted:"dyno" }}`: 11 dynos."""
    return count(number, singular)


@register.filter
def initials(name: str) -> str:
    """`Mia Keller` is MK, `scheduler` is SC."""
    words = name.split()
    return ("".join(word[0] for word in (words[0], words[-1])) if len(words) > 1 else name[:2]).upper()
