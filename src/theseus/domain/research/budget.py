"""What of a task's budget and time goes where: planning, gathering, writing, verifying. Nobody who gathers touches the rest."""

from dataclasses import dataclass

from theseus.contracts.errors import BudgetExhausted
from theseus.contracts.task import Limits, Usage
from theseus.domain.budget import LEAST_SHARE_TOKENS, Ledger, Reserve

GATHER_PERCENT = 60
"""Planning has 5 of a hundred, writing 20, verifying 15: what is not for gathering is never given to a researcher."""
WRITE_PERCENT = 20
RESERVED_PERCENT = 35
"""For writing and verifying: neither those who plan nor those who gather touch it."""

SCOPING = Reserve(time=75, budget=RESERVED_PERCENT)
PLANNING = Reserve(time=50, budget=RESERVED_PERCENT)
GATHERING = Reserve(time=25, budget=RESERVED_PERCENT)
OUTLINING = Reserve(time=17, budget=WRITE_PERCENT)
WRITING = Reserve(time=8)
VERIFYING = Reserve()


@dataclass(frozen=True)
class Purse:
    """What may be spent on gathering, and what of it is left; researchers under way have had their shares."""

    limits: Limits
    left_tokens: int
    left_microusd: int

    @staticmethod
    def of(ledger: Ledger, spent: Usage) -> "Purse":
        """The gatherers' part of a task's budget, of which they have spent so much.

        Where planning took more than its part, gathering has less: the reserve stays.
        """
        limits = ledger.limits
        tokens = limits.tokens * GATHER_PERCENT // 100
        microusd = limits.cost_microusd * GATHER_PERCENT // 100
        free = ledger.keeping(RESERVED_PERCENT)
        return Purse(
            limits.model_copy(update={"tokens": tokens, "cost_microusd": microusd}),
            min(tokens - spent.total_tokens - ledger.reserved_tokens, free.free_tokens),
            min(microusd - spent.cost_microusd - ledger.reserved_microusd, free.free_microusd),
        )

    @property
    def percent(self) -> int:
        """How much is gone of the tokens or of the money, whichever is more."""
        return max(
            100 - 100 * max(self.left_tokens, 0) // max(self.limits.tokens, 1),
            100 - 100 * max(self.left_microusd, 0) // max(self.limits.cost_microusd, 1),
        )

    def share(self, weight: int, weights: int) -> Limits:
        """The part for a researcher whose question weighs so much among all that still have to be served.

        Raises:
            BudgetExhausted: it would be too small for a single call.
        """
        tokens = self.left_tokens * weight // max(weights, 1)
        microusd = self.left_microusd * weight // max(weights, 1)
        if tokens < LEAST_SHARE_TOKENS or microusd < 1:
            raise BudgetExhausted(
                f"no researcher can be sent out any more: {GATHER_PERCENT} % of the limits are for gathering, and that is spent"
            )
        return self.limits.model_copy(update={"tokens": tokens, "cost_microusd": microusd})
