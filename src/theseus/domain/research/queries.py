"""When a search query is one that was asked before, in other words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from theseus.domain.research.words import stems_of

NEAR = 0.85

_NUMBER = re.compile(r"\d+")


def similarity(first: str, second: str) -> float:
    """How alike two queries are, 0..1: by their words, whatever their order; other numbers make another query."""
    return _likeness(_Sense.of(first), _Sense.of(second))


def near(query: str, earlier: Iterable[str]) -> str | None:
    """The first of the earlier queries that is near this one."""
    return _repeated(_Sense.of(query), ((each, _Sense.of(each)) for each in earlier))


def granted(asked: Iterable[tuple[str, str]], call: str) -> str | None:
    """The query that the one of `call` repeats; None where it is new.

    Args:
        asked: names of calls with their queries, in the order in which they came.
        call: the one in question; it is among them.
    """
    new: list[tuple[str, _Sense]] = []
    for name, query in asked:
        sense = _Sense.of(query)
        repeats = _repeated(sense, new)
        if name == call:
            return repeats
        if repeats is None:
            new.append((query, sense))
    return None


@dataclass(frozen=True)
class _Sense:
    words: frozenset[str]
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, query: str) -> "_Sense":
        # a query of stop words alone is still one
        words = frozenset(stems_of(query)) or frozenset(query.casefold().split())
        return cls(words, tuple(sorted(_NUMBER.findall(query))))


def _likeness(one: _Sense, other: _Sense) -> float:
    if one.numbers != other.numbers:
        return 0.0
    if not one.words or not other.words:
        return float(one.words == other.words)
    return len(one.words & other.words) / len(one.words | other.words)


def _repeated(sense: _Sense, earlier: Iterable[tuple[str, _Sense]]) -> str | None:
    return next((query for query, known in earlier if _likeness(sense, known) >= NEAR), None)
