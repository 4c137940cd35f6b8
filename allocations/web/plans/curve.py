"""The falling curve of a search as SVG made on the server: best so far above, proven bound below."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 140


@dataclass(frozen=True, slots=True)
class Curve:
    """Paths in a box of WIDTH × HEIGHT, and the figures at their ends."""

    best: str
    bound: str
    seconds: float
    highest: int
    last_best: int
    last_bound: int

    @property
    def sentence(self) -> str:
        """What the picture shows, for who does not see it."""
        fall = f"Lateness from {self.highest} at first to {self.last_best} after {self.seconds:.1f} seconds"
        return f"{fall}; it cannot be below {self.last_bound}."


def curve_of(points: Sequence[tuple[float, int, int]]) -> Curve | None:
    """`points` are seconds, objective and bound, in the order of time."""
    if not points:
        return None
    seconds = max(points[-1][0], 0.1)
    highest = max(max(best for _, best, _ in points), 1)
    return Curve(
        _steps([(at, best) for at, best, _ in points], seconds, highest),
        _steps([(at, bound) for at, _, bound in points], seconds, highest),
        seconds,
        highest,
        points[-1][1],
        points[-1][2],
    )


def _steps(values: Sequence[tuple[float, int]], seconds: float, highest: int) -> str:
    places = [(round(at / seconds * WIDTH, 1), round(HEIGHT - value / highest * HEIGHT, 1)) for at, value in values]
    path = f"M0 {places[0][1]}"
    for x, y in places:
        path += f"H{x}V{y}"
    return f"{path}H{WIDTH}"
