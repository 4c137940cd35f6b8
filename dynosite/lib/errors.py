"""The pages for errors; each keeps Django's own handling and only names our template."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

bad_request = partial(defaults.bad_request, template_name="errors/400.html")
permission_denied = partial(defaults.permission_denied, template_name="errors/403.html")
page_not_found = partial(defaults.page_not_found, template_name="errors/404.html")
server_error = partial(defaults.server_error, template_name="errors/500.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that lost its token: most often a page that was open through a new sign-in."""
    return render(request, "errors/csrf.html", status=403)
