from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from dynosite.ops import health

urlpatterns = [
    path("", RedirectView.as_view(url="/schedule/"), name="home"),
    path("accounts/", include("dynosite.accounts.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
]
