"""Dates as they stand in a text, by their month's name or in figures, in all languages that the rules read."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from theseus.domain.research.words import listed

_NAMES = (
    "january,jan,januar,jänner,janvier,janv,enero,janeiro,gennaio february,feb,februar,février,févr,febrero,fevereiro,febbraio "
    "march,mar,märz,mars,marzo,março april,apr,avril,avr,abril,abr,aprile may,mai,mayo,maio,maggio june,jun,juni,juin,junio,junho,giugno "
    "july,jul,juli,juillet,juil,julio,julho,luglio august,aug,août,agosto "
    "september,sept,sep,septembre,septiembre,setiembre,setembro,settembre october,oct,oktober,okt,octobre,octubre,outubro,ottobre "
    "november,nov,novembre,noviembre,novembro december,dec,dezember,dez,décembre,déc,diciembre,dic,dezembro,dicembre"
)
MONTHS = {name: place for place, names in enumerate(listed(_NAMES), start=1) for name in names.split(",")}
_DAY_FIRST = frozenset(
    listed(
        "january jan february feb march mar april apr may june jun july jul august aug september sept sep october oct november nov december dec"
    )
)
"""Of the only language that has days behind months, too."""
_OF = r"(?:of\s|de\s|del\s|di\s|d['\u2019])?"
_DAY_BEFORE = re.compile(rf"(?<![\w.,/])(\d{{1,2}})(?:st|nd|rd|th|er|[.o\u00b0])?\s{{1,3}}{_OF}$")
_YEAR_AFTER = re.compile(rf"\.?,?\s+{_OF}(\d{{4}})(?!\w)")
_DAY_AFTER = re.compile(r"\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?!\w)(?:,?\s+(\d{4})(?!\w))?")
_IN_FIGURES = re.compile(
    r"(?<![^\W\u3040-\u9fff])(?:(?P<iso>(\d{4})-(\d{2})(?:-(\d{2}))?)(?=t\d\d:|[^\w-]|\Z)"
    r"|(?P<signs>(\d{4})\s?年(?!間|代)(?:度|(\d{1,2})月(?:(\d{1,2})日)?)?)"
    r"|(?P<dots>(\d{1,2})[.](\d{1,2})[.](\d{4}))(?!\w)|(?P<bars>(\d{1,2})/(\d{1,2})/(\d{4}))(?!\w))"
)
_MAY_BE = re.compile(r"\d-\d\d|\d\.\d{1,2}\.\d|/\d{4}|\d\s?年")
_REACH = 16
_LAST_MONTH, _LAST_DAY = 12, 31


@dataclass(frozen=True, slots=True)
class Date:
    """A date where it stands; 0 is a part that is not said. `turns` says whether day and month may be meant the other way."""

    start: int
    end: int
    year: int
    month: int
    day: int
    turns: bool = False


def dates(text: str, words: Collection[str]) -> list[Date]:
    """The dates of a folded text in lower case that name a month, or a year by a sign; `words` are its words."""
    made = [_named(text, *place) for place in _months(text, words)]
    if _MAY_BE.search(text) is not None:
        made += map(_figured, _IN_FIGURES.finditer(text))
    found: list[Date] = []
    for date in sorted((date for date in made if date is not None), key=lambda date: (date.start, -date.end)):
        if date.month <= _LAST_MONTH and date.day <= _LAST_DAY and (not found or date.start >= found[-1].end):
            found.append(date)
    return found


def _months(text: str, words: Collection[str]) -> Iterator[tuple[int, str]]:
    """Where the names of months stand."""
    for name in MONTHS:
        if name not in words:
            continue
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            if not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum():
                yield at, name
            at = text.find(name, end)


def _named(text: str, start: int, name: str) -> Date | None:
    """The date of a month's name; None where it has neither a day nor a year."""
    month, end = MONTHS[name], start + len(name)
    before = _DAY_BEFORE.search(text, max(start - _REACH, 0), start)
    after = _YEAR_AFTER.match(text, end)
    if before is not None:
        last = after.end() if after is not None else end
        return Date(before.start(), last, int(after[1]) if after is not None else 0, month, int(before[1]))
    if after is not None:
        return Date(start, after.end(), int(after[1]), month, 0)
    behind = _DAY_AFTER.match(text, end) if name in _DAY_FIRST else None
    return Date(start, behind.end(), int(behind[2] or 0), month, int(behind[1])) if behind is not None else None


def _figured(match: re.Match[str]) -> Date | None:
    kind = match.lastgroup or ""
    groups = match.groups()[match.re.groupindex[kind] :]
    one, two, three, *_ = (*(int(part) for part in groups if part is not None), 0, 0)
    if kind in ("iso", "signs"):
        return Date(*match.span(), one, two, three) if two or kind == "signs" else None
    if kind == "bars" and two > _LAST_MONTH:
        one, two = two, one
    return Date(*match.span(), three, two, one, turns=kind == "bars" and one <= _LAST_MONTH) if two else None
