"""The one page to sign in at; the administration's leads here too."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from dynosite.accounts import browsers
from dynosite.accounts.attempts import TooManyAttempts
from dynosite.accounts.forms import SignInForm
from dynosite.accounts.hashing import HashingBusy


class SignInView(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except HashingBusy as busy:
            return self._refused(busy.sentence, status=503, retry_after=busy.retry_after)
        except TooManyAttempts as refusal:
            return self._refused(refusal.sentence, status=429, retry_after=refusal.seconds)

    def form_valid(self, form: SignInForm) -> HttpResponse:
        response = super().form_valid(form)
        browsers.remember(self.request, response, form.get_user().username)
        return response

    def _refused(self, sentence: str, *, status: int, retry_after: int) -> HttpResponse:
        """The form with the name that was typed, and why nobody was signed in."""
        form = SignInForm(self.request, initial={"username": self.request.POST.get("username", "")})
        context = self.get_context_data(form=form, refusal=sentence)
        headers = {"Retry-After": str(retry_after)}
        return self.render_to_response(context, status=status, headers=headers)
