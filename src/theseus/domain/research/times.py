"""Times of a claim: years, spans of years and days, in English, German, Japanese and Chinese."""

import re
from dataclasses import dataclass

from theseus.domain.research.amounts import ABOUT_BEFORE, JOINED, LEAST_BEFORE, MOST_BEFORE, REACH, UNITS
from theseus.domain.research.words import listed

ABOUT_YEARS = 3
LAST_YEAR = 2100
"""The last year that is meant by "after"."""


_MONTHS = {
    name: place
    for place, names in enumerate(
        listed(
            "january,jan,januar,jänner february,feb,februar march,mar,märz april,apr may,mai june,jun,juni july,jul,juli "
            "august,aug september,sept,sep october,oct,oktober november,nov december,dec,dezember"
        ),
        start=1,
    )
    for name in names.split(",")
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"1[5-9]\d\d|20\d\d|2100"
_TIME = re.compile(
    rf"(?<![{JOINED}])(?:(?P<iso>({_YEAR})-(0[1-9]|1[0-2])(?:-(\d\d))?)(?![\w-])"
    rf"|(?P<cjk>({_YEAR})\s?年(?!間|代)(?:度|(\d{{1,2}})月(?:(\d{{1,2}})日)?)?)"
    rf"|(?P<dots>(\d{{1,2}})\.(\d{{1,2}})\.({_YEAR}))(?!\w)"
    rf"|(?P<dmy>(\d{{1,2}})(?:st|nd|rd|th|\.)?\s(?:of\s)?({_MONTH})\b\.?,?(?:\s({_YEAR})(?!\w))?)"
    rf"|(?P<mdy>({_MONTH})\.?\s(\d{{1,2}})(?:st|nd|rd|th)?(?!\w)(?:,?\s({_YEAR})(?!\w))?)"
    rf"|(?P<my>({_MONTH})\.?,?\s({_YEAR})(?!\w))"
    rf"|(?P<decade>({_YEAR})(?:['\u2019]?s|er|年代)(?!\w))"
    rf"|(?P<years>({_YEAR})\s?(?:[-\u2013\u2014〜~/]|to|and|bis|und|から)\s?({_YEAR}|\d\d)(?![\w.,]\d|\w))"
    rf"|(?P<year>({_YEAR}))(?![,.\u00a0\u202f']\d|[A-Za-z0-9]))",
    re.IGNORECASE,
)
_TIME_BEFORE = re.compile(r"\b(?:before|until|till|by|prior to|no later than|vor|bis|spätestens)\s$", re.IGNORECASE)
_TIME_AFTER = re.compile(r"\b(?:after|not before|no earlier than|nach|frühestens)\s$", re.IGNORECASE)
_TIME_IN = re.compile(r"\b(?:in|im|since|seit|jahr|year|of|during|early|late|mid|from|ab)\s$", re.IGNORECASE)
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
    return [made for match in _TIME.finditer(claim) if (made := _time(match, claim)) is not None]


def _time(match: re.Match[str], claim: str) -> Time | None:
    kind = match.lastgroup
    groups = [part for part in match.groups()[match.re.groupindex[kind] :] if part is not None] if kind else []
    match kind:
        case "year" | "decade" | "years":
            return _years(kind, groups, match.span(), claim)
        case "iso" | "cjk":
            parts = [int(part) for part in groups]
        case "dots":
            parts = [int(part) for part in reversed(groups)]
        case "my":
            parts = [int(groups[1]), _MONTHS.get(groups[0].lower(), 0)]
        case "dmy":
            parts = [int(groups[2]) if len(groups) > 2 else 0, _MONTHS.get(groups[1].lower(), 0), int(groups[0])]
        case _:
            parts = [int(groups[2]) if len(groups) > 2 else 0, _MONTHS.get(groups[0].lower(), 0), int(groups[1])]
    if "may" in groups:
        # rather the verb
        return None
    year, month, day = (*parts, 0, 0)[:3]
    return Time(year, year, month, day, *match.span()) if month <= 12 and day <= 31 else None


def _years(kind: str, groups: list[str], span: tuple[int, int], claim: str) -> Time | None:
    first = int(groups[0])
    place, end = span
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
