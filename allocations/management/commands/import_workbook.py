import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from allocations.enums import Door, Role
from allocations.exceptions import DomainError
from allocations.exchange.errors import WorkbookError
from allocations.exchange.importing import LANES, Report, carry_out, preview
from allocations.models import Membership, ProvingGround
from allocations.services.unit_of_work import Actor
from dynosite.accounts.models import User

COMMAND_LINE = "command-line"


class Command(BaseCommand):
    help = "Imports a forecast workbook into a proving ground: all of it, or with --dry-run nothing but the report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the workbook, .xlsx or .xlsm")
        parser.add_argument("--ground", default="NORTH", help="code of the proving ground; made where there is none")
        parser.add_argument("--dry-run", action="store_true", help="say what would come of it and write nothing")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--lanes", type=int, default=LANES, help="lanes of the track, %(default)s by default")
        parser.add_argument("--shift-weeks", type=int, default=0, help="move every day by so many weeks")
        parser.add_argument(
            "--as-new", action="append", default=[], metavar="KEY", help="a doubt's key: it is another"
        )
        parser.add_argument("--actor", help=f"user name that the import is done as; by default '{COMMAND_LINE}'")

    def handle(self, *args, **options) -> None:
        try:
            report = self._run(options)
        except WorkbookError as error:
            raise CommandError(str(error)) from None
        except DomainError as error:
            raise CommandError(error.sentence) from None
        if options["json"]:
            document = report.as_json()
            document["warnings"] += [f"Row {misfit['row']}: {misfit['reason']}" for misfit in document.pop("misfits")]
            document["warnings"] += [_doubt(doubt["sentence"], doubt["key"]) for doubt in document.pop("doubts")]
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(describe(report, dry_run=options["dry_run"])))

    def _run(self, options) -> Report:
        if not -5_000 <= options["shift_weeks"] <= 5_000:
            raise CommandError("--shift-weeks takes from -5000 to 5000 weeks.")
        user = self._user(options["actor"])
        how = {"lanes": options["lanes"], "shift_weeks": options["shift_weeks"], "choices": options["as_new"]}
        ground = ProvingGround.objects.filter(code=options["ground"]).first()
        if options["dry_run"]:
            self._checked_ground(options["ground"], user) if ground is None else None
            return preview(options["file"], ground, actor=Actor(user, Door.IMPORT) if user else None, **how)
        with transaction.atomic():
            if ground is None:
                ground = self._checked_ground(options["ground"], user)
                ground.save()
            actor = Actor(user or self._command_line(ground), Door.IMPORT)
            return carry_out(options["file"], ground, actor=actor, **how)

    @staticmethod
    def _user(name: str | None) -> User | None:
        if name is None:
            return None
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user '{name}' who could do this import.")
        return user

    @staticmethod
    def _checked_ground(code: str, user: User | None) -> ProvingGround:
        if user and not user.is_superuser:
            raise CommandError(f"There is no proving ground '{code}', and only a superuser may make one.")
        ground = ProvingGround(code=code, name=code.replace("_", " ").replace("-", " ").title())
        try:
            ground.full_clean()
        except ValidationError as error:
            problem = " ".join(error.messages)
            raise CommandError(f"'{code}' can't be the code of a proving ground: {problem}") from None
        return ground

    @staticmethod
    def _command_line(ground: ProvingGround) -> User:
        """The account that stands in the history for whoever has the machine; nobody can sign in with it."""
        user, created = User.objects.get_or_create(username=COMMAND_LINE)
        if created:
            user.set_unusable_password()
            user.save()
        Membership.objects.get_or_create(user=user, ground=ground, defaults={"role": Role.ADMIN})
        return user


def describe(report: Report, *, dry_run: bool) -> list[str]:
    """The report for people."""
    lines = [f"{report.summary()}."]
    if report.already_there:
        lines.append(f"{report.already_there} of them were there already and stay as they are.")
    created = ", ".join(f"{n} {kind}" for kind, n in report.made.items() if n) or "nothing"
    lines.append(f"New: {created}.")
    groups = [
        ("Doubts", [_doubt(doubt.sentence, doubt.key) for doubt in report.doubts]),
        ("Refused", [f"row {refusal['row']}: {refusal['reason']}" for refusal in report.refusals]),
        ("Claims that overlap", [_pair(conflict) for conflict in report.conflicts]),
        ("Against days off or travel", [f"row {misfit.row}: {misfit.reason}" for misfit in report.misfits]),
        ("Warnings", report.warnings),
    ]
    for heading, items in groups:
        if items:
            lines += ["", f"{heading} ({len(items)}):", *(f"  {item}" for item in items)]
    if dry_run:
        lines += ["", "This was a dry run: nothing was written."]
    return lines


def _doubt(sentence: str, key: str) -> str:
    return f"{sentence} [--as-new '{key}']" if key else sentence


def _pair(conflict: dict) -> str:
    a, b = conflict["rows"]
    return f"{conflict['kind']} {conflict['name']}: rows {a} and {b}"
