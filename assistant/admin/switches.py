"""The kill switch, what holds in each proving ground, and budgets."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from allocations.admin.asking import confirmed, repeated
from allocations.admin.base import GroundAdmin
from allocations.admin.forms import DomainForm
from allocations.admin.members import UsernameField
from allocations.admin.scope import ground_ids
from allocations.exceptions import DomainError
from assistant.admin.base import SuperuserOnly
from assistant.enums import Approval
from assistant.governance import decisions
from assistant.governance.usage_figures import dollars, spent_against
from assistant.models import AssistantSettings, Budget, KillSwitch
from assistant.tools.registry import TOOLS
from dynosite.accounts.requests import user_of

LEADS = {
    True: "For everybody, at once, in all proving grounds. Answers that are under way stop within a second.",
    False: "For everybody, in every proving ground that has it on.",
}


@admin.register(KillSwitch)
class KillSwitchAdmin(SuperuserOnly, GroundAdmin):
    """One page: how it stands, and the form that turns it; both ways are asked for once more."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return KillSwitch.objects.all()

    def _ground_of(self, row: KillSwitch) -> None:
        """None: it holds in all of them, and its pages are of whichever ground the address names."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_delete_permission = has_add_permission

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise Http404
        switch, error = KillSwitch.current(), None
        if request.method == "POST":
            off, reason = request.POST.get("to") == "off", request.POST.get("reason", "").strip()
            if not off or reason:
                return self._turn(request, off, reason)
            error = "Give a reason: everyone who asks the assistant sees it."
        return self.page(
            request,
            "admin/assistant/switch.html",
            title="Kill switch",
            switch=switch,
            error=error,
            has_history=switch.changed_at is not None,
        )

    def _turn(self, request: HttpRequest, off: bool, reason: str) -> HttpResponse:
        if not confirmed(request):
            return self.page(
                request,
                "admin/confirm.html",
                title="Switch the assistant off" if off else "Switch the assistant on",
                lead=LEADS[off],
                rows=[f"Everyone who asks sees: {reason}"] if off else [],
                button="Switch it off" if off else "Switch it on",
                fields=repeated(request),
            )
        try:
            decisions.switch(off, user=user_of(request), reason=reason)
        except DomainError as error:
            self.message_user(request, error.sentence, messages.ERROR)
        else:
            self.message_user(request, f"The assistant is {'off' if off else 'on'}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:assistant_killswitch_changelist"))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:assistant_killswitch_changelist"))


class SettingsForm(DomainForm):
    tools = forms.MultipleChoiceField(
        label="Tools that may be used",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            ("Read", [(tool.name, tool.name) for tool in TOOLS.values() if not tool.writes]),
            ("Propose a write", [(tool.name, tool.name) for tool in TOOLS.values() if tool.writes]),
        ],
    )

    class Meta:
        widgets = {"approval": forms.RadioSelect}
        labels = {"enabled": "The assistant is on", "approval": "Waits for the user's approval"}
        help_texts = {"approval": "Deletions, plans and maintenance wait in any case."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tools"] = [name for name in TOOLS if name not in self.instance.tools_off]
        approval = self.fields.get("approval")
        if isinstance(approval, forms.ChoiceField):
            approval.choices = Approval.choices


@admin.register(AssistantSettings)
class AssistantSettingsAdmin(GroundAdmin):
    form = SettingsForm
    list_display = ["ground_name", "enabled", "approval", "tools_that_are_off"]
    fieldsets = [(None, {"fields": ["enabled", "approval", "tools"]})]
    ordering = ["ground__name"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("ground")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # Each ground has a line to change; the rows of those that have none yet hold what holds without one.
        existing = set(self.get_queryset(request).values_list("ground_id", flat=True))
        missing = [AssistantSettings(ground_id=pk) for pk in ground_ids(request) - existing]
        AssistantSettings.objects.bulk_create(missing, ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    @admin.display(description="ground", ordering="ground__name")
    def ground_name(self, row: AssistantSettings) -> str:
        return row.ground.name

    @admin.display(description="tools switched off")
    def tools_that_are_off(self, row: AssistantSettings) -> str:
        return ", ".join(row.tools_off) or "–"

    def save_model(self, request: HttpRequest, obj: AssistantSettings, form: Any, change: bool) -> None:
        values = form.cleaned_data
        decisions.set_ground(
            obj.ground_id,
            user=user_of(request),
            enabled=values["enabled"],
            approval=values["approval"],
            tools_off=[name for name in TOOLS if name not in values["tools"]],
        )


class BudgetForm(DomainForm):
    user = UsernameField(
        label="Username", required=False, help_text="Only of one user's own budget; it takes the general one's place."
    )

    class Meta:
        labels = {"ground": "Proving ground", "cost": "Cost, $"}
        help_texts = {"ground": "Only of one ground's own budget; it takes the general one's place."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.user and "user" in self.fields:
            self.initial["user"] = self.instance.user.username


@admin.register(Budget)
class BudgetAdmin(GroundAdmin):
    """Superusers set them; a ground's admins see those that hold for it."""

    form = BudgetForm
    deletable = True
    fields = ["scope", "period", "user", "ground", "tokens", "cost"]
    list_display = ["holds_for", "period", "token_limit", "cost_limit", "spent"]
    ordering = ["scope", "period"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = Budget.objects.select_related("user", "ground")
        if request.user.is_superuser:
            return rows
        own = Q(user=None, ground=None) | Q(ground__in=ground_ids(request))
        return rows.filter(own | Q(user__memberships__ground__in=ground_ids(request))).distinct()

    def _holds(self, request: HttpRequest, row: Any) -> bool:
        return bool(ground_ids(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_add_permission = has_delete_permission = has_change_permission

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if not self.has_change_permission(request, obj):
            kwargs["form"] = DomainForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        changes.result_list = rows = list(changes.result_list)
        spent = spent_against(rows, ground_ids(request), whole=request.user.is_superuser)
        for row in rows:
            row.spent_text = spent[row.pk]
        return changes

    @admin.display
    def spent(self, row: Any) -> str:
        return row.spent_text

    @admin.display(description="holds for", ordering="scope")
    def holds_for(self, row: Budget) -> str:
        return str(row.user or row.ground or row.get_scope_display())

    @admin.display(description="tokens", ordering="tokens")
    def token_limit(self, row: Budget) -> str:
        return "–" if row.tokens is None else f"{row.tokens:,}"

    @admin.display(description="cost", ordering="cost")
    def cost_limit(self, row: Budget) -> str:
        return "–" if row.cost is None else dollars(row.cost)

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        decisions.save_budget(obj, user=user_of(request))

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        decisions.delete_budget(obj.pk, user=user_of(request))
