"""Detects an agent that goes round in circles."""

import hashlib
import json
from collections import Counter

from theseus.contracts.messages import ToolCall

SAME_CALL_LIMIT = 3


class LoopDetector:
    """Counts calls by tool and arguments; the third same call is one too many."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def is_loop(self, call: ToolCall) -> bool:
        """Counts the call and says whether it is the third of its kind, or a later one."""
        identity = _identity(call)
        self._seen[identity] += 1
        return self._seen[identity] >= SAME_CALL_LIMIT


def _identity(call: ToolCall) -> str:
    try:
        arguments = json.dumps(json.loads(call.arguments or "{}"), sort_keys=True)
    except ValueError:
        arguments = call.arguments
    return hashlib.sha256(f"{call.name}\n{arguments}".encode()).hexdigest()
