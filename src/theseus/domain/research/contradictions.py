"""Where the evidence contradicts itself: cards of one facet, from different domains, with figures that cannot both be true.

Figures of different times, things, kinds or units, a part and its whole, a range and a value in it, a value and its rounding
can all be true. What is left is worth a further search, and is told in the report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from theseus.contracts.research import Card, Contradiction, FacetRow
from theseus.domain.research.amounts import Amount, amounts
from theseus.domain.research.numbers import folded, without
from theseus.domain.research.times import Time, times
from theseus.domain.research.topics import Topic, meanings, topic
from theseus.domain.research.words import listed, overlap

ALIKE = 0.6
"""Claims that share so much of their words speak of the same thing."""
MOST_CONTRADICTIONS = 12
MOST_CHARS = 2_000
"""So much of a claim is read."""
_STEM = 4
"""Words that begin with so many same letters are of one stem."""
_MEASURED = frozenset(listed("length celsius fahrenheit age points %"))
"""Kinds of which no part is smaller because it is a part."""


def contradictions(
    rows: Iterable[FacetRow], cards: Iterable[Card], most: int = MOST_CONTRADICTIONS
) -> list[Contradiction]:
    """Pairs of cards of one facet, from different domains, that say the same thing with different figures."""
    known = {card.id: (card.source.domain, _Claim(card.claim)) for card in cards}
    found: list[Contradiction] = []
    for row in rows:
        for place, first in enumerate(row.cards):
            for second in row.cards[place + 1 :]:
                (domain, one), (other_domain, other) = known[first], known[second]
                if domain != other_domain and (about := one.against(other)):
                    found.append(
                        Contradiction(question=row.question, facet=row.facet, first=first, second=second, about=about)
                    )
                    if len(found) == most:
                        return found
    return found


class _Claim:
    """A claim, read once for all that it is held against."""

    def __init__(self, claim: str) -> None:
        text = folded(claim[:MOST_CHARS])
        self.times: Sequence[Time] = times(text)
        rest = without(text, ((time.place, time.end) for time in self.times))
        self._amounts = amounts(rest)
        self._rest = without(rest, ((amount.place, amount.end) for amount in self._amounts))

    @cached_property
    def topic(self) -> Topic:
        return topic(self._rest)

    @cached_property
    def figures(self) -> "Sequence[_Figure]":
        return [_Figure(amount, self._time_of(amount), meanings(amount.counted)) for amount in self._amounts]

    def against(self, other: "_Claim") -> str:
        """The figure in which it differs from the other; empty where both may be true."""
        if not (self.figures or self.times) or not (other.figures or other.times) or self.topic.is_other(other.topic):
            return ""
        if overlap(self.topic.words, other.topic.words) < ALIKE:
            return ""
        return self._amount_against(other) or self._time_against(other)

    def _amount_against(self, other: "_Claim") -> str:
        for one in self.figures:
            rivals = [each for each in other.figures if one.is_comparable(each)]
            if any(one.agrees(each) for each in other.figures):
                continue
            if not rivals or any(self._is_part(one, other, each) for each in rivals):
                continue
            if not all(any(mine.agrees(each) for mine in self.figures) for each in rivals):
                return one.amount.text
        return ""

    def _time_against(self, other: "_Claim") -> str:
        """The time in which two claims differ that tell of one event, or that have no other figures."""
        if len(self.times) != 1 or len(other.times) != 1 or self.times[0].may_be(other.times[0]):
            return ""
        is_event = bool(self.topic.aspects.get("event")) and bool(other.topic.aspects.get("event"))
        if not is_event and (self.figures or other.figures):
            return ""
        time = self.times[0]
        return f"{time.first}" if time.first else f"{time.month}-{time.day}"

    def _is_part(self, mine: "_Figure", other: "_Claim", theirs: "_Figure") -> bool:
        """Whether the smaller one may be a part of the larger one."""
        if mine.amount.is_below(theirs.amount):
            return _is_part_of(self, mine, other, theirs)
        return _is_part_of(other, theirs, self, mine)

    def _time_of(self, amount: Amount) -> Time | None:
        """When an amount was so: the time that is nearest to it; when something happened once is no such time."""
        if not self.times or (self.topic.aspects.get("event") and len(self.times) == 1):
            return None
        return min(self.times, key=lambda time: min(abs(time.place - amount.end), abs(time.place - amount.place)))


@dataclass(frozen=True)
class _Figure:
    """An amount with when it was so, and the meanings of the words after it."""

    amount: Amount
    time: Time | None
    counted: set[str]

    def is_comparable(self, other: "_Figure") -> bool:
        """Whether both are amounts of the same kind, of the same time where both have one."""
        if self.amount.kind != other.amount.kind or not self._may_be_then(other):
            return False
        return bool(self.amount.kind) or not self.counted or not other.counted or bool(self.counted & other.counted)

    def agrees(self, other: "_Figure") -> bool:
        """Whether the other may say the same; one that names no unit may have any."""
        kinds = {self.amount.kind, other.amount.kind}
        return (len(kinds) == 1 or "" in kinds) and self._may_be_then(other) and self.amount.may_be(other.amount)

    def _may_be_then(self, other: "_Figure") -> bool:
        return self.time is None or other.time is None or self.time.may_be(other.time)


def _is_part_of(less: _Claim, small: _Figure, more: _Claim, large: _Figure) -> bool:
    if (less.topic.is_part and not more.topic.is_part) or (more.topic.is_total and not less.topic.is_total):
        return True
    if small.amount.kind in _MEASURED:
        return False
    if any(place not in more.topic.names for place in less.topic.places):
        return True
    return _is_narrower(small.amount.counted, large.amount.counted, more.topic)


def _is_narrower(small: Sequence[str], large: Sequence[str], about: Topic) -> bool:
    """Whether more words stand before what both count, which the larger claim has nowhere: primary schools are a part of schools."""
    for place, word in enumerate(small):
        if meanings([word]) & meanings(large[:1]):
            said = {each[:_STEM] for each in about.small}
            return place > 0 and not any(each.lower()[:_STEM] in said for each in small[:place])
    return False
