"""Past maintenance: what was down, for how long, and why."""

from zoneinfo import ZoneInfo

from allocations.selectors import reports
from assistant.tools import lookup, rows
from assistant.tools.args import MaybeDyno, Period
from assistant.tools.caller import Caller
from assistant.tools.declaring import Result, reads
from assistant.tools.phrases import days, link
from assistant.tools.read import MAX_LISTED, days_of
from dynosite.lib.formats import count


class MaintenanceHistory(Period):
    dyno: MaybeDyno = None


def in_sentences(data: Result) -> str:
    """Puts the result of `list_maintenance_history` into sentences."""
    where = f" of {data['dyno']['dyno']}" if data.get("dyno") else ""
    if not data["windows"]:
        return f"There is no maintenance{where} on record."
    lines = [f"{count(data['count'], 'maintenance window')}{where}, the latest first:"]
    for row in data["windows"]:
        reason = f", {row['reason']}" if row["reason"] else ""
        lifted = f"; lifted on {row['lifted_on']}" if row["lifted_on"] else ""
        lines.append(f"- {link(row['dyno'], row['url'])}: {days(row)} ({row['kind']}{reason}){lifted}")
    more = data["count"] - len(data["windows"])
    return "\n".join(lines + ([f"… and {more} more."] if more > 0 else []))


@reads(
    MaintenanceHistory,
    "Maintenance windows that have begun or are over, the latest first, lifted ones too; of all dynos or of one, and"
    " on the days given.",
    labels=("Looked at past maintenance", "Looking at past maintenance"),
    counted=("count", "window"),
    phrase=in_sentences,
)
def list_maintenance_history(caller: Caller, args: MaintenanceHistory) -> Result:
    """Returns `windows` that have begun, latest first, with the day that each was lifted on, and their `count`."""
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else None
    span = days_of(args.start_date, args.end_date)
    zone = ZoneInfo(caller.ground.time_zone)
    windows = reports.maintenance_history(caller.ground, user=caller.user, days=span, dyno=dyno)
    return {
        "dyno": dyno and rows.dyno(dyno),
        "days": span and rows.span(span),
        "windows": [
            rows.window(row) | {"lifted_on": row.lifted_at and row.lifted_at.astimezone(zone).date()}
            for row in windows[:MAX_LISTED]
        ],
        "count": windows.count(),
    }
