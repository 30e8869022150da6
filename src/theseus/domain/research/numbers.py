"""Numbers as they stand in a text, in digits or words, with their scale and unit: one reading of them for all rules."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from theseus.domain.research.numerals import numerals
from theseus.domain.research.units import COUNT, METRE, UNITS, Unit, unit_of
from theseus.domain.research.words import listed

_THOUSAND, _MILLION, _BILLION, _TRILLION = (Decimal(10) ** places for places in (3, 6, 9, 12))
_SCALES: Mapping[str, Decimal] = {
    **dict.fromkeys(listed("hundred hundert"), Decimal(100)),
    **dict.fromkeys(listed("thousand tausend tsd mille mila mil k 千"), _THOUSAND),
    **dict.fromkeys(listed("万 萬"), Decimal(10) ** 4),
    **dict.fromkeys(listed("lakh"), Decimal(10) ** 5),
    **dict.fromkeys(
        listed("million millions millionen mio mn m millón millones milhão milhões milione milioni mln"), _MILLION
    ),
    **dict.fromkeys(listed("crore"), Decimal(10) ** 7),
    **dict.fromkeys(listed("億 亿"), Decimal(10) ** 8),
    **dict.fromkeys(
        listed(
            "billion billions bn b milliarde milliarden mrd milliard milliards md mds miliardo miliardi mld bilhão bilhões"
        ),
        _BILLION,
    ),
    **dict.fromkeys(listed("trillion trillions tn billionen billón billones bilione bilioni 兆"), _TRILLION),
}
_LONG_SCALE: Mapping[str, Decimal] = {"billion": _TRILLION, "billions": _TRILLION}
_LONG_SCALE_LANGUAGES = frozenset(("de", "fr", "es", "pt", "it"))
_LETTERS = "0-9a-z\u00df-\u00f6\u00f8-\u024f_"
"""What no number stands right behind."""
_SPACES = r" \u00a0\u202f\u2009"
_SPACE = re.compile(rf"[{_SPACES}'\u2019]")
_DIGITS = (
    rf"\d(?<![{_LETTERS}]\d)(?:\d{{0,2}}(?:(?P<by>[.,'\u2019{_SPACES}])\d{{3}}(?!\d)(?:(?P=by)\d{{3}}(?!\d))*|,\d\d(?:,\d\d){{0,8}},\d{{3}}(?!\d))(?:[.,]\d+)?"
    r"|\d*(?:[.,]\d+)?)"
)
_MYRIADS = r"(?:\s?(?:千?[万萬億亿兆]|千)(?:\d[\d,.]*\s?(?:千?[万萬億亿兆]|千)){0,3}(?:\d[\d,]*)?)"
_SHORT = frozenset(listed("tsd mio mn mln bn mrd md mds mld tn"))
_WORDS = "|".join(
    sorted((rf"{word}\.?" if word in _SHORT else word for word in _SCALES if len(word) > 1), key=len, reverse=True)
)
_UNIT_WORDS = "|".join(
    sorted((re.escape(name).replace(r"\-", r"[\s-]") for name in UNITS if "-" in name), key=len, reverse=True)
)
_UNIT = rf"%|°[cf]\b|[€£$¥]|(?:{_UNIT_WORDS})(?!\w)|[ァ-ヴー]+|[か-けヶカ][月]|[\u4e00-\u9fff]{{1,3}}|[^\W\d_][\w\u00b2-]{{0,40}}"
_GAP = r"[\s-]?(?:(?:de|di|of)\s|d['\u2019])?"
_NUMBER = re.compile(
    rf"(?P<digits>{_DIGITS})(?:(?P<myriads>{_MYRIADS})"
    rf"|(?:[\s-]?(?P<scale>(?:{_WORDS})(?:\s(?:{_WORDS}))?)(?!\w)|\s?(?P<letter>[kmb])(?!\w))?)(?P<gap>{_GAP})(?P<unit>{_UNIT})?"
)
_AFTER_WORDS = re.compile(rf"{_GAP}(?P<unit>{_UNIT})")
_MYRIAD = re.compile(r"(\d[\d,.]*)\s?(千?)([万萬億亿兆]?)")
_MONEY = frozenset(("usd", "eur", "gbp", "yen", "yuan"))
_CURRENCIES = "$€£¥"
_CODES = frozenset(listed("usd eur gbp jpy cny rmb"))
_SIGNS = "-\u2212"
_LEADS = f" {_CURRENCIES}{_SIGNS}"
_RAISED = re.compile("(?<=\\d)[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]+")


class Written(NamedTuple):
    """A number where it stands: from its sign or currency to its `digits_end`, its `scale_end` and, with its unit, its `end`.

    `readings` are without `scale`, which is None where none is said, and more than one where a point or comma may group
    the digits or not; `other_scale` is one that may be meant instead of the unit. `place` is the size of the last place that
    is said, where the readings do not show it.
    """

    start: int
    digits_end: int
    scale_end: int
    end: int
    readings: tuple[Decimal, ...]
    scale: Decimal | None = None
    unit: Unit = COUNT
    is_negative: bool = False
    is_in_words: bool = False
    other_scale: Decimal | None = None
    place: Decimal | None = None


def folded(text: str) -> str:
    """The text with figures and signs of any width in their plain form, and without the numbers of footnotes."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _RAISED.sub("", text)).replace("\u2044", "/")


def lowered(text: str) -> str:
    """The text in lower case, each character at its place."""
    made = text.lower()
    if len(made) == len(text):
        return made
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with spaces in place of these stretches."""
    left = list(text)
    for start, end in spans:
        left[start:end] = " " * (end - start)
    return "".join(left)


def numbers(text: str, words: Collection[str], language: str) -> list[Written]:
    """The numbers of a folded text in lower case, in order; `words` are its words."""
    found = list(_in_digits(text, language))
    said = list(_in_words(text, words, language))
    if not said:
        return found
    taken = {place for each in found for place in range(each.start, each.end)}
    return sorted([*found, *(each for each in said if each.start not in taken)], key=lambda each: each.start)


def _in_digits(text: str, language: str) -> Iterator[Written]:
    at = 0
    while (match := _NUMBER.search(text, at)) is not None:
        at = max(match.end("digits"), match.end("myriads"))
        yield _written(text, match, language)


def _in_words(text: str, words: Collection[str], language: str) -> Iterator[Written]:
    for start, end, value in numerals(text, words, language):
        match = _AFTER_WORDS.match(text, end)
        unit = unit_of(_name(match["unit"])) if match is not None else None
        last = match.end() if match is not None and unit is not None else end
        yield Written(start, end, end, last, (Decimal(value),), None, unit or COUNT, is_in_words=True)


def _written(text: str, match: re.Match[str], language: str) -> Written:
    start, before, is_negative = _before(text, match.start())
    digits_end = max(match.end("digits"), match.end("myriads"))
    scale_end = max(digits_end, match.end("scale"), match.end("letter"))
    after = unit_of(_name(match["unit"] or ""))
    readings, place = _myriads(match) if match["myriads"] else (readings_of(match["digits"]), None)
    unit, scale, other = before or after or COUNT, _scale_of(match["scale"] or "", language), None
    letter = match["letter"]
    if letter == "m" and before is None and (after is None or after.kind not in _MONEY):
        # rather metres
        unit, other = METRE, _MILLION
    elif letter:
        scale = _SCALES[letter]
    end = match.end() if after is not None else scale_end
    return Written(start, digits_end, scale_end, end, readings, scale, unit, is_negative, False, other, place)


def _before(text: str, start: int) -> tuple[int, Unit | None, bool]:
    """Where a number begins with the currency and the sign before its digits."""
    at, unit = start, None
    last = text[at - 1 : at]
    if last not in _LEADS:
        return start, None, False
    code = text[max(at - 4, 0) : at - 1]
    if last == " " and code in _CODES and not text[max(at - 5, 0) : at - 4].isalnum():
        return at - 4, UNITS[code], False
    if last == " " and text[max(at - 2, 0) : at - 1] in _CURRENCIES and at > 1:
        at -= 1
    if at and text[at - 1] in _CURRENCIES:
        at -= 3 if text[max(at - 3, 0) : at - 1] == "us" else 1
        unit = UNITS[text[at:start].strip()]
    else:
        at = start
    if at and text[at - 1] in _SIGNS and not (at > 1 and (text[at - 2].isalnum() or text[at - 2] in "._")):
        return at - 1, unit, True
    return at, unit, False


def _scale_of(words: str, language: str) -> Decimal | None:
    if not words:
        return None
    made = Decimal(1)
    for word in words.split():
        long = _LONG_SCALE.get(word) if language in _LONG_SCALE_LANGUAGES else None
        made *= long or _SCALES[word.rstrip(".")]
    return made


def _name(unit: str) -> str:
    return "-".join(unit.split())


def _myriads(match: re.Match[str]) -> tuple[tuple[Decimal], Decimal]:
    whole = match["digits"] + match["myriads"]
    parts = [
        (_plain(part[1]), _SCALES.get(part[2], Decimal(1)) * _SCALES.get(part[3], Decimal(1)))
        for part in _MYRIAD.finditer(whole)
    ]
    value = sum((number * scale for number, scale in parts), Decimal(0))
    return (value,), parts[-1][1] / (10 if "." in whole else 1)


def _plain(digits: str) -> Decimal:
    """The value of digits that stand before a myriad, whose commas group them."""
    head, _, part = digits.replace(",", "").partition(".")
    return Decimal(f"{head}.{part.replace('.', '') or 0}")


def readings_of(digits: str) -> tuple[Decimal, ...]:
    """The values that digits may be read as: two where a point or comma may group them or not."""
    if digits.isdecimal():
        return (Decimal(digits),)
    plain = _SPACE.sub("", digits)
    marks = [mark for mark in plain if not mark.isdecimal()]
    if len(marks) == 1 and (plain[0] == "0" or plain[-4:-3] != marks[0]):
        # what begins with nothing, or has no three digits behind its only mark, is no group
        return (Decimal(plain.replace(",", ".")),)
    found: list[Decimal] = []
    for way in sorted({plain.replace(",", ""), plain.replace(".", "").replace(",", ".")}):
        try:
            found.append(Decimal(way))
        except InvalidOperation:
            continue
    return tuple(found)
