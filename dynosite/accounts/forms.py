from django import forms

CHOICES = [(30, "30 days"), (90, "90 days"), (180, "half a year"), (365, "a year")]


class TokenForm(forms.Form):
    name = forms.CharField(max_length=60, help_text="What the token is for, such as the program that will have it.")
    days = forms.TypedChoiceField(label="Lives for", choices=CHOICES, coerce=int, initial=90)
