"""Quotas as buckets: how fast they fill, how much they hold, what a call draws from them."""

from collections.abc import Mapping

from theseus.contracts.rates import Draw, Load, RateLimits

USED_PART = 0.95
"""Of a quota; the rest is for the moments that requests lose or win on their way."""
TOKEN_BURST_SECONDS = 15.0
"""Tokens of so many seconds may go at once after a silence."""
REQUEST_BURST = 1.0
"""Requests go one by one: a limit of 60 a minute is often held as one a second."""


def draws(limits: Mapping[str, RateLimits], load: Load) -> list[Draw]:
    """What a call of this load draws, by the limits of each scope ("" is the whole provider, else a model)."""
    found: list[Draw] = []
    for scope, limit in limits.items():
        for kind, allowed in _limits_of(limit).items():
            per_second = allowed * USED_PART / 60
            burst = REQUEST_BURST if kind == "requests" else max(1.0, per_second * TOKEN_BURST_SECONDS)
            amount = getattr(load, kind)
            found.append(Draw(bucket=f"{scope}/{kind}", per_second=per_second, burst=burst, amount=amount))
    return found


def unused(drawn: list[Draw], load: Load) -> dict[str, float]:
    """What is left of the draws by a call that used this load, by bucket; below 0 where it used more than it drew."""
    left = {draw.bucket: draw.amount - getattr(load, draw.bucket.rpartition("/")[2]) for draw in drawn}
    return {bucket: amount for bucket, amount in left.items() if amount}


def counts_tokens(limits: Mapping[str, RateLimits]) -> bool:
    """Whether any of the limits is one of tokens."""
    return any(limit.input_tokens_per_minute or limit.output_tokens_per_minute for limit in limits.values())


def _limits_of(limit: RateLimits) -> dict[str, int]:
    named = {
        "requests": limit.requests_per_minute,
        "input_tokens": limit.input_tokens_per_minute,
        "output_tokens": limit.output_tokens_per_minute,
    }
    return {kind: allowed for kind, allowed in named.items() if allowed is not None}
