"""A workbook to bring in."""

from django import forms

from allocations.exchange.errors import WorkbookError
from allocations.exchange.importing import LANES
from allocations.exchange.pasting import MAX_PASTE_LENGTH
from allocations.exchange.uploads import SUFFIXES, check_file


def lanes_field() -> forms.IntegerField:
    return forms.IntegerField(
        min_value=1,
        max_value=99,
        initial=LANES,
        label="Track lanes",
        help_text="How many vehicles may be on the track at once, where the workbook says Track",
    )


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Workbook",
        help_text="Excel, .xlsx or .xlsm, up to 20 MB. It is checked first; nothing is written before you confirm.",
        widget=forms.FileInput({"accept": ",".join(SUFFIXES)}),
    )
    lanes = lanes_field()

    def clean_file(self):
        file = self.cleaned_data["file"]
        try:
            check_file(file)
        except WorkbookError as error:
            raise forms.ValidationError(str(error)) from error
        return file


class PasteForm(forms.Form):
    rows = forms.CharField(
        label="Rows",
        max_length=MAX_PASTE_LENGTH,
        strip=False,
        help_text="With the heading row of the forecast sheet. They are checked first; nothing is written before you "
        "confirm.",
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "wrap": "off"}),
    )
    lanes = lanes_field()
    prefix = "paste"
