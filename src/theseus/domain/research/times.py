"""Times of a claim: years, spans of years and days."""

import re
from dataclasses import dataclass

from theseus.domain.research.amounts import ABOUT_BEFORE, LEAST_BEFORE, MOST_BEFORE, REACH
from theseus.domain.research.dates import Date, dates
from theseus.domain.research.languages import words_in
from theseus.domain.research.numbers import lowered, without
from theseus.domain.research.units import UNITS
from theseus.domain.research.words import listed

ABOUT_YEARS = 3
FIRST_YEAR, LAST_YEAR = 1500, 2100
"""What is called a year without more words; the last is meant by "after", too."""
JOINED = r"0-9A-Za-z\u00c0-\u024f_.,"
"""What a year does not stand right behind."""
_YEAR = r"1[5-9]\d\d|20\d\d|2100"
_TIME = re.compile(
    rf"(?<![{JOINED}])(?:(?P<decade>({_YEAR})(?:['\u2019]?s|er|年代)(?!\w))"
    rf"|(?P<years>({_YEAR})\s?(?:[-\u2013\u2014〜~/]|to|and|bis|und|から)\s?({_YEAR}|\d\d)(?![\w.,]\d|\w))"
    rf"|(?P<year>({_YEAR}))(?![,.\u00a0\u202f']\d|[A-Za-z0-9]))",
    re.IGNORECASE,
)
_TIME_BEFORE = re.compile(
    r"\b(?:before|until|till|by|prior to|no later than|vor|bis|spätestens|avant|antes de|prima del)\s$", re.IGNORECASE
)
_TIME_AFTER = re.compile(
    r"\b(?:after|not before|no earlier than|nach|frühestens|après|después de|depois de|dopo il)\s$", re.IGNORECASE
)
_TIME_IN = re.compile(
    r"\b(?:in|im|since|seit|jahr|year|of|during|early|late|mid|from|ab|en|depuis|desde|em|nel|dal|dès|año|ano|anno|année)\s$",
    re.IGNORECASE,
)
_AFTER_YEAR = re.compile(
    r"(?:\d{4}|\s?(?:[-\u2013\u2014〜~/]|to|and|bis|und|から)\s?)+\s?([^\W\d_][\w-]*|[%€$£¥])", re.IGNORECASE
)
_NOUNS = frozenset(
    listed(
        "people persons inhabitants residents workers employees visitors passengers copies units votes members students einwohner menschen "
        "personen mitarbeiter besucher 人 名 台 件 個 本 社 戸 万"
    )
)


@dataclass(frozen=True)
class Time:
    """A year, a span of years, or a day; 0 is a part that is not said. `place` and `end` are where it stands in the claim."""

    first: int
    last: int
    month: int = 0
    day: int = 0
    place: int = 0
    end: int = 0

    def may_be(self, other: "Time") -> bool:
        """Whether both may be the same time."""
        if self.first and other.first and (self.last < other.first or other.last < self.first):
            return False
        return all(not a or not b or a == b for a, b in ((self.month, other.month), (self.day, other.day)))


def times(claim: str) -> list[Time]:
    """The times that a folded claim names, in order."""
    small = lowered(claim)
    days = [date for date in dates(small, words_in(small)) if _is_time(claim, date)]
    made = [Time(date.year, date.year, date.month, date.day, date.start, date.end) for date in days]
    rest = without(claim, ((date.start, date.end) for date in days)) if days else claim
    made += [time for match in _TIME.finditer(rest) if (time := _years(match, claim)) is not None]
    return sorted(made, key=lambda time: time.place)


def _is_time(claim: str, date: Date) -> bool:
    """Whether a date is rather a time than a verb and a number, and may be written one way only."""
    is_verb = claim.startswith("may", date.start) and not date.year
    is_near = not date.year or FIRST_YEAR <= date.year <= LAST_YEAR
    return is_near and not is_verb and not date.turns


def _years(match: re.Match[str], claim: str) -> Time | None:
    kind = match.lastgroup
    groups = [part for part in match.groups()[match.re.groupindex[kind] :] if part is not None] if kind else []
    first = int(groups[0])
    place, end = match.span()
    last = first
    if kind == "decade":
        return Time(first, first + 9 if first % 10 == 0 else first, place=place, end=end)
    if kind == "years":
        last = int(groups[1]) if len(groups[1]) > 2 else first - first % 100 + int(groups[1])
        if last < first:
            return None
    before = claim[max(place - REACH, 0) : place]
    if _is_counted(claim, place, before):
        return None
    if ABOUT_BEFORE.search(before):
        return Time(first - ABOUT_YEARS, last + ABOUT_YEARS, place=place, end=end)
    if _TIME_BEFORE.search(before):
        return Time(1, last, place=place, end=end)
    if _TIME_AFTER.search(before):
        return Time(first, LAST_YEAR, place=place, end=end)
    return Time(first, last, place=place, end=end)


def _is_counted(claim: str, place: int, before: str) -> bool:
    """Whether what looks like a year is a number of something."""
    if re.search(r"[$€£¥]\s?$", before) or LEAST_BEFORE.search(before) or MOST_BEFORE.search(before):
        return True
    match = _AFTER_YEAR.match(claim, place)
    if match is None or _TIME_IN.search(before):
        return False
    word = match[1].lower()
    return word in UNITS or word in _NOUNS or word[:1] in _NOUNS
