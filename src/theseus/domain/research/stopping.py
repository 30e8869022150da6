"""When a research has found enough, or has to be content: the rules S1 to S8."""

from collections.abc import Sequence
from dataclasses import dataclass

from theseus.contracts.research import FacetRow
from theseus.domain.research.coverage import Gain, open_rows

LEAST_GAIN_PERCENT = 10
LEAST_NEW_DOMAINS = 2
LEAST_NEW_CARDS = 2
MOST_FAILED_ROUNDS = 2
SPENT = "what may be spent on gathering is nearly spent"
"""Why a research stopped whose budget did not let it go on."""
MOST_CALLS = 30
"""No researcher makes more tool calls, whatever its preset."""
MOST_FRUITLESS = 3
"""Turns in a row that bring no evidence."""


@dataclass(frozen=True)
class Standing:
    """Where a research stands between two rounds. `gains` are what each round brought, the last one last."""

    rows: Sequence[FacetRow]
    rounds: int
    most_rounds: int
    gains: Sequence[Gain] = ()
    gather_percent: int = 0
    seconds_left: float = float("inf")
    seconds_needed: float = 0.0
    failed_rounds: int = 0


def why_stop(standing: Standing) -> str:
    """Why no further round is made, in words; empty when one is."""
    if standing.rounds and not open_rows(standing.rows):
        return "all that must be established is"
    if standing.rounds >= standing.most_rounds:
        return f"the most rounds were made ({standing.most_rounds})"
    if standing.gather_percent >= GATHER_STOP_PERCENT:
        return SPENT
    if standing.seconds_left < standing.seconds_needed:
        return "the time left is needed to write the report"
    if standing.failed_rounds >= MOST_FAILED_ROUNDS:
        return f"half or more of the researchers failed in {standing.failed_rounds} rounds"
    last = standing.gains[-1] if standing.gains else None
    # one round alone says nothing about saturation, and one in which many failed says nothing either
    if last is not None and standing.rounds > 1 and not standing.failed_rounds and _is_little(last):
        return f"the last round brought little that is new ({last.cards} findings, {last.domains} websites)"
    return ""


GATHER_STOP_PERCENT = 75
"""Of what may be spent on gathering; from there on nobody is sent out any more."""


def _is_little(gain: Gain) -> bool:
    return gain.percent < LEAST_GAIN_PERCENT or (gain.domains < LEAST_NEW_DOMAINS and gain.cards < LEAST_NEW_CARDS)


class ResearcherWatch:
    """Watches over the tool calls of one researcher, and says what is left.

    Args:
        most: so many calls it may make.
        calls: how many it made before.
        fruitless: how many turns in a row brought no evidence before.
    """

    def __init__(self, most: int, calls: int = 0, fruitless: int = 0) -> None:
        self._most = min(most, MOST_CALLS)
        self._calls = calls
        self._fruitless = fruitless

    @property
    def fruitless(self) -> int:
        """Turns in a row that brought no evidence."""
        return self._fruitless

    @property
    def left(self) -> int:
        """So many calls it may still make."""
        return max(self._most - self._calls, 0)

    def saw(self, calls: int, admitted: int) -> str:
        """Notes a turn's calls and the evidence that they brought; gives why it has to be the last, "" when it need not.

        Calls made side by side count as one turn: a search and the pages that it leads to may go out together.
        """
        self._calls += calls
        self._fruitless = 0 if admitted else self._fruitless + 1
        if self._calls >= self._most:
            return "calls"
        return "fruitless" if self._fruitless > MOST_FRUITLESS else ""

    def line(self, free_tokens: int, free_microusd: int) -> str:
        """What is left, in a line for the model."""
        return (
            f"[Left: {self.left} tool calls, {max(free_tokens, 0):,} tokens, "
            f"{max(free_microusd, 0) / 1e6:.2f} USD. Note evidence as soon as you have it.]"
        )
