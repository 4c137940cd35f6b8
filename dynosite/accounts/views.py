from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dynosite.accounts import tokens
from dynosite.accounts.forms import ProfileForm, TokenForm
from dynosite.accounts.requests import UserRequest


@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: UserRequest) -> HttpResponse:
    """The user's tokens. The answer to making one is the only place that ever shows it."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    text = ""
    if form.is_bound and form.is_valid():
        try:
            data = form.cleaned_data
            may_write = data["rights"] == "write"
            _, text = tokens.issue(request.user, data["name"], days=data["days"], may_write=may_write)
            form = TokenForm()
        except tokens.TokenError as error:
            form.add_error("name", str(error))
    context = {"form": form, "tokens": request.user.tokens.all()[:100], "text": text, "now": timezone.now()}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


@require_POST
def token_revoke(request: UserRequest, pk: int) -> HttpResponse:
    if tokens.revoke(pk, user=request.user) is None:
        raise Http404
    return redirect("accounts:token-list")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: UserRequest) -> HttpResponse:
    """Who the user is here, and what they may change of it themselves."""
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=request.user)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("accounts:profile")
    if form.errors:
        request.user.refresh_from_db()
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
