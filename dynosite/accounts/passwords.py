"""One's own password: changed by whoever knows the old one, with what else then ends."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy

from dynosite.accounts import attempts, tokens
from dynosite.accounts.attempts import TooManyAttemptsError
from dynosite.accounts.hashing import HashingBusyError
from dynosite.accounts.models import User


class PasswordForm(PasswordChangeForm):
    """Guesses at the old password count like those at the sign-in, and the page tells the same two errors."""

    field_order = ("old_password", "new_password1", "new_password2", "end_tokens")
    end_tokens = forms.BooleanField(
        label="End my API tokens too",
        required=False,
        initial=True,
        help_text="Programs then need new ones. Leave it ticked if somebody else may know the password.",
    )

    def __init__(self, request: HttpRequest, *args: Any, **more: Any) -> None:
        self.request = request
        super().__init__(*args, **more)
        self.fields["old_password"].label = "Password now"
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""
        if not tokens.live(self.user).exists():
            del self.fields["end_tokens"]

    def clean_old_password(self) -> str:
        """Raises TooManyAttemptsError and HashingBusyError besides the form's own errors."""
        attempt = attempts.begin(self.request, self.user.username)
        try:
            password = super().clean_old_password()
        except HashingBusyError:
            attempt.not_tried()
            raise
        except forms.ValidationError:
            attempts.note_failure(self.request, self.user.username)
            raise
        attempt.succeeded()
        return password

    def save(self, commit: bool = True) -> User:
        """Hashes first: no transaction waits for that."""
        self.set_password_and_save(self.user, "new_password1", commit=False)
        with transaction.atomic():
            spared = [] if self.cleaned_data.get("end_tokens", True) else list(tokens.live(self.user))
            self.user.save()
            tokens.end_with_password(self.user, apart_from=spared)
        return self.user


class PasswordView(PasswordChangeView):
    """Other sessions of the user end with the old password; this one goes on."""

    form_class = PasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("accounts:profile")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except TooManyAttemptsError as refusal:
            return self._refused(refusal.sentence, 429, refusal.seconds)
        except HashingBusyError as busy:
            return self._refused(busy.sentence, 503, busy.retry_after)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        had_tokens = "end_tokens" in form.fields
        user = form.save()
        update_session_auth_hash(self.request, user)
        words = "Your password was changed. Everywhere else you are signed out."
        if had_tokens:
            ended = form.cleaned_data["end_tokens"]
            words += " Your API tokens have ended." if ended else " Your API tokens go on."
        messages.success(self.request, words)
        return redirect(self.get_success_url())

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _refused(self, sentence: str, status: int, retry_after: int) -> HttpResponse:
        form = PasswordForm(self.request, self.request.user)
        context = self.get_context_data(form=form, refusal=sentence)
        return self.render_to_response(context, status=status, headers={"Retry-After": str(retry_after)})
