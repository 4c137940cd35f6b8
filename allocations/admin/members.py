"""Proving grounds, and who may do what in them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from allocations.admin.base import GroundAdmin, Rows
from allocations.admin.days_lost import asks_about_losses, loss_answers
from allocations.admin.forms import DomainForm, LabelledFormSet
from allocations.admin.scope import actor_of, ground_ids
from allocations.admin.working import GroundForm, ShutdownInline, TravelInline, wanted_of
from allocations.models import Change, Membership, ProvingGround
from allocations.services import members
from allocations.services.days_lost import DaysLost
from allocations.services.unit_of_work import Actor
from dynosite.accounts.admin import UserAdmin
from dynosite.accounts.models import User

admin.site.unregister(Group)


@admin.register(ProvingGround)
class ProvingGroundAdmin(GroundAdmin):
    ground_path = "pk"
    form = GroundForm
    inlines = [ShutdownInline, TravelInline]
    fieldsets = [
        (None, {"fields": ["code", "name", "time_zone"]}),
        (
            "Days off",
            {
                "fields": ["days_off", ("holidays_country", "holidays_subdivision")],
                "description": "No test starts on a day off. Test types say whether they run on over it or pause.",
            },
        ),
    ]
    list_display = ["name", "code", "time_zone", "dyno_count"]
    search_fields = ["name", "code"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(number=Count("dynos"))

    @admin.display(description="dynos", ordering="number")
    def dyno_count(self, ground: ProvingGround) -> int:
        return ground.number  # type: ignore[attr-defined]  # counted by `get_queryset`

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def get_inlines(self, request: HttpRequest, obj: Any) -> list:
        return self.inlines if obj else []  # a new ground has no facility yet

    def save_model(self, request: HttpRequest, obj: ProvingGround, form: Any, change: bool) -> None:
        """Nothing yet: a ground is written together with its shutdowns and travel."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        values = self.values(form) | wanted_of(formsets)
        if change:
            values["answers"] = loss_answers(request)
        self.refresh(form.instance, self.save(actor_of(request), form.instance, values, change))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DaysLost as lost:
            return self.asking_page(request, asks_about_losses(request, lost))

    def save(self, actor: Actor, row: ProvingGround, values: dict[str, Any], change: bool) -> Change:
        if change:
            return members.change_ground(row.pk, actor=actor, **values)
        return members.add_ground(actor=actor, **values)


class UsernameField(forms.CharField):
    """A user by the exact name: an admin of one ground does not get a list of everybody."""

    def clean(self, value: Any) -> User | None:
        name = super().clean(value)
        user = User.objects.filter(username=name).first() if name else None
        if name and user is None:
            raise forms.ValidationError("There is no user of this name.")
        return user


class MembershipForm(DomainForm):
    user = UsernameField(label="Username")


@admin.register(Membership)
class MembershipAdmin(GroundAdmin):
    form = MembershipForm
    deletable = True
    fields = ["ground", "user", "role"]
    list_display = ["user", "ground_code", "role"]
    list_filter = [("ground", admin.RelatedOnlyFieldListFilter), "role"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["ground__name", "user__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "ground")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["ground", "user"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        grounds = ground_ids(request)
        return {"ground": next(iter(grounds))} if len(grounds) == 1 else {}

    def save(self, actor: Actor, row: Membership, values: dict[str, Any], change: bool) -> Change:
        if change:
            return members.set_membership(row.user_id, row.ground_id, values["role"], actor=actor)
        return members.set_membership(values["user_id"], values["ground_id"], values["role"], actor=actor)

    def remove(self, actor: Actor, row: Membership) -> Change:
        return members.remove_membership(row.pk, actor=actor)


class MembershipInline(Rows):
    model = Membership
    formset = LabelledFormSet

    def _is_superuser(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = _is_superuser


@admin.register(User)
class MemberAdmin(UserAdmin):
    inlines = [MembershipInline]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list:
        return self.inlines if obj else []  # the page that adds a user asks for name and password alone

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Memberships, through the service."""
        if formset.model is not Membership:
            raise PermissionDenied
        actor = actor_of(request)
        formset.save(commit=False)
        for row in formset.deleted_objects:
            members.remove_membership(row.pk, actor=actor)
        for row_form in formset.initial_forms + formset.extra_forms:
            values = row_form.cleaned_data
            if not row_form.has_changed() or values.get("DELETE"):
                continue
            if row_form.instance.pk and "ground" in row_form.changed_data:
                members.remove_membership(row_form.instance.pk, actor=actor)
            members.set_membership(form.instance.pk, values["ground"].pk, values["role"], actor=actor)
