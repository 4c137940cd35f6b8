"""The help page: how the main jobs are done, and the keys."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allocations.web.ground_context import current_ground
from dynosite.accounts.requests import UserRequest


@require_safe
def index(request: UserRequest) -> HttpResponse:
    current_ground(request)
    return render(request, "allocations/help/page.html")
