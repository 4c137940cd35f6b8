"""Users. Registered where memberships are known, which stand beside them on the page."""

from django.contrib.auth import admin


class UserAdmin(admin.UserAdmin):
    """For superusers only. Rights are memberships, so Django's groups and permissions are not offered.

    Nobody is deleted, so that the history keeps its names: take away "active" instead.
    """

    list_display = ["username", "display_name", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    filter_horizontal = []
    view_on_site = False
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email"]}),
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
    readonly_fields = ["last_login", "date_joined"]

    def _is_superuser(self, request, obj=None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_module_permission = _is_superuser
    has_view_permission = has_add_permission = has_change_permission = _is_superuser

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
