from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.http import HttpRequest

from dynosite.accounts import attempts
from dynosite.accounts.hashing import HashingBusyError
from dynosite.accounts.models import User

RIGHTS = [("read", "only read"), ("write", "read and change things")]
CHOICES = [(30, "30 days"), (90, "90 days"), (180, "half a year"), (365, "a year")]


class TokenForm(forms.Form):
    name = forms.CharField(max_length=60, help_text="What the token is for, such as the program that will have it.")
    rights = forms.ChoiceField(
        label="It may",
        choices=RIGHTS,
        help_text="A question to the assistant is a change: it is kept, and may cost.",
    )
    days = forms.TypedChoiceField(label="Lives for", choices=CHOICES, coerce=int, initial=90)


class ProfileForm(forms.ModelForm):
    """Names are an administrator's to change: the history of bookings shows them."""

    class Meta:
        model = User
        fields = ["email", "mail_notices"]
        labels = {"email": "Mail address", "mail_notices": "Mail me when others change my bookings"}
        help_texts = {"email": "Where notices go.", "mail_notices": ""}


class SignInForm(AuthenticationForm):
    """A name that is too long is refused here: Django tells only the browser, and no count could hold it.

    Whoever is refused by the limits or finds no place to hash is told by the page: these two errors go past the form.
    """

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "This name and password do not go together. Upper and lower case matter.",
    }

    request: HttpRequest
    """Attempts are counted by where they come from, so the page gives one."""
    username = UsernameField(
        max_length=User._meta.get_field("username").max_length, widget=forms.TextInput({"autofocus": True})
    )

    def clean(self) -> dict:
        """Raises TooManyAttemptsError and HashingBusyError besides the form's own errors."""
        name = self.cleaned_data.get("username")
        if name is None or not self.cleaned_data.get("password"):
            return super().clean()
        attempt = attempts.begin(self.request, name)
        try:
            cleaned = super().clean()
        except HashingBusyError:
            attempt.not_tried()
            raise
        except forms.ValidationError:
            attempts.note_failure(self.request, name)
            raise
        attempt.succeeded()
        return cleaned
