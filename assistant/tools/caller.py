"""Who asks, where and when: every tool gets it. Rights and today's date are looked up anew at each call."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from allocations.enums import Role
from allocations.exceptions import NotFound
from allocations.selectors import grounds
from assistant.models import AssistantSettings
from dynosite.accounts.models import User


@dataclass(frozen=True)
class Ctx:
    """The graph's context of one run. It is in no checkpoint, and no model sees it."""

    user_id: int
    ground_id: int
    conversation_id: uuid.UUID
    run_id: uuid.UUID | None = None
    page: dict[str, Any] = field(default_factory=dict)


class Caller:
    """The user and proving ground of a context, as they are in the database now.

    Raises
    ------
    NotFound
        If the user is inactive or deleted, or no longer a member of the ground.
    """

    def __init__(self, ctx: Ctx) -> None:
        user = User.objects.filter(pk=ctx.user_id, is_active=True).first()
        if user is None:
            raise NotFound("This user may no longer do anything here.")
        self.ctx = ctx
        self.user = user
        self.ground = grounds.ground_for(user, ctx.ground_id)

    @cached_property
    def role(self) -> Role:
        return grounds.role_of(self.user, self.ground)

    @cached_property
    def settings(self) -> AssistantSettings:
        return AssistantSettings.of(self.ground.pk)

    @property
    def today(self) -> dt.date:
        return self.ground.today()
