"""The figures in the header, for a page that stays open while others change them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allocations.web.ground_context import current_ground
from dynosite.accounts.requests import UserRequest


@require_safe
def figures(request: UserRequest) -> HttpResponse:
    current_ground(request)
    return render(request, "components/figures.html")
