from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from dynosite.lib import errors
from dynosite.lib.api.errors import no_such_address
from dynosite.lib.icon import favicon
from dynosite.lib.theme import choose_theme

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error

api: list[URLPattern | URLResolver] = [
    path("assistant/", include("assistant.api.urls")),
    re_path("", no_such_address, name="no-such-address"),
]
urlpatterns = [
    path("api/v1/", include((api, "api"))),
    path("", RedirectView.as_view(pattern_name="allocations:schedule"), name="home"),
    path("accounts/", include("dynosite.accounts.urls")),
    path("", include("allocations.urls")),
    path("assistant/", include("assistant.urls")),
    path("theme/", choose_theme, name="theme"),
    path("favicon.ico", favicon, name="favicon"),
    path("admin/", admin.site.urls),
]
