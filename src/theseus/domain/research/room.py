"""What of a research's findings goes into its result: as much as can be recorded in one piece, and how much was left out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

MOST_BYTES = 1_000_000
"""Of text and findings together: what is larger than two megabytes Temporal keeps nothing of."""


@dataclass
class Room:
    """What is left for a result's findings beside its text, in bytes; `left_out` counts what had no room, by its name."""

    text: str
    left_out: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self._left = MOST_BYTES - len(self.text.encode())

    def take(self, name: str, items: Sequence[JsonValue], share: float = 1.0) -> list[JsonValue]:
        """The first of the items, as many as fit into this share of what is left."""
        left = self._left * share
        kept: list[JsonValue] = []
        for item in items:
            left -= size_of(item)
            if left < 0:
                self.left_out[name] = len(items) - len(kept)
                break
            kept.append(item)
        self._left -= sum(map(size_of, kept))
        return kept


def size_of(value: JsonValue) -> int:
    """The size of a value as it is recorded, in bytes."""
    return len(json.dumps(value, ensure_ascii=False).encode()) + 1
