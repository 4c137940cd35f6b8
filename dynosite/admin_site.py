"""The administration: for superusers, and for staff who are admins of a proving ground. Nobody else."""

from functools import update_wrapper

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, resolve_url
from django.urls import reverse

from allocations import access
from assistant.providers.troubles import Troubles
from dynosite.lib.redis_client import shared_text

GROUPS = {
    "Maintenance and dynos": ("MaintenanceWindow", "Dyno", "Facility", "TestType"),
    "Schedule": ("Allocation", "TestRequest", "Vehicle"),
    "Record": ("Change",),
    "Assistant": (
        "Run",
        "Spend",
        "Budget",
        "AssistantSettings",
        "KillSwitch",
        "Proposal",
        "ToolCall",
        "ModelCall",
        "Feedback",
    ),
    "Grounds and people": ("ProvingGround", "Membership", "User"),
}
"""What stands together on the first page; what is named nowhere comes after, as Django orders it."""


class AdministrationSite(AdminSite):
    site_header = "Dynosite administration"
    site_title = "Dynosite administration"
    index_title = "Administration"

    def has_permission(self, request) -> bool:
        """Django's own model permissions are not asked, here or in any model's admin; memberships decide."""
        user = request.user
        if not user.is_active or (not user.is_staff and not user.is_superuser):
            return False
        return user.is_superuser or access.administered_by(user).exists()

    def admin_view(self, view, cacheable=False):
        """Signed in without the right is a refusal, not another round of signing in."""
        inner = super().admin_view(view, cacheable)

        def answer(request, *args, **kwargs):
            leaving = request.path == reverse("admin:logout", current_app=self.name)
            if request.user.is_authenticated and not leaving and not self.has_permission(request):
                raise PermissionDenied
            return inner(request, *args, **kwargs)

        return update_wrapper(answer, inner)

    def login(self, request, extra_context=None):
        """The product's sign-in, with its rate limit, is the only one."""
        if self.has_permission(request):
            return redirect(reverse("admin:index", current_app=self.name))
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), resolve_url(settings.LOGIN_URL))

    def password_change(self, request, extra_context=None):
        """The product's own page, which ends API tokens too."""
        return redirect("accounts:password")

    def logout(self, request, extra_context=None):
        from django.contrib.auth.views import LogoutView

        return LogoutView.as_view(next_page=resolve_url(settings.LOGOUT_REDIRECT_URL))(request)

    def each_context(self, request):
        """With the models that refuse how they are set up, for who can mend that."""
        context = super().each_context(request)
        if settings.ASSISTANT_MODELS and request.user.is_active and request.user.is_superuser:
            context["model_troubles"] = Troubles(shared_text()).current()
        return context

    def get_app_list(self, request, app_label=None):
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = {model["object_name"]: (model, app) for app in apps for model in app["models"]}
        groups = []
        for name, members in GROUPS.items():
            rows = [models.pop(member)[0] for member in members if member in models]
            if rows:
                url = reverse("admin:index", current_app=self.name)
                groups.append(
                    {"name": name, "app_label": name, "app_url": url, "has_module_perms": True, "models": rows}
                )
        for app in apps:
            rows = [model for model in app["models"] if model["object_name"] in models]
            if rows:
                groups.append(app | {"models": rows})
        return groups

    def get_urls(self):
        # "View on site" would tell whether a row of any model exists.
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
