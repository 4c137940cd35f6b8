import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from assistant.enums import Approval, BudgetPeriod, BudgetScope
from dynosite.lib.formats import full_date


@pghistory.track()
class KillSwitch(models.Model):
    """One row: whether the assistant is off everywhere, and why, in words for those who would use it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    off = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "kill switch"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="kill_switch_once")]

    def __str__(self) -> str:
        return "Off everywhere" if self.off else "On"

    @classmethod
    def current(cls) -> "KillSwitch":
        return cls.objects.filter(pk=1).first() or cls()


@pghistory.track()
class AssistantSettings(models.Model):
    """What holds for the assistant in one proving ground. Without a row: on, and every write is approved."""

    ground = models.OneToOneField("allocations.ProvingGround", on_delete=models.CASCADE, related_name="+")
    enabled = models.BooleanField(default=True)
    approval = models.CharField(max_length=20, choices=Approval.choices, default=Approval.EVERY)
    tools_off = ArrayField(models.CharField(max_length=60), default=list, blank=True)

    class Meta:
        verbose_name_plural = "assistant settings"

    def __str__(self) -> str:
        return f"The assistant in {self.ground}"

    @classmethod
    def of(cls, ground_id: int) -> "AssistantSettings":
        return cls.objects.filter(ground_id=ground_id).first() or cls(ground_id=ground_id)


class Spend(models.Model):
    """What a user has spent in a ground on a day."""

    day = models.DateField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ground = models.ForeignKey("allocations.ProvingGround", on_delete=models.CASCADE, related_name="+")
    calls = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)

    class Meta:
        ordering = ["-day"]
        verbose_name_plural = "spend"
        constraints = [models.UniqueConstraint(fields=["day", "user", "ground"], name="spend_once_a_day")]
        indexes = [models.Index(fields=["ground", "day"], name="spend_ground_day")]

    def __str__(self) -> str:
        return f"{full_date(self.day)} {self.user}: {self.tokens_in + self.tokens_out} tokens"


@pghistory.track()
class Budget(models.Model):
    """A limit of tokens, of cost or of both. Without a user or ground it holds for each of them."""

    scope = models.CharField(max_length=10, choices=BudgetScope.choices)
    period = models.CharField(max_length=10, choices=BudgetPeriod.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    ground = models.ForeignKey(
        "allocations.ProvingGround", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    tokens = models.PositiveBigIntegerField(null=True, blank=True, help_text="In and out. Empty: without a limit.")
    cost = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, help_text="US dollars. Empty: without a limit."
    )

    class Meta:
        ordering = ["scope", "period", "user__username", "ground__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "period", "user", "ground"], nulls_distinct=False, name="budget_once"
            ),
            models.CheckConstraint(
                condition=models.Q(tokens__isnull=False) | models.Q(cost__isnull=False),
                name="budget_limits",
                violation_error_message="Give a limit of tokens, of cost, or of both.",
            ),
        ]

    def __str__(self) -> str:
        whom = self.user or self.ground or self.get_scope_display()
        return f"{whom}, a {self.period}"

    def clean(self) -> None:
        if self.cost is not None and self.cost < 0:
            raise ValidationError({"cost": "A limit is nothing or more."})
        if self.user_id and self.scope != BudgetScope.USER:
            raise ValidationError({"user": "Only a user's budget names one."})
        if self.ground_id and self.scope != BudgetScope.GROUND:
            raise ValidationError({"ground": "Only a proving ground's budget names one."})
