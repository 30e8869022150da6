"""Whether a number follows from others: what a sentence derives is shown where its operands are."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from math import inf, log10

_ROUNDING = Decimal("0.006")
"""How far a derived value may be from the exact one, as a part of it: two figures of a percentage."""
_SLACK = 1e-14
_SLACK_LOG = 1e-9
"""Pairs are looked for in floats, a little too widely, and what is found is reckoned exactly."""
_LEAST_LOG, _MOST_LOG = log10(1 - float(_ROUNDING)), log10(1 + float(_ROUNDING))
_LEAST_FLOAT = 1e-290
"""Smaller ones are less exact."""
_FAR = 3
"""No two numbers add up to one that has so many digits more."""

_Pairs = Iterator[tuple[int, int]]


class Operands:
    """Numbers that others may follow from: each reading of each number that a text shows.

    Sorted, so that the pairs that may make a value are found without trying all of them.
    """

    def __init__(self, values: Sequence[Decimal]) -> None:
        self._values = sorted(values)
        self._digits = max((value.adjusted() for value in values if value), default=0)
        self._sizes = [self._size(value) for value in self._values]
        self._minus = [-size for size in reversed(self._sizes)]
        logs = sorted((self._log(place), place) for place in range(len(self._values)))
        self._logs = [log for log, _ in logs]
        self._places = [place for _, place in logs]
        self._zeros = self._logs.count(-inf)

    def make(self, claimed: Collection[Decimal]) -> bool:
        """Whether a reading is the sum, difference, mean, ratio (in percent, too) or change in percent of two of them."""
        return any(
            first != second and self._is_made(self._values[first], self._values[second], wanted)
            for wanted in claimed
            for first, second in self._candidates(wanted)
        )

    @staticmethod
    def _is_made(first: Decimal, second: Decimal, wanted: Decimal) -> bool:
        made = [first + second, first - second, (first + second) / 2]
        if second:
            made += [first / second, first / second * 100, (first - second) / second * 100]
        return any(abs(value - wanted) <= abs(wanted) * _ROUNDING and (value or not wanted) for value in made)

    def _candidates(self, wanted: Decimal) -> _Pairs:
        """Places of first and second; all pairs that make the value are among them."""
        if not wanted or wanted.adjusted() <= self._digits + _FAR:
            size = self._size(wanted)
            room = abs(size) * (float(_ROUNDING) + _SLACK) + 100 * _SLACK
            last = len(self._sizes) - 1
            yield from _apart(self._sizes, self._sizes, size - room, size + room)
            for times in (1, 2):
                for first, second in _apart(self._sizes, self._minus, times * (size - room), times * (size + room)):
                    yield first, last - second
        for low, high in self._log_spans(wanted):
            for first, second in _apart(self._logs, self._logs[self._zeros :], low - _SLACK_LOG, high + _SLACK_LOG):
                yield self._places[first], self._places[second + self._zeros]

    def _log_spans(self, wanted: Decimal) -> Iterator[tuple[float, float]]:
        """Between which logarithms first and second are apart where they make a ratio, one in percent, or a change."""
        log = _log(wanted)
        yield log + _LEAST_LOG, log + _MOST_LOG
        yield log + _LEAST_LOG - 2, log + _MOST_LOG - 2
        room = abs(wanted) * _ROUNDING
        low, high = 1 + (wanted - room) / 100, 1 + (wanted + room) / 100
        least, most = sorted((_log(low), _log(high)))
        yield (least if low > 0 or high < 0 else -inf), most

    def _log(self, place: int) -> float:
        size = abs(self._sizes[place])
        return log10(size) + self._digits if size > _LEAST_FLOAT else _log(self._values[place])

    def _size(self, value: Decimal) -> float:
        """As a part of the largest operand's size, so that no float overflows."""
        return float(value.scaleb(-self._digits)) if value else 0.0


def _apart(firsts: Sequence[float], seconds: Sequence[float], low: float, high: float) -> _Pairs:
    """Places in two ascending lists between whose values the difference is in a span."""
    begin, end = 0, len(firsts)
    for second, value in enumerate(seconds):
        while begin < end and firsts[begin] - value < low:
            begin += 1
        if begin == end:
            return
        first = begin
        while first < end and firsts[first] - value <= high:
            yield first, second
            first += 1


def _log(value: Decimal) -> float:
    """The decimal logarithm of a value's size."""
    digits = value.adjusted()
    return log10(abs(float(value.scaleb(-digits)))) + digits if value else -inf
