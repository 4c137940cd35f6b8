from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    """Who signs in. Rights per proving ground are memberships, in `allocations`."""

    mail_notices = models.BooleanField(
        "notices by mail", default=True, help_text="Whether changes by others to their bookings are mailed to them."
    )
    refused_email = models.EmailField(blank=True, editable=False)
    """The address that the mail server refused for good; while it is still the user's, nothing is mailed there."""
    mail_refusal = models.CharField(max_length=300, blank=True, editable=False)

    @property
    def mail_problem(self) -> str:
        """What the mail server said of the address, where it takes no mail for it."""
        return self.mail_refusal if self.email and self.email == self.refused_email else ""

    password_changed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="API tokens of an older password open nothing."
    )

    _password: str | None
    """Django's: what was set and is not saved yet."""
    _password_taken_away = False

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password_taken_away = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Notes when the password changes, whoever changes it. A hash that is made anew at sign-in changes none."""
        if self._password is not None or self._password_taken_away:
            self.password_changed_at = timezone.now()
            self._password_taken_away = False
            if (fields := kwargs.get("update_fields")) is not None:
                kwargs["update_fields"] = {*fields, "password_changed_at"}
        super().save(*args, **kwargs)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class ApiToken(models.Model):
    """A key by which a program acts as its user. What is kept of it is a digest: nobody can read it out again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    start = models.CharField(max_length=12, help_text="Its first characters, to tell one from another.")
    digest = models.CharField(max_length=64, unique=True)
    may_write = models.BooleanField(default=False, help_text="Otherwise it only reads.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    password_stamp = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the password was changed that this goes with."
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "API token"
        verbose_name_plural = "API tokens"
        constraints = [
            # Also what keeps a page that is sent twice from making two.
            models.UniqueConstraint(
                fields=["user", "name"], condition=models.Q(revoked_at=None), name="token_name_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"


class FailedSignIns(models.Model):
    """Sign-ins that failed, counted by what they have in common. A count falls with time; see `attempts`."""

    class Scope(models.TextChoices):
        ADDRESS = "address", "from an address"
        BROWSER = "browser", "by a browser that has signed in before"
        NAME = "name", "for a name, by browsers that have not"
        PAIR = "pair", "for a name from an address"

    scope = models.CharField(max_length=10, choices=Scope.choices)
    name = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=60, blank=True)
    browser = models.CharField(max_length=32, blank=True)
    failures = models.FloatField(default=0)
    last_at = models.DateTimeField()
    wait_until = models.DateTimeField(null=True, blank=True, help_text="Until then no password is tried.")

    class Meta:
        ordering = ["-last_at"]
        verbose_name = verbose_name_plural = "failed sign-ins"
        indexes = [models.Index(fields=["last_at"], name="failed_sign_ins_last")]
        constraints = [
            models.UniqueConstraint(fields=["scope", "name", "address", "browser"], name="failed_sign_ins_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.name} {self.address}".rstrip()
