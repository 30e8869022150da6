"""What of a task's budget goes where: planning, gathering, writing, verifying. Nobody who gathers touches the rest."""

from dataclasses import dataclass

from theseus.contracts.errors import BudgetExhausted
from theseus.contracts.task import Limits, Usage
from theseus.domain.budget import LEAST_SHARE_TOKENS, Ledger

GATHER_PERCENT = 60
"""Planning has 5 of a hundred, writing 20, verifying 15: what is not for gathering is never given to a researcher."""


@dataclass(frozen=True)
class Purse:
    """What may be spent on gathering, what was, and what researchers under way may still spend."""

    limits: Limits
    spent: Usage
    reserved_tokens: int
    reserved_microusd: int

    @staticmethod
    def of(ledger: Ledger, spent: Usage) -> "Purse":
        """The gatherers' part of a task's budget, of which they have spent so much; nobody else is at work now."""
        limits = ledger.limits
        part = {
            "tokens": limits.tokens * GATHER_PERCENT // 100,
            "cost_microusd": limits.cost_microusd * GATHER_PERCENT // 100,
        }
        return Purse(limits.model_copy(update=part), spent, ledger.reserved_tokens, ledger.reserved_microusd)

    @property
    def percent(self) -> int:
        """The used part of the tokens or of the money, whichever is more."""
        return max(
            100 * self.spent.total_tokens // max(self.limits.tokens, 1),
            100 * self.spent.cost_microusd // max(self.limits.cost_microusd, 1),
        )

    def share(self, weight: int, weights: int) -> Limits:
        """The part for a researcher whose question weighs so much among all that still have to be served.

        Raises:
            BudgetExhausted: it would be too small for a single call.
        """
        tokens = (self.limits.tokens - self.spent.total_tokens - self.reserved_tokens) * weight // max(weights, 1)
        money = self.limits.cost_microusd - self.spent.cost_microusd - self.reserved_microusd
        microusd = money * weight // max(weights, 1)
        if tokens < LEAST_SHARE_TOKENS or microusd < 1:
            raise BudgetExhausted(
                f"no researcher can be sent out any more: {GATHER_PERCENT} % of the limits are for gathering, and that is spent"
            )
        return self.limits.model_copy(update={"tokens": tokens, "cost_microusd": microusd})
