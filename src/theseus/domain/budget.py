"""The ledger: what a task may spend, what it has spent, and what one more model call may cost.

A call is admitted for its worst case: all input at full price and every granted output token. A call that is not the
last keeps back enough for one closing call, so that a task which runs out still answers.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from theseus.contracts.errors import BudgetExhausted
from theseus.contracts.events import BudgetFacts
from theseus.contracts.facts import ModelCard
from theseus.contracts.task import Limits, Usage
from theseus.domain.pricing import worst_case_microusd

CLOSING_OUTPUT_TOKENS = 1024
"""Output kept back for the call that answers from what there is."""
LEAST_OUTPUT_TOKENS = 256
"""A working call with less room than this is not worth its input."""
LEAST_CLOSING_TOKENS = 32
THRESHOLD_PERCENT = 80
SYNTHESIS_PERCENT = 15
"""Part of a team's limits that is kept back for putting the results together."""
LEAST_SHARE_TOKENS = 512


@dataclass(frozen=True)
class Grant:
    """Leave to make one call: at most `output_tokens` out, with the worst case set aside until it is settled."""

    output_tokens: int
    tokens: int
    microusd: int


@dataclass(frozen=True)
class Reserve:
    """What the work at hand leaves for what comes after it: so many percent of the wall clock, and of the budget."""

    time: int = 0
    budget: int = 0


def set_aside(limits: Limits) -> Grant:
    """The grant that carves a share out of a ledger: all of it may be spent."""
    return Grant(output_tokens=0, tokens=limits.tokens, microusd=limits.cost_microusd)


@dataclass(frozen=True)
class Ledger:
    """Limits, spending and what calls under way may still cost. Immutable: each change gives a new ledger."""

    limits: Limits
    spent: Usage = field(default_factory=Usage)
    reserved_tokens: int = 0
    reserved_microusd: int = 0

    @property
    def free_tokens(self) -> int:
        """Tokens neither spent nor set aside; negative when a limit was passed."""
        return self.limits.tokens - self.spent.total_tokens - self.reserved_tokens

    @property
    def free_microusd(self) -> int:
        """Money neither spent nor set aside, in millionths of a US dollar; negative when a limit was passed."""
        return self.limits.cost_microusd - self.spent.cost_microusd - self.reserved_microusd

    def free_tokens_on(self, card: ModelCard) -> int:
        """Tokens that may still be used on a model: no more than the money buys, three of four being input."""
        price = (3 * card.input_price + card.output_price) // 4
        return min(self.free_tokens, _affordable(self.free_microusd, price))

    def grant(self, card: ModelCard, input_tokens: int, output_tokens: int, *, closing: bool) -> Grant:
        """Leave for one call of `card`, with as much of the wanted output as fits.

        Raises:
            BudgetExhausted: not even a short answer fits.
        """
        least = min(output_tokens, LEAST_CLOSING_TOKENS if closing else LEAST_OUTPUT_TOKENS)
        fits = min(output_tokens, card.max_output_tokens, self._room(card, input_tokens, closing=closing))
        if fits < least:
            raise BudgetExhausted(
                f"the next model call needs about {input_tokens + least:,} tokens and "
                f"{worst_case_microusd(card, input_tokens, least):,} micro-USD; "
                f"{max(0, self.free_tokens):,} tokens and {max(0, self.free_microusd):,} micro-USD are left of "
                f"limits.tokens={self.limits.tokens:,} and limits.cost_microusd={self.limits.cost_microusd:,}"
            )
        return Grant(fits, input_tokens + fits, worst_case_microusd(card, input_tokens, fits))

    def reserve(self, grant: Grant) -> "Ledger":
        """The ledger with the grant's worst case set aside."""
        return replace(
            self,
            reserved_tokens=self.reserved_tokens + grant.tokens,
            reserved_microusd=self.reserved_microusd + grant.microusd,
        )

    def settle(self, grant: Grant, usage: Usage) -> "Ledger":
        """The ledger with the grant released and what was really used charged."""
        return replace(
            self,
            spent=self.spent + usage,
            reserved_tokens=self.reserved_tokens - grant.tokens,
            reserved_microusd=self.reserved_microusd - grant.microusd,
        )

    def charged(self, usage: Usage) -> "Ledger":
        """The ledger with what was spent without a grant."""
        return replace(self, spent=self.spent + usage)

    def keeping(self, percent: int) -> "Ledger":
        """The ledger of whoever has to leave so much of the limits untouched."""
        return replace(
            self,
            reserved_tokens=self.reserved_tokens + self.limits.tokens * percent // 100,
            reserved_microusd=self.reserved_microusd + self.limits.cost_microusd * percent // 100,
        )

    def share(self, parts: int) -> Limits:
        """An equal part of what is free for one of `parts` agents, after what the synthesis needs is kept back.

        Raises:
            BudgetExhausted: it would be too small for a single call.
        """
        tokens = (self.free_tokens - self.limits.tokens * SYNTHESIS_PERCENT // 100) // max(parts, 1)
        microusd = (self.free_microusd - self.limits.cost_microusd * SYNTHESIS_PERCENT // 100) // max(parts, 1)
        if tokens < LEAST_SHARE_TOKENS or microusd < 1:
            raise BudgetExhausted(
                f"no agent can be started any more: {max(0, self.free_tokens):,} tokens and "
                f"{max(0, self.free_microusd):,} micro-USD are left, of which the synthesis keeps "
                f"{SYNTHESIS_PERCENT} % of the limits"
            )
        return Limits(tokens=tokens, cost_microusd=microusd, wall_clock_seconds=self.limits.wall_clock_seconds)

    def used_percent(self) -> tuple[int, int]:
        """Used share of the tokens and of the money, each in percent."""
        return (
            100 * self.spent.total_tokens // self.limits.tokens,
            100 * self.spent.cost_microusd // self.limits.cost_microusd,
        )

    def crossed(self) -> list[BudgetFacts]:
        """The limits of which more than `THRESHOLD_PERCENT` is used."""
        tokens, cost = self.used_percent()
        rows: tuple[tuple[Literal["tokens", "cost"], int, int, int], ...] = (
            ("tokens", tokens, self.spent.total_tokens, self.limits.tokens),
            ("cost", cost, self.spent.cost_microusd, self.limits.cost_microusd),
        )
        return [
            BudgetFacts(
                usage_percent=percent, threshold_percent=THRESHOLD_PERCENT, budget_type=kind, used=used, budget=most
            )
            for kind, percent, used, most in rows
            if percent >= THRESHOLD_PERCENT
        ]

    def _room(self, card: ModelCard, input_tokens: int, *, closing: bool) -> int:
        if closing:
            return min(
                self.free_tokens - input_tokens,
                _affordable(self.free_microusd - worst_case_microusd(card, input_tokens, 0), card.output_price),
            )
        # the closing call reads this call's input and output again
        tokens = (self.free_tokens - 2 * input_tokens - CLOSING_OUTPUT_TOKENS) // 2
        money = self.free_microusd - worst_case_microusd(card, 2 * input_tokens, CLOSING_OUTPUT_TOKENS)
        return min(tokens, _affordable(money, card.output_price + card.input_price))


def _affordable(microusd: int, price: int) -> int:
    """How many tokens at `price` (micro-USD per million) the money buys; without a price, any number."""
    if microusd < 0:
        return -1
    return 1 << 40 if price == 0 else microusd * 1_000_000 // price
