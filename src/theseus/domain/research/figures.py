"""Numbers, dates and units in prose, as values: what a sentence claims and what a quote shows are compared by them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property

from theseus.domain.research.reckoning import Operands

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
_WORDS = {
    word: Decimal(value)
    for value, word in enumerate(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], start=2
    )
}
_SCALES = {
    "thousand": 3,
    "k": 3,
    "million": 6,
    "mn": 6,
    "m": 6,
    "billion": 9,
    "bn": 9,
    "b": 9,
    "trillion": 12,
    "tn": 12,
}
_UNITS = {
    alias: unit
    for unit, aliases in {
        "percent": "% percent per-cent pct",
        "points": "points percentage-points",
        "km": "km kilometre kilometres kilometer kilometers",
        "mi": "mi mile miles",
        "metre": "metre metres meter meters",
        "ft": "ft foot feet",
        "kg": "kg kilogram kilograms kilo kilos",
        "lb": "lb lbs pound-weight",
        "tonne": "tonne tonnes ton tons",
        "usd": "$ usd dollar dollars us$",
        "eur": "€ eur euro euros",
        "gbp": "£ gbp pound pounds",
        "yen": "¥ yen jpy",
        "celsius": "°c celsius",
        "fahrenheit": "°f fahrenheit",
        "second": "second seconds sec secs",
        "minute": "minute minutes min mins",
        "hour": "hour hours",
        "day": "day days",
        "week": "week weeks",
        "month": "month months",
        "year": "year years",
        "kw": "kw kilowatt kilowatts",
        "mw": "mw megawatt megawatts",
        "gw": "gw gigawatt gigawatts",
        "kwh": "kwh",
        "mwh": "mwh",
        "gwh": "gwh",
        "mb": "mb megabyte megabytes",
        "gb": "gb gigabyte gigabytes",
        "tb": "tb terabyte terabytes",
        "litre": "litre litres liter liters",
    }.items()
    for alias in aliases.split()
}
_ORDINAL = r"(?:st|nd|rd|th)?"
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATE = re.compile(
    # what no date begins with is passed over at once
    rf"\b(?=[\djfmasond])(?:(?P<iso>(\d{{4}})-(\d{{2}})(?:-(\d{{2}}))?)\b"
    rf"|(?:(?P<day1>\d{{1,2}}){_ORDINAL}\s+(?:of\s+)?)?(?P<month1>{_MONTH})\.?,?\s+(?P<year1>\d{{4}})\b"
    rf"|(?P<month2>{_MONTH})\.?\s+(?P<day2>\d{{1,2}}){_ORDINAL}(?:,?\s+(?P<year2>\d{{4}}))?\b"
    rf"|(?P<day3>\d{{1,2}}){_ORDINAL}\s+(?P<month3>{_MONTH})\b)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?=[\d\s$€£¥\u2212uU-])(?P<sign>(?<![\w.])[-\u2212])?(?P<before>us\$|[$€£¥])?\s?(?P<digits>(?<![\w])\d+(?:[.,\u00a0\u202f' ]\d{3})*(?:[.,]\d+)?)"
    r"(?:\s?(?P<scale>thousand|million|billion|trillion|bn|mn|tn|[kKMB](?![\w])))?"
    r"(?P<gap>[\s-]?)(?P<unit>%|°[cCfF]\b|[€£$¥]|[A-Za-z][A-Za-z-]*)?",
    re.IGNORECASE,
)
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
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


@dataclass(frozen=True)
class Number:
    """A number as it stands in a text. `values` has more than one where a point or comma can be read in two ways."""

    text: str
    values: frozenset[Decimal]
    unit: str = ""

    def is_shown_by(self, other: "Number") -> bool:
        """Whether the other number is this one, in the same unit where both name one."""
        return bool(self.values & other.values) and (not self.unit or not other.unit or self.unit == other.unit)


@dataclass(frozen=True)
class Figures:
    """All figures of a text."""

    numbers: tuple[Number, ...]
    days: tuple[tuple[str, Day], ...]

    @cached_property
    def units(self) -> dict[Decimal, set[str]]:
        """Each value that it shows, years of dates among them, with the units that it has there; "" is no unit."""
        found: dict[Decimal, set[str]] = {}
        for number in self.numbers:
            for value in number.values:
                found.setdefault(value, set()).add(number.unit)
        for _, day in self.days:
            if day.year is not None:
                found.setdefault(Decimal(day.year), set()).add("")
        return found

    def show(self, number: Number) -> bool:
        """Whether it shows this number, in the same unit where both name one."""
        return any(
            (units := self.units.get(value)) is not None and (not number.unit or number.unit in units or "" in units)
            for value in number.values
        )


def figures(text: str) -> Figures:
    """The numbers and dates that a text says, in order."""
    days: list[tuple[str, Day]] = []
    rest = list(text)
    for match in _DATE.finditer(text):
        if (day := _day(match)) is not None:
            days.append((match.group().strip(), day))
            rest[match.start() : match.end()] = " " * (match.end() - match.start())
    left = "".join(rest)
    numbers = [_number(match) for match in _NUMBER.finditer(left)]
    for match in _NUMBER_WORD.finditer(left):
        value = _WORDS.get(match.group().lower())
        numbers.append(Number(match.group(), frozenset() if value is None else frozenset({value})))
    return Figures(tuple(number for number in numbers if number.values), tuple(days))


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
        if made is None or not made.make(number.values):
            yield number.text.strip()
    yield from (text for text, day in claimed.days if not _day_is_shown(day, shown))


def _day_is_shown(day: Day, shown: Sequence[Figures]) -> bool:
    if any(other.shows(day) for each in shown for _, other in each.days):
        return True
    only_year = day.month is None and day.day is None and day.year is not None
    return only_year and any(day.year in each.units for each in shown)


def _number(match: re.Match[str]) -> Number:
    scale = _SCALES.get((match["scale"] or "").lower(), 0)
    unit = _UNITS.get((match["before"] or "").lower(), "")
    after = (match["unit"] or "").lower()
    found = _UNITS.get(after) or (_SCALES.get(after) and "")
    text = (
        match.group() if found else match.group()[: match.end("scale" if match["scale"] else "digits") - match.start()]
    )
    values = frozenset(value.scaleb(scale) for value in _readings(match["digits"]))
    if match["sign"]:
        values = frozenset(-value for value in values) | values
    return Number(text, frozenset(value.normalize() for value in values), unit or found or "")


def _readings(digits: str) -> list[Decimal]:
    if digits.isdecimal():
        return [Decimal(digits)]
    plain = re.sub(r"[\s\u00a0\u202f']", "", digits)
    ways = {plain.replace(",", ""), plain.replace(".", "").replace(",", ".")}
    if plain.count(",") == 1 and "." not in plain and len(plain.rpartition(",")[2]) != 3:
        ways = {plain.replace(",", ".")}
    if plain.count(".") == 1 and "," not in plain and len(plain.rpartition(".")[2]) != 3:
        ways = {plain}
    found: list[Decimal] = []
    for way in sorted(ways):
        try:
            found.append(Decimal(way))
        except InvalidOperation:
            continue
    return found


def _day(match: re.Match[str]) -> Day | None:
    if match["iso"]:
        year, month, day = int(match[2]), int(match[3]), int(match[4]) if match[4] else None
    else:
        name = match["month1"] or match["month2"] or match["month3"]
        year_text = match["year1"] or match["year2"]
        day_text = match["day1"] or match["day2"] or match["day3"]
        # a letter that only looks like one of its letters makes no month
        month = MONTHS.get(name.lower(), 0)
        year = int(year_text) if year_text else None
        day = int(day_text) if day_text else None
    last_month, last_day = 12, 31
    if not 1 <= month <= last_month or not 1 <= (day or 1) <= last_day:
        return None
    return Day(year, month, day)
