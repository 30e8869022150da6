"""Values in the memory of one process that are forgotten some time after their last touch."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
Key = tuple[str, ...]


class Kept(Generic[T]):
    """Values that are forgotten `ttl` after their last touch."""

    def __init__(self, ttl: timedelta) -> None:
        self._ttl = ttl.total_seconds()
        self._values: OrderedDict[Key, tuple[float, T]] = OrderedDict()

    def get(self, key: Key, *, touch: bool = True) -> T | None:
        """The value, its time to live renewed on a touch; None when there is none."""
        self._forget()
        if (kept := self._values.get(key)) is None:
            return None
        if touch:
            self.put(key, kept[1])
        return kept[1]

    def get_or(self, key: Key, make: Callable[[], T]) -> T:
        """The value, made when there is none; its time to live renewed."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value

    def put(self, key: Key, value: T) -> None:
        """Keeps the value from now on."""
        self._values[key] = (time.monotonic() + self._ttl, value)
        self._values.move_to_end(key)

    def clear(self) -> None:
        """Forgets all."""
        self._values.clear()

    def _forget(self) -> None:
        now = time.monotonic()
        while self._values and next(iter(self._values.values()))[0] <= now:
            self._values.popitem(last=False)
