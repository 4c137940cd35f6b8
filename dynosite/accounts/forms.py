from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField

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


class SignInForm(AuthenticationForm):
    """A name that is too long is refused here: Django tells only the browser, and the guard could not keep it."""

    username = UsernameField(
        max_length=User._meta.get_field("username").max_length, widget=forms.TextInput({"autofocus": True})
    )
