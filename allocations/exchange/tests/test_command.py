import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from allocations.exchange.tests.test_sample import EXPECTED, SAMPLE
from allocations.models import Allocation, Dyno, ProvingGround
from dynosite.accounts.models import User

pytestmark = pytest.mark.django_db
NAMES = ["rows", "booked", "waiting", "cancelled", "refused", "already_there", "conflicts", "refusals", "warnings"]


def run(*args) -> str:
    out = StringIO()
    call_command("import_workbook", SAMPLE, *args, stdout=out)
    return out.getvalue()


def test_json_is_exactly_the_report():
    report = json.loads(run("--json"))
    assert list(report) == NAMES
    assert report["booked"] + report["waiting"] + report["cancelled"] + report["refused"] == report["rows"] == 302
    assert [[c["kind"], c["name"], *c["rows"]] for c in report["conflicts"]] == EXPECTED["overlaps"]
    assert [refusal["row"] for refusal in report["refusals"]] == [46, 47, 48, 49, 50]
    assert report["already_there"] == 0
    again = json.loads(run("--json"))
    assert again["already_there"] == 297
    assert {n: again[n] for n in NAMES[:5]} == {n: report[n] for n in NAMES[:5]}


def test_the_ground_is_made_where_there_is_none():
    run()
    run("--ground", "EAST", "--lanes", "3")
    grounds = {code: Dyno.objects.filter(ground__code=code).count() for code in ("NORTH", "EAST")}
    assert grounds == {"NORTH": 28, "EAST": 19}
    assert Allocation.objects.filter(created_by__username="command-line").exists()
    assert not User.objects.get(username="command-line").has_usable_password()


def test_a_dry_run_writes_nothing_and_says_the_same():
    rehearsed = json.loads(run("--dry-run", "--json"))
    assert not ProvingGround.objects.exists()
    assert not User.objects.filter(username="command-line").exists()
    assert rehearsed == json.loads(run("--json"))


def test_people_get_words():
    output = run("--dry-run")
    assert output.startswith("Workbook of 302 rows: 216 booked, 73 waiting, 8 cancelled, 5 refused.")
    assert "  row 50: Unknown dyno: '99' at the facility 'NPG'" in output
    assert "  dyno ELK #2: rows 13 and 87" in output
    assert output.rstrip().endswith("This was a dry run: nothing was written.")


def test_the_import_is_done_as_the_actor():
    User.objects.create(username="boss", is_superuser=True)
    run("--actor", "boss")
    assert set(Allocation.objects.values_list("created_by__username", flat=True)) == {"boss"}


def test_days_are_shifted_by_whole_weeks():
    run("--shift-weeks", "-2")
    assert str(Allocation.objects.order_by("first_day").first().first_day) == "2026-06-05"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["gone.xlsx"], "There is no file 'gone.xlsx'."),
        ([__file__], "The file is not an Excel workbook; .xlsx and .xlsm can be imported."),
        ([SAMPLE, "--ground", "no such"], "'no such' can't be the code of a proving ground"),
        ([SAMPLE, "--ground", ""], "can't be the code of a proving ground"),
        ([SAMPLE, "--actor", "nobody"], "There is no user 'nobody' who could do this import."),
        ([SAMPLE, "--actor", "plain"], "There is no proving ground 'NORTH', and only a superuser may make one."),
        ([SAMPLE, "--ground", "SOUTH", "--actor", "plain"], "There is no such thing here."),
        ([SAMPLE, "--lanes", "0"], "The number of lanes must be from 1 to 200."),
    ],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_what_is_wrong_is_one_sentence(args, sentence, more):
    User.objects.create(username="plain")
    ProvingGround.objects.create(code="SOUTH", name="South")
    with pytest.raises(CommandError) as caught:
        call_command("import_workbook", *args, *more, stdout=StringIO())
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not ProvingGround.objects.filter(code="NORTH").exists()
    assert not Allocation.objects.exists()
