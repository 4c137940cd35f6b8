"""A workbook to bring in."""

from django import forms

from allocations.exchange.errors import WorkbookError
from allocations.exchange.importing import LANES
from allocations.exchange.uploads import SUFFIXES, check_file


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Workbook",
        help_text="Excel, .xlsx or .xlsm, up to 20 MB. It is checked first; nothing is written before you confirm.",
        widget=forms.FileInput({"accept": ",".join(SUFFIXES)}),
    )
    lanes = forms.IntegerField(
        min_value=1, max_value=99, initial=LANES, label="Track lanes",
        help_text="How many vehicles may be on the track at once, where the workbook says Track",
    )  # fmt: skip

    def clean_file(self):
        file = self.cleaned_data["file"]
        try:
            check_file(file)
        except WorkbookError as error:
            raise forms.ValidationError(str(error)) from error
        return file
