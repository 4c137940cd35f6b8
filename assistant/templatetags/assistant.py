"""The panel on every page: how it stands, what waits, what to begin with."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django import template
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.timesince import timesince

from assistant import selectors
from assistant.web.days import in_words
from assistant.web.models_in_use import offline_only
from assistant.web.starters import starters
from assistant.web.state import PanelState, state_of

register = template.Library()


@dataclass
class Panel:
    """What the shell needs of the assistant; the database is asked once, for the number that waits."""

    context: RequestContext
    state: PanelState

    @cached_property
    def waiting(self) -> int:
        return selectors.waiting_proposals(self.context["request"].user).count()

    @property
    def offline(self) -> bool:
        return offline_only()

    @property
    def on_own_page(self) -> bool:
        """Its own pages hold the conversation themselves."""
        return self._view.startswith("assistant:")

    @property
    def open(self) -> bool:
        return self.state.open and not self.on_own_page

    @property
    def starters(self) -> list[str]:
        things = {name: self.context.get(name) for name in ("allocation", "vehicle", "dyno")}
        return starters(self._view, things, may_write=self.context["shell"].may_schedule)

    @property
    def days(self) -> str:
        """The days in view, where the page has any."""
        query = self.context.get("query")
        return str(query.days) if query is not None and hasattr(query, "days") else ""

    @property
    def _view(self) -> str:
        match = self.context["request"].resolver_match
        return match.view_name if match else ""


@register.simple_tag(takes_context=True)
def assistant_panel(context: RequestContext) -> Panel | None:
    """None for who is not signed in or a member of no proving ground."""
    request, shell = context.get("request"), context.get("shell")
    if request is None or not shell or not request.user.is_authenticated or shell.ground is None:
        return None
    return Panel(context, state_of(request))


@register.filter
def in_days(text: str) -> str:
    """Days in a card's text as pages write them."""
    return in_words(str(text))


@register.filter
def in_zone(moment: dt.datetime, time_zone: str) -> dt.datetime:
    return moment.astimezone(zoneinfo.ZoneInfo(time_zone))


@register.filter
def ago(moment: dt.datetime) -> str:
    """`just now`, `5 minutes ago`: no more exact than one reads it."""
    if timezone.now() - moment < dt.timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, depth=1)} ago"
