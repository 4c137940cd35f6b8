"""What a benchmark found: rows to read, ratios to hold on to."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


class UnmeasurableError(Exception):
    """What is missing on this machine, in a sentence."""


@dataclass
class Report:
    """`ratios` do not hang on the machine, the rows do; `failures` are what must not be and was."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def json(self) -> str:
        return json.dumps(asdict(self), indent=2, default=str)

    def text(self) -> str:
        """A table, the ratios and the notes."""
        lines = [*_table(self.rows), ""]
        width = max((len(name) for name in self.ratios), default=0)
        lines += [f"{name.ljust(width)}  {ratio:8.2f}" for name, ratio in self.ratios.items()]
        lines += ["", *self.notes] if self.notes else []
        return "\n".join([*lines, *(f"FAILED: {failure}" for failure in self.failures)])


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(names))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def _cell(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def milliseconds(seconds: Sequence[float], percent: int) -> float:
    """A percentile of durations, in milliseconds."""
    if len(seconds) < 2:
        return 1000 * seconds[0] if seconds else float("nan")
    return 1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]
