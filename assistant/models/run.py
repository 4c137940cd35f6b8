import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from assistant.enums import RunOutcome, RunStatus, ToolStatus
from assistant.models.conversation import Conversation
from dynosite.lib.moments import moment


class Run(models.Model):
    """One turn of the assistant, and what it took."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="runs")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ground = models.ForeignKey("allocations.ProvingGround", on_delete=models.CASCADE, related_name="+")
    question = models.ForeignKey(
        "Message",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="What was asked. A run that tries again has the question of the first.",
    )
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    outcome = models.CharField(max_length=10, choices=RunOutcome.choices, blank=True)
    page = models.JSONField(default=dict, blank=True, help_text="The page in view when it was asked.")
    model = models.CharField(max_length=120, blank=True, help_text="That gave the answer.")
    prompt = models.CharField(max_length=60, blank=True)
    prompt_hash = models.CharField(max_length=64, blank=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has taken it up.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    first_words_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["conversation", "created_at"], name="run_conversation_at"),
            models.Index(fields=["ground", "-created_at"], name="run_ground_at"),
        ]

    def __str__(self) -> str:
        return f"Run of {moment(self.created_at, self.ground.time_zone)}: {self.status}"


class ModelCall(models.Model):
    """One call of a model, written when it is let through and completed when it has ended.

    While it is open it holds back the most that it can come to, so that others do not spend the same twice.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="model_calls")
    model = models.CharField(max_length=120)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    tokens_cached = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    estimated = models.BooleanField(default=False, help_text="The provider did not tell what it took.")
    seconds = models.FloatField(default=0)
    error = models.TextField(blank=True)
    day = models.DateField(null=True, blank=True, help_text="The proving ground's day, which it is charged to.")
    held_tokens = models.PositiveBigIntegerField(default=0, help_text="The most that it can take.")
    held_cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["day"], condition=models.Q(ended_at=None), name="model_call_open"),
            models.Index(fields=["-at"], name="model_call_at"),
        ]

    def __str__(self) -> str:
        return self.model


class ToolCall(models.Model):
    """One call of a tool. The same call of a run that is taken up again is the same row."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tool_calls")
    call_id = models.CharField(max_length=120)
    name = models.CharField(max_length=60)
    args = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    status = models.CharField(max_length=12, choices=ToolStatus.choices, default=ToolStatus.RUNNING)
    result = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    seconds = models.FloatField(default=0)
    error = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["run", "call_id"], name="tool_call_once")]
        indexes = [models.Index(fields=["name", "-at"], name="tool_call_name_at")]

    def __str__(self) -> str:
        return self.name
