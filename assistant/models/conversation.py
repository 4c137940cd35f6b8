import uuid
import zoneinfo

from django.conf import settings
from django.db import models
from django.utils.timezone import localtime

from assistant.enums import Author, Verdict
from dynosite.lib.formats import full_date


class Conversation(models.Model):
    """What one user and the assistant said in one proving ground. Its id is the graph's thread."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    ground = models.ForeignKey("allocations.ProvingGround", on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["user", "-updated_at"], name="conversation_user_at")]

    def __str__(self) -> str:
        return (
            self.title
            or f"Conversation of {full_date(localtime(self.created_at, zoneinfo.ZoneInfo(self.ground.time_zone)))}"
        )


class Message(models.Model):
    """The transcript that people see. It is never cut, whatever the graph's own state forgets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    run = models.ForeignKey("Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    author = models.CharField(max_length=10, choices=Author.choices)
    text = models.TextField()
    cut = models.BooleanField(default=False, help_text="The user stopped it here, or it broke off.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["conversation", "created_at"], name="message_conversation_at")]

    def __str__(self) -> str:
        return self.text[:60]


class Feedback(models.Model):
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="feedback")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    verdict = models.CharField(max_length=4, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="feedback_once")]

    def __str__(self) -> str:
        return f"{self.verdict}: {self.comment}"
