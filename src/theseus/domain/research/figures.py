"""Numbers, dates and units in prose, as values: what a sentence claims and what a quote shows are compared by them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from theseus.domain.research.dates import Date, dates
from theseus.domain.research.languages import language_by, words_in
from theseus.domain.research.numbers import Written, folded, lowered, numbers, without
from theseus.domain.research.reckoning import Operands
from theseus.domain.research.units import COUNT, Unit

MOST_OPERANDS = 20
"""So many numbers of what is shown are reckoned with."""


@dataclass(frozen=True)
class Day:
    """A date; None is a part that is not said."""

    year: int | None
    month: int | None
    day: int | None

    def shows(self, other: "Day") -> bool:
        """Whether this date says at least what the other says, and the same."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(wanted is None or wanted == given for given, wanted in pairs)

    @property
    def is_year(self) -> bool:
        """Whether it says no more than a year."""
        return self.month is None and self.day is None


@dataclass(frozen=True)
class Number:
    """A number as it stands in a text. `ways` are its values with their units: more than one where it can be read in two ways."""

    text: str
    ways: tuple[tuple[Decimal, Unit], ...]

    @property
    def values(self) -> Iterator[Decimal]:
        """Its values, whatever their unit."""
        return (value for value, _ in self.ways)


@dataclass(frozen=True)
class Figures:
    """All figures of a text. A date that can be read in two ways has two days."""

    numbers: tuple[Number, ...]
    days: tuple[tuple[str, tuple[Day, ...]], ...]
    language: str = ""
    """That of the text, by which they were read (languages.py)."""

    @cached_property
    def values(self) -> frozenset[Decimal]:
        """Each value that it shows, years of dates among them."""
        return frozenset(value for number in self.numbers for value in number.values) | self._years

    @cached_property
    def counts(self) -> frozenset[Decimal]:
        """Those that have no unit."""
        return frozenset(value for number in self.numbers for value, unit in number.ways if not unit.kind) | self._years

    @cached_property
    def measures(self) -> frozenset[tuple[str, Decimal]]:
        """Those that have one, in the basic unit of their kind."""
        return frozenset(
            (unit.kind, value * unit.size) for number in self.numbers for value, unit in number.ways if unit.kind
        )

    @cached_property
    def _years(self) -> frozenset[Decimal]:
        return frozenset(Decimal(day.year) for _, ways in self.days for day in ways if day.year is not None)

    def show(self, number: Number) -> bool:
        """Whether it shows this number, in the same unit where both name one."""
        return any(
            value in self.counts or (unit.kind, value * unit.size) in self.measures
            if unit.kind
            else value in self.values
            for value, unit in number.ways
        )


def figures(text: str, language: str = "") -> Figures:
    """The numbers and dates that a text says, in order; its language is what it seems to be in, where none is given."""
    shown = folded(text)
    small = lowered(shown)
    words = words_in(small)
    found = dates(small, words)
    left = without(small, ((date.start, date.end) for date in found)) if found else small
    language = language or language_by(words, small)
    return Figures(
        tuple(_number(shown, each) for each in numbers(left, words, language)),
        tuple((shown[date.start : date.end], _days(date)) for date in found),
        language,
    )


def not_shown(claimed: Figures, shown: Sequence[Figures], *, derives: bool = False) -> list[str]:
    """The figures of a claim that none of the shown texts has; with `derives` also not by reckoning with two of theirs."""
    return list(missing(claimed, shown, derives=derives))


def missing(claimed: Figures, shown: Sequence[Figures], *, derives: bool = False) -> Iterator[str]:
    """What `not_shown` gives, one by one, for whom the first is enough."""
    made: Operands | None = None
    for number in claimed.numbers:
        if any(each.show(number) for each in shown):
            continue
        if derives and made is None:
            operands = [operand for each in shown for operand in each.numbers][:MOST_OPERANDS]
            made = Operands([value for operand in operands for value in operand.values])
        if made is None or not made.make(tuple(number.values)):
            yield number.text.strip()
    yield from (text for text, ways in claimed.days if not _day_is_shown(ways, shown))


def _day_is_shown(ways: Sequence[Day], shown: Sequence[Figures]) -> bool:
    return any(
        other.shows(day) for each in shown for _, others in each.days for other in others for day in ways
    ) or any(day.is_year and Decimal(day.year or 0) in each.counts for each in shown for day in ways)


def _number(text: str, written: Written) -> Number:
    scale, unit = written.scale, written.unit
    ways = [(value if scale is None else value * scale, unit) for value in written.readings]
    if written.other_scale is not None:
        ways += [(value * written.other_scale, COUNT) for value in written.readings]
    if written.is_negative:
        ways += [(-value, unit) for value, unit in ways]
    return Number(text[written.start : written.end], tuple(ways))


def _days(date: Date) -> tuple[Day, ...]:
    year, month, day = date.year or None, date.month or None, date.day or None
    return (Day(year, month, day), Day(year, day, month)) if date.turns else (Day(year, month, day),)
