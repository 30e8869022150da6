"""What model calls cost: integer arithmetic over a card's prices, in millionths of a US dollar."""

from theseus.contracts.facts import ModelCard
from theseus.contracts.task import Usage

_PRICE_UNIT_TOKENS = 1_000_000


def cost_microusd(card: ModelCard, usage: Usage) -> int:
    """Cost of a call in micro-USD, half a micro-USD rounded up.

    Cached and cache-writing tokens are parts of the input: each is charged at its own price, the rest at the input
    price. A provider that reports more of them than there was input is believed in the parts, and the rest is none.
    """
    cached = max(0, usage.cached_tokens)
    written = max(0, usage.cache_write_tokens)
    plain = max(0, usage.input_tokens - cached - written)
    return _rounded(
        plain * card.input_price
        + cached * card.cached_price
        + written * card.cache_write_price
        + max(0, usage.output_tokens) * card.output_price
    )


def worst_case_microusd(card: ModelCard, input_tokens: int, output_tokens: int) -> int:
    """The most that a call of this size can cost, in micro-USD, rounded up: the whole input at its dearest price."""
    dearest = max(card.input_price, card.cached_price, card.cache_write_price)
    price_sum = max(0, input_tokens) * dearest + max(0, output_tokens) * card.output_price
    return -(-price_sum // _PRICE_UNIT_TOKENS)


def _rounded(price_sum: int) -> int:
    return (price_sum + _PRICE_UNIT_TOKENS // 2) // _PRICE_UNIT_TOKENS
