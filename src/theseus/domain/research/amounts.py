"""Amounts of a claim as spans of values: what "about 400" may mean, too.

A figure says less than its digits: it is rounded, it is a bound or a range, it can be read in two ways. Two of them
differ only where no value is in the spans of both.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import inf

from theseus.domain.research.languages import language_by, words_in
from theseus.domain.research.numbers import Written, lowered, numbers
from theseus.domain.research.words import listed

ABOUT = 0.1
"""How far "about" may be from the value, as a part of it."""
ROUNDED = 0.49
"""A value may be rounded by nearly half of its last place: of what ends in zeros, of the last place that is none."""
MOST_ROUNDED = 0.05
"""But by no more than this part of it."""
_RANGE = re.compile(
    r"\s?(?:[-\u2013\u2014〜~]|to|bis|and|und|à|a|et|y|e|から)\s?(?=us\$|[$€£¥]|\d)|\s?(?:±|\+/-|\+-)\s?(?=\d)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?:between|zwischen|entre|tra|fra)\s*$", re.IGNORECASE)
ABOUT_BEFORE = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|some|circa|ca\.?|c\.|estimated|nearly|almost|close to|rund|etwa|ungefähr|gut"
    r"|knapp|fast|annähernd|nahezu|schätzungsweise|environ|près de|presque|quelque|unos|unas|cerca de|aproximadamente|alrededor de|casi|quase"
    r"|uns|circa|quasi|quelques)|[~≈]|約|およそ|ほぼ|大约|约)\s?(?:at\s|to be\s)?$",
    re.IGNORECASE,
)
LEAST_BEFORE = re.compile(
    r"(?:\b(?:more than|over|at least|above|exceed\w*|no fewer than|no less than|upwards? of|a minimum of|mehr als|über|mindestens|wenigstens"
    r"|plus de|au moins|más de|al menos|mais de|pelo menos|più di|oltre|almeno)"
    r"|[>≥]|超过|至少)\s?$",
    re.IGNORECASE,
)
MOST_BEFORE = re.compile(
    r"(?:\b(?:up to|at most|less than|fewer than|under|below|no more than|not more than|a maximum of|höchstens|maximal|bis zu|weniger als"
    r"|unter|jusqu['\u2019]à|moins de|au plus|hasta|menos de|até|fino a|meno di)|[<≤]|最大|最多|不到)\s?$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s?(?:(?P<about>程度|前後|近く|ほど|左右|or so\b)|(?P<least>以上|超|あまり|or more\b|\+)|(?P<most>以下|未満|or (?:less|fewer)\b))"
)
_ENDS = frozenset(
    listed(
        "in of at for to from by on with and or a an the per each every im am von für und oder pro je bei mit de du des en dans par et y e del por em no na di da nel per"
    )
)
"""Words that what is counted does not go beyond."""
_COUNTED = re.compile(r"[^\W\d_][\w'\u2019-]{0,60}")
REACH = 24
"""So many characters before a figure are looked at."""
MOST_COUNTED = 3

Span = tuple[float, float]


@dataclass(frozen=True)
class Amount:
    """What one figure may mean: `spans` has one of values for each way to read it, in the basic unit of its kind.

    `kind` is "" for what is counted, and `counted` the words after it then. `text` is how it stands in the claim.
    """

    text: str
    spans: tuple[Span, ...]
    kind: str
    counted: tuple[str, ...]
    place: int
    end: int

    def may_be(self, other: "Amount") -> bool:
        """Whether both may be the same value."""
        return any(low <= top and bottom <= high for low, high in self.spans for bottom, top in other.spans)

    def is_below(self, other: "Amount") -> bool:
        """Whether it is less than the other, the larger reading of both being meant."""
        return max(high for _, high in self.spans) < max(bottom for bottom, _ in other.spans)


def amounts(text: str) -> list[Amount]:
    """The amounts that a folded claim names, in order; its times are taken out, for they are none."""
    small = lowered(text)
    words = words_in(small)
    found = [each for each in numbers(small, words, language_by(words, small)) if not _is_joined(small, each)]
    return list(_amounts(_Text(text, small), found))


@dataclass(frozen=True)
class _Text:
    """A claim as it stands, and in lower case."""

    shown: str
    small: str


def _is_joined(text: str, number: Written) -> bool:
    """Whether it stands right behind a point or comma."""
    return text[number.start - 1 : number.start] in (".", ",")


def _amounts(text: _Text, found: Sequence[Written]) -> Iterator[Amount]:
    is_second = False
    for first, second in pairwise((*found, None)):
        if first is None or is_second:
            is_second = False
            continue
        joint = _joint(text.small, first, second) if second is not None else ""
        is_second = bool(joint)
        yield _range(text, first, second, joint) if joint and second is not None else _amount(text, first, first)


def _joint(text: str, first: Written, second: Written) -> str:
    """What makes a range of two numbers; empty where they are none."""
    if first.is_in_words or second.is_in_words:
        return ""
    for at in (first.end, first.digits_end):
        joined = _RANGE.match(text, at)
        if joined is None or joined.end() != second.start:
            continue
        sign = joined.group().strip()
        if sign not in ("and", "und", "et", "y", "e") or _BETWEEN.search(
            text, max(first.start - REACH, 0), first.start
        ):
            return sign
    return ""


def _range(text: _Text, first: Written, second: Written, joint: str) -> Amount:
    one, two = _amount(text, first, second), _amount(text, second, second)
    if joint in ("±", "+/-", "+-"):
        spans = [
            (low - high, low + high)
            for (low, _), (high, _) in zip(_values(first, second), _values(second, second), strict=False)
        ]
    else:
        spans = [(min(low, bottom), max(high, top)) for low, high in one.spans for bottom, top in two.spans]
    shown = text.shown[first.start : two.end].strip()
    return Amount(shown, tuple(spans), two.kind, two.counted, first.start, two.end)


def _amount(text: _Text, number: Written, last: Written) -> Amount:
    """The amount of a number, in the scale and unit of the last of a range, which is the number itself where it is in none."""
    kind = last.unit.kind
    spans = tuple(
        # what is counted is exact, what is measured is not
        _spread(text.small, number, value, step)
        for value, step in _values(number, last)
    )
    counted = () if kind else _counted(text.shown, number.scale_end)
    return Amount(text.shown[number.start : number.end].strip(), spans, kind, counted, number.start, number.end)


def _spread(text: str, number: Written, value: float, step: float) -> Span:
    """Between what a value may be: by the words beside it, or by how it is rounded."""
    begin, end = max(number.start - REACH, 0), number.scale_end
    # a counter of one or two signs may stand between
    after = next((found for at in (number.end, end, end + 1, end + 2) if (found := _AFTER.match(text, at))), None)
    if LEAST_BEFORE.search(text, begin, number.start) or (after and after["least"]):
        return value, inf
    if MOST_BEFORE.search(text, begin, number.start) or (after and after["most"]):
        return -inf, value
    if ABOUT_BEFORE.search(text, begin, number.start) or (after and after["about"]):
        return value - abs(value) * ABOUT, value + abs(value) * ABOUT
    room = min(step * ROUNDED, abs(value) * MOST_ROUNDED)
    return value - room, value + room


def _values(number: Written, last: Written) -> list[tuple[float, float]]:
    """The values that a number may be read as, in the unit of the last of its range, each with the size of its last place."""
    scale = number.scale or last.scale
    times = float(scale or 1) * (-1 if number.is_negative else 1)
    size = float(last.unit.size)
    found: list[tuple[float, float]] = []
    for value in number.readings:
        step = (_last_place(number, value) or (1.0 if scale else 0.0)) * abs(times)
        found.append((float(value) * times * size, (step or (1.0 if last.unit.kind else 0.0)) * size))
    return found


def _last_place(number: Written, value: Decimal) -> float:
    """The size of the last place that is said: of two zeros or more at the end nobody knows whether they are counted."""
    if number.place is not None or number.is_in_words:
        return float(number.place or 0)
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int) and exponent < 0:
        return 10.0**exponent
    zeros = next((place for place, digit in enumerate(reversed(digits)) if digit), 0)
    return float(f"1e{zeros}") if zeros > 1 else 0.0


def _counted(text: str, end: int) -> tuple[str, ...]:
    """The words after a number, up to three, as far as nothing but space is between them."""
    found: list[str] = []
    at = end
    while len(found) < MOST_COUNTED:
        match = _COUNTED.match(text, at + (text[at : at + 1] in (" ", "-")))
        if match is None or match.group().lower() in _ENDS:
            break
        found.append(match.group())
        at = match.end()
    return tuple(found)
