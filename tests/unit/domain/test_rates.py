"""What a call draws follows from the limits alone, and together the draws never pass the quota."""

import pytest

from theseus.contracts.rates import Load, RateLimits
from theseus.domain.rates import counts_tokens, draws, unused

LOAD = Load(requests=1, input_tokens=1000, output_tokens=200)


def test_only_what_is_limited_is_drawn_for_the_provider_and_for_the_model():
    limits = {"": RateLimits(requests_per_minute=60), "m": RateLimits(output_tokens_per_minute=6000)}
    assert [(draw.bucket, draw.amount) for draw in draws(limits, LOAD)] == [
        ("/requests", 1),
        ("m/output_tokens", 200),
    ]
    assert draws({"": RateLimits()}, LOAD) == []
    assert counts_tokens(limits) and not counts_tokens({"": RateLimits(requests_per_minute=1)})


@pytest.mark.parametrize("per_minute", [1, 60, 10_000])
def test_at_least_nine_tenths_of_a_quota_are_used_and_no_minute_has_more_requests_than_it(per_minute: int):
    (draw,) = draws({"": RateLimits(requests_per_minute=per_minute)}, LOAD)
    assert draw.per_second * 60 / per_minute >= 0.9
    assert draw.per_second * 60 + draw.burst <= max(per_minute + 1, per_minute * 0.99)


def test_what_was_not_used_comes_back_and_what_was_used_beyond_the_draw_is_owed():
    limits = {"m": RateLimits(requests_per_minute=60, input_tokens_per_minute=100, output_tokens_per_minute=100)}
    used = Load(requests=1, input_tokens=1100, output_tokens=50)
    assert unused(draws(limits, LOAD), used) == {"m/input_tokens": -100, "m/output_tokens": 150}
