"""A figure with its goal, and a table of them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. Its goal is the most that it may be, or the least where `at_least`; without one it is only told."""

    name: str
    value: float
    goal: float | None = None
    unit: str = ""
    note: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its goal."""
        if self.goal is None:
            return True
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def percent(part: float, whole: float) -> float:
    """A part in percent; all of nothing is all."""
    return 100 * part / whole if whole else 100.0


def table(rows: Sequence[Row]) -> str:
    """The rows as text, one a line."""
    return "\n".join(_line(row) for row in rows)


def _line(row: Row) -> str:
    sign = ">=" if row.at_least else "<="
    goal = "" if row.goal is None else f"{sign} {row.goal:g}"
    mark = "    " if row.goal is None else "ok  " if row.is_met else "MISS"
    return f"{mark} {row.name:<52} {row.value:>10.2f} {row.unit:<4} {goal:<9} {row.note}".rstrip()
