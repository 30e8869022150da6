"""Detects an agent that goes round in circles."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable

from theseus.contracts.messages import ToolCall

SAME_CALL_LIMIT = 3


class LoopDetector:
    """Counts calls by tool and arguments; the third same call is one too many.

    A call on something that changes under it, as a browser does, is the same only when it saw the same.
    """

    def __init__(self, seen: Iterable[str] = ()) -> None:
        """`seen` are the identities of calls that were made before, as `seen` gives them."""
        self._seen: Counter[str] = Counter(seen)

    @property
    def seen(self) -> list[str]:
        """The identities of all calls so far, as often as they were made."""
        return list(self._seen.elements())

    def is_loop(self, call: ToolCall, saw: str = "") -> bool:
        """Counts the call, and what it saw if that makes a difference; says whether it is the third of its kind, or later."""
        identity = _identity(call, saw)
        self._seen[identity] += 1
        return self._seen[identity] >= SAME_CALL_LIMIT


def _identity(call: ToolCall, saw: str) -> str:
    try:
        arguments = json.dumps(json.loads(call.arguments or "{}"), sort_keys=True)
    except ValueError:
        arguments = call.arguments
    return hashlib.sha256("\n".join([call.name, arguments, *([saw] if saw else [])]).encode()).hexdigest()
