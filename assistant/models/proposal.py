import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from assistant.enums import ProposalStatus
from assistant.models.conversation import Conversation
from assistant.models.run import Run


class Proposal(models.Model):
    """A write that waits for the user's approval: what was asked, exactly what would be done, and the card of it.

    `step` is what will be carried out, with ids and versions; `card` is drawn from it and from facts, and never from
    the model's words.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="proposals")
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="proposals")
    call_id = models.CharField(max_length=120, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="proposals")
    ground = models.ForeignKey("allocations.ProvingGround", on_delete=models.CASCADE, related_name="+")
    tool = models.CharField(max_length=60)
    args = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    step = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    card = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    status = models.CharField(max_length=10, choices=ProposalStatus.choices, default=ProposalStatus.WAITING)
    word = models.TextField(blank=True, help_text="Why it was rejected, or what has changed.")
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaced_by")
    change_id = models.UUIDField(null=True, blank=True, help_text="What carrying it out wrote, to undo it by.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            # A worker that takes a run up again makes no second card for the same call.
            models.UniqueConstraint(
                fields=["run", "call_id"],
                condition=~models.Q(call_id="") & models.Q(replaces=None),
                name="proposal_once_a_call",
            ),
            models.CheckConstraint(condition=models.Q(status__in=ProposalStatus.values), name="proposal_status"),
        ]
        indexes = [models.Index(fields=["user", "status", "-created_at"], name="proposal_user_status")]

    def __str__(self) -> str:
        return self.card.get("title", self.tool)

    @property
    def key(self) -> str:
        """The idempotency key under which it is carried out."""
        return f"proposal:{self.pk}"
