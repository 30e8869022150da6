"""Requests of callers, in the memory of one process."""

import time
from collections import deque
from datetime import timedelta

from theseus.contracts.allowances import Allowance


class MemoryRequests:
    """Requests, forgotten when they leave their window."""

    def __init__(self) -> None:
        self._leave: dict[str, deque[float]] = {}

    async def admit(self, key: str, *, most: int, window: timedelta) -> Allowance:
        """See `RequestStore.admit`."""
        now = time.monotonic()
        self._leave = {name: kept for name, kept in self._leave.items() if kept[-1] > now}
        leave = self._leave.get(key) or deque[float]()
        while leave and leave[0] <= now:
            leave.popleft()
        is_admitted = len(leave) < most
        if is_admitted:
            leave.append(now + window.total_seconds())
            self._leave[key] = leave
        wait = leave[max(0, len(leave) - most)] - now
        return Allowance(
            is_admitted=is_admitted, most=most, left=max(0, most - len(leave)), next_in=timedelta(seconds=wait)
        )
