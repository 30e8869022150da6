"""How many requests a minute a key may make, whichever gateway it asks."""

import logging
import math
import time
from collections.abc import Mapping
from datetime import timedelta

from theseus.contracts.allowances import Allowance
from theseus.gateway.refusals import Refusal
from theseus.stores.ports import RequestStore, StoreDownError

_log = logging.getLogger("theseus.gateway")

WINDOW = timedelta(minutes=1)
MOST_ATTEMPTS = 10
"""Logins to one address, and registrations from one host, within `WINDOW`."""
ASKED_AGAIN = timedelta(seconds=5)
"""A store that is down is left alone so long: each request would wait for it."""


class RequestLimit:
    """Counts the requests of each key.

    Args:
        counts: where they are counted.
        most: requests of one key within `WINDOW`; 0 does not limit them.
    """

    def __init__(self, counts: RequestStore, most: int) -> None:
        self._counts = counts
        self._most = most
        self._is_down = False
        self._asks_at = 0.0

    async def drawn(self, key: str) -> Allowance | None:
        """Counts a request of a key; None where it is not limited, or its requests cannot be counted now."""
        if not key or not self._most or time.monotonic() < self._asks_at:
            return None
        try:
            allowance = await self._counts.admit(key, most=self._most, window=WINDOW)
        except StoreDownError as error:
            self._asks_at = time.monotonic() + ASKED_AGAIN.total_seconds()
            if not self._is_down:
                _log.warning("requests are not limited now: they cannot be counted (%s)", error)
            self._is_down = True
            return None
        if self._is_down:
            _log.info("requests are limited again")
        self._is_down = False
        return allowance


def refused(allowance: Allowance) -> Refusal:
    """What a request too many is told."""
    return Refusal(429, "Rate limit exceeded", {"Retry-After": str(_seconds(allowance))})


def headers_of(allowance: Allowance) -> Mapping[str, str]:
    """What every answer tells of the limit, by both families of names."""
    most, left = str(allowance.most), str(allowance.left)
    return {
        "X-RateLimit-Limit": most,
        "X-RateLimit-Remaining": left,
        "X-RateLimit-Reset": str(math.ceil(time.time()) + _seconds(allowance)),
        "X-RateLimit-Limit-Minute": most,
        "X-RateLimit-Remaining-Minute": left,
    }


def _seconds(allowance: Allowance) -> int:
    return max(1, math.ceil(allowance.next_in.total_seconds()))
