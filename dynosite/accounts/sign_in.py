"""The one page to sign in at; the administration's leads here too."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from dynosite.accounts import browsers, returning
from dynosite.accounts.attempts import TooManyAttemptsError
from dynosite.accounts.forms import SignInForm
from dynosite.accounts.hashing import HashingBusyError


class SignInView(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except HashingBusyError as busy:
            return self._refused(busy.sentence, status=503, retry_after=busy.retry_after)
        except TooManyAttemptsError as refusal:
            return self._refused(refusal.sentence, status=429, retry_after=refusal.seconds)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        name = form.get_user().username
        returning.greet(self.request, name)
        if returning.current(self.request):
            response["Location"] += "#put-back"
        browsers.remember(self.request, response, name)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_over = self.request.GET.get("reason") == returning.REASON
        draft = returning.current(self.request) if is_over else None
        return super().get_context_data(**kwargs) | {"is_over": is_over, "draft": draft}

    def _refused(self, sentence: str, *, status: int, retry_after: int) -> HttpResponse:
        """The form with the name that was typed, and why nobody was signed in."""
        form = SignInForm(self.request, initial={"username": self.request.POST.get("username", "")})
        context = self.get_context_data(form=form, refusal=sentence)
        headers = {"Retry-After": str(retry_after)}
        return self.render_to_response(context, status=status, headers=headers)
