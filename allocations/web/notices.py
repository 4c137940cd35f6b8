"""What was changed about the user's bookings, and whether it comes by mail too."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from allocations.selectors.notices import notices_of
from allocations.services import notices
from allocations.web.live import live_list
from dynosite.accounts.requests import UserRequest
from dynosite.lib.htmx import wants_fragment
from dynosite.lib.params import numbers_of

MAX_LISTED = 100


@require_safe
def index(request: UserRequest) -> HttpResponse:
    live = live_list(request)
    rows = list(notices_of(request.user)[:MAX_LISTED])
    context = {
        "notices": rows,
        "unseen": sum(1 for notice in rows if notice.seen_at is None),
        "mail": bool(settings.EMAIL_HOST),
        "shown": MAX_LISTED,
        "live": live,
    }
    template = "_list.html" if wants_fragment(request, "list") else "page.html"
    return render(request, f"allocations/notices/{template}", context)


@require_POST
def mark_seen(request: UserRequest) -> HttpResponse:
    """Marks one as seen, or without `notice` all."""
    ids = numbers_of(request.POST.getlist("notice"))
    notices.mark_seen(request.user, ids=ids if "notice" in request.POST else None)
    return redirect("allocations:notice-list")


@require_POST
def mail(request: UserRequest) -> HttpResponse:
    by_mail = request.POST.get("mail") == "on"
    notices.choose_mail(request.user, enabled=by_mail)
    messages.success(request, "Notices come by mail too." if by_mail else "Notices stay on this page.")
    return redirect("allocations:notice-list")
