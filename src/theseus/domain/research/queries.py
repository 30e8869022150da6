"""When a search query is one that was asked before, in other words."""

import re
from collections.abc import Iterable

from theseus.domain.research.words import stems_of

NEAR = 0.85

_NUMBER = re.compile(r"\d+")


def similarity(first: str, second: str) -> float:
    """How alike two queries are, 0..1: by their words, whatever their order; other numbers make another query."""
    if sorted(_NUMBER.findall(first)) != sorted(_NUMBER.findall(second)):
        return 0.0
    one, other = _words(first), _words(second)
    if not one or not other:
        return float(one == other)
    return len(one & other) / len(one | other)


def near(query: str, earlier: Iterable[str]) -> str | None:
    """The first of the earlier queries that is near this one."""
    return next((each for each in earlier if similarity(query, each) >= NEAR), None)


def granted(asked: Iterable[tuple[str, str]], call: str) -> str | None:
    """The query that the one of `call` repeats; None where it is new.

    Args:
        asked: names of calls with their queries, in the order in which they came.
        call: the one in question; it is among them.
    """
    new: list[str] = []
    for name, query in asked:
        repeats = near(query, new)
        if name == call:
            return repeats
        if repeats is None:
            new.append(query)
    return None


def _words(query: str) -> frozenset[str]:
    # a query of stop words alone is still one
    return frozenset(stems_of(query)) or frozenset(query.casefold().split())
