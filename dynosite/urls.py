from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(url="/schedule/"), name="home"),
    path("accounts/", include("dynosite.accounts.urls")),
    path("admin/", admin.site.urls),
]
