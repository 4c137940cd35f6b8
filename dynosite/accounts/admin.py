"""Users, their tokens, and whose sign-ins have to wait.

Users are registered where memberships are known, which stand on their page.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst

from dynosite.accounts.models import ApiToken, FailedSignIns, User


class SuperusersOnly(admin.ModelAdmin):
    """Whatever model permissions somebody has."""

    view_on_site = False

    def _is_superuser(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_module_permission = _is_superuser
    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = _is_superuser


class OwnTitle(admin.ModelAdmin):
    """The list is called as on the first page, not "Select … to change"."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))


class RefusedFilter(admin.SimpleListFilter):
    title = "mail server"
    parameter_name = "refused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Refuses the address")]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return rows.exclude(email="").filter(refused_email=F("email")) if self.value() == "yes" else rows


class UserAdmin(OwnTitle, SuperusersOnly, DjangoUserAdmin):
    """Rights are memberships, so Django's groups and permissions are not offered.

    Nobody is deleted, so that the history keeps its names: take away "active" instead.
    """

    list_display = [
        "username",
        "display_name",
        "email",
        "mail",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
    ]
    list_filter = ["is_active", "is_staff", "is_superuser", RefusedFilter]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email", "mail_notices", "mail"]}),
        (
            "Rights",
            {
                "fields": ["is_active", "is_staff", "is_superuser"],
                "description": "Staff may enter this administration for the grounds where they are admins. "
                "Superusers are admins of every ground.",
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined", "mail"]

    @admin.display(description="mail server")
    def mail(self, user: User) -> str:
        """What the mail server said of the address, if it takes none for it."""
        return f"Refused: {user.mail_problem}" if user.mail_problem else "–"

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            self.message_user(request, "The user is signed out everywhere, and API tokens of the old password ended.")
        return response

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(FailedSignIns)
class FailedSignInsAdmin(OwnTitle, SuperusersOnly):
    """Failed sign-ins and the waits that they led to; deleting one lets people try again at once."""

    list_display = ["last_at", "scope", "name", "address", "failures", "wait_until"]
    list_filter = ["scope"]
    search_fields = ["name", "address"]
    fields = readonly_fields = ("scope", "name", "address", "failures", "last_at", "wait_until")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiToken)
class TokenAdmin(OwnTitle, SuperusersOnly):
    """Whose programs may get in, and revoking that. Each user makes tokens on their own page; nobody can read one."""

    list_display = ["name", "user", "start", "may_write", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["may_write", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["name", "user__username", "start"]
    fields = readonly_fields = (
        "user",
        "name",
        "start",
        "may_write",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke at once")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        number = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{number} revoked.")
