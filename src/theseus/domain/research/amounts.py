"""Amounts of a claim as spans of values, in English, German, Japanese and Chinese: what "about 400" may mean, too.

A figure says less than its digits: it is rounded, it is a bound or a range, it can be read in two ways. Two of them
differ only where no value is in the spans of both.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from theseus.domain.research.words import listed

ABOUT = 0.1
"""How far "about" may be from the value, as a part of it."""
ROUNDED = 0.49
"""A value may be rounded by nearly half of its last place: of what ends in zeros, of the last place that is none."""
MOST_ROUNDED = 0.05
"""But by no more than this part of it."""
_SCALES = {
    **dict.fromkeys(listed("thousand tausend tsd 千"), 1e3),
    **dict.fromkeys(listed("万 萬"), 1e4),
    **dict.fromkeys(listed("million millions millionen mio mn m"), 1e6),
    **dict.fromkeys(listed("億 亿"), 1e8),
    **dict.fromkeys(listed("billion billions bn milliarde milliarden mrd"), 1e9),
    **dict.fromkeys(listed("trillion trillions tn billionen 兆"), 1e12),
}
UNITS: dict[str, tuple[str, float]] = {
    alias: (kind, size)
    for kind, size, aliases in (
        ("%", 1, "% percent prozent パーセント"),
        ("points", 1, "points percentage-points prozentpunkte ポイント"),
        ("length", 1, "metre metres meter meters metern m メートル 米"),
        ("length", 1000, "km kilometre kilometres kilometer kilometers kilometern キロメートル 公里"),
        ("length", 0.01, "cm centimetre centimetres centimeter centimeters zentimeter センチ センチメートル 厘米"),
        ("length", 0.001, "mm millimetre millimetres millimeter millimeters ミリ"),
        ("length", 0.3048, "ft foot feet"),
        ("length", 1609.344, "mi mile miles meile meilen マイル"),
        ("mass", 1, "kg kilogram kilograms kilogramm キログラム 公斤"),
        ("mass", 1000, "tonne tonnes tonnen ton tons トン 吨"),
        ("mass", 0.4536, "lb lbs"),
        ("area", 1, "m² m2 sqm square-metres square-meters quadratmeter 平方メートル 平方米"),
        ("area", 1e6, "km² km2 square-kilometres square-kilometers quadratkilometer 平方キロメートル 平方公里"),
        ("area", 1e4, "ha hectare hectares hektar ヘクタール 公顷"),
        ("usd", 1, "$ us$ usd dollar dollars us-dollar ドル 美元"),
        ("eur", 1, "€ eur euro euros ユーロ 欧元"),
        ("gbp", 1, "£ gbp pound pounds pfund ポンド 英镑"),
        ("yen", 1, "¥ yen jpy 円"),
        ("yuan", 1, "yuan rmb cny 元 人民元"),
        ("celsius", 1, "°c celsius 度"),
        ("fahrenheit", 1, "°f fahrenheit"),
        ("time", 1, "second seconds sec secs sekunde sekunden 秒"),
        ("time", 60, "minute minutes min mins minuten 分"),
        ("time", 3600, "hour hours stunde stunden 時間 小时"),
        ("time", 86400, "day days tag tage tagen 日間 天"),
        ("time", 604800, "week weeks woche wochen 週間 周"),
        ("time", 2629800, "month months monat monate monaten か月 ヶ月 カ月 个月"),
        ("time", 31557600, "year years jahr jahre jahren 年間"),
        ("age", 1, "year-old 歳 岁"),
        ("power", 1, "kw kilowatt kilowatts キロワット"),
        ("power", 1e3, "mw megawatt megawatts メガワット"),
        ("power", 1e6, "gw gigawatt gigawatts ギガワット"),
        ("energy", 1, "kwh kilowattstunden"),
        ("energy", 1e3, "mwh"),
        ("energy", 1e6, "gwh"),
        ("data", 1, "mb megabyte megabytes"),
        ("data", 1e3, "gb gigabyte gigabytes"),
        ("data", 1e6, "tb terabyte terabytes"),
        ("volume", 1, "litre litres liter liters litern リットル"),
    )
    for alias in aliases.split()
}
_COUNTS = listed("two three four five six seven eight nine ten eleven twelve")
_NUMERALS = {
    **{word: value for value, word in enumerate(_COUNTS, start=2)},
    **{
        word: value
        for value, word in enumerate(listed("zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"), start=2)
    },
}

JOINED = r"0-9A-Za-z\u00c0-\u024f_.,"
"""What a figure does not stand right behind."""
_DIGITS = r"\d+(?:[.,\u00a0\u202f'\u2019 ]\d{3}(?!\d))*(?:[.,]\d+)?"
_SCALE = (
    r"thousand|tausend|tsd\.?|millionen|millions?|mio\.?|milliarden?|mrd\.?|billionen|billions?|trillions?|bn|mn|tn"
)
_AMOUNT = re.compile(
    rf"(?<![{JOINED}])(?P<sign>[-\u2212](?=\d))?(?P<before>us\$|[$€£¥])?\s?"
    rf"(?:(?P<myriads>(?:\d[\d,.]*\s?(?:千?[万萬億亿兆]|千)){{1,4}}(?:\d[\d,]*)?)|(?P<digits>{_DIGITS})(?:\s?(?P<scale>(?:{_SCALE})(?!\w)))?)"
    rf"(?P<gap>[\s-]?)(?P<unit>%|°[CcFf]\b|[€£$¥]|per[ -]cent\b|percentage[ -]points?\b|square[ -]\w+|year[ -]old\b|[ァ-ヴー]+"
    rf"|[か-けヶカ][月]|[\u4e00-\u9fff]{{1,3}}|[^\W\d_][\w\u00b2-]*)?"
    rf"|\b(?P<numeral>{'|'.join(_NUMERALS)})\b(?P<wordgap>\s)(?P<what>[^\W\d_][\w-]*)",
    re.IGNORECASE,
)
_MYRIAD = re.compile(r"(\d[\d,.]*)\s?(千?)([万萬億亿兆]?)")
_RANGE = re.compile(
    r"\s?(?:[-\u2013\u2014〜~]|to|bis|and|und|から)\s?(?=us\$|[$€£¥]|\d)|\s?(?:±|\+/-|\+-)\s?(?=\d)", re.IGNORECASE
)
_BETWEEN = re.compile(r"(?:between|zwischen)\s*$", re.IGNORECASE)
ABOUT_BEFORE = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|some|circa|ca\.?|c\.|estimated|nearly|almost|close to|rund|etwa|ungefähr|gut"
    r"|knapp|fast|annähernd|nahezu|schätzungsweise)|[~≈]|約|およそ|ほぼ|大约|约)\s?(?:at\s|to be\s)?$",
    re.IGNORECASE,
)
LEAST_BEFORE = re.compile(
    r"(?:\b(?:more than|over|at least|above|exceed\w*|no fewer than|no less than|upwards? of|a minimum of|mehr als|über|mindestens|wenigstens)"
    r"|[>≥]|超过|至少)\s?$",
    re.IGNORECASE,
)
MOST_BEFORE = re.compile(
    r"(?:\b(?:up to|at most|less than|fewer than|under|below|no more than|not more than|a maximum of|höchstens|maximal|bis zu|weniger als"
    r"|unter)|[<≤]|最大|最多|不到)\s?$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s?(?:(?P<about>程度|前後|近く|ほど|左右|or so\b)|(?P<least>以上|超|あまり|or more\b|\+)|(?P<most>以下|未満|or (?:less|fewer)\b))"
)
_ENDS = frozenset(
    listed("in of at for to from by on with and or a an the per each every im am von für und oder pro je bei mit")
)
"""Words that what is counted does not go beyond."""
_COUNTED = re.compile(r"[^\W\d_][\w'\u2019-]*")
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


def folded(claim: str) -> str:
    """The claim with figures and signs of any width in their plain form."""
    return unicodedata.normalize("NFKC", claim.replace("²", "2")).replace("\u2044", "/")


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with spaces in place of these stretches."""
    left = list(text)
    for start, end in spans:
        left[start:end] = " " * (end - start)
    return "".join(left)


def amounts(text: str) -> list[Amount]:
    """The amounts that a folded claim names, in order; its times are taken out, for they are none."""
    return list(_amounts(text))


def _amounts(text: str) -> Iterator[Amount]:
    at = 0
    while (match := _AMOUNT.search(text, at)) is not None:
        at = max(match.end("digits"), match.end("myriads"), match.end("numeral"))
        joined = _RANGE.match(text, match.end()) or _RANGE.match(text, at)
        second = _AMOUNT.match(text, joined.end()) if joined is not None else None
        if joined is None or second is None or (joined.group().strip() in ("and", "und") and not _between(text, match)):
            yield _amount(text, match, match)
            continue
        at = max(second.end("digits"), second.end("myriads"), second.end("numeral"))
        yield _range(text, match, second, is_around=joined.group().strip() in ("±", "+/-", "+-"))


def _between(text: str, match: re.Match[str]) -> bool:
    return _BETWEEN.search(text, max(match.start() - REACH, 0), match.start()) is not None


def _range(text: str, first: re.Match[str], second: re.Match[str], *, is_around: bool) -> Amount:
    one, two = _amount(text, first, second), _amount(text, second, second)
    if is_around:
        spans = [
            (low - high, low + high)
            for (low, _), (_, high) in zip(_exact(first, second), _exact(second, second), strict=False)
        ]
    else:
        spans = [(min(low, bottom), max(high, top)) for low, high in one.spans for bottom, top in two.spans]
    shown = text[first.start() : two.end].strip()
    return Amount(shown, tuple(spans), two.kind, two.counted, first.start(), two.end)


def _exact(match: re.Match[str], unit: re.Match[str]) -> list[Span]:
    size = _unit(unit)[1]
    return [(value * size, value * size) for value, _ in _values(match, unit)]


def _amount(text: str, match: re.Match[str], unit: re.Match[str]) -> Amount:
    """The amount of a match, in the unit that another has, which is its own where it is no range's beginning."""
    kind, size = _unit(unit)
    before = match.start()
    spans = tuple(
        (low * size, high * size)
        for value, step in _values(match, unit)
        # what is counted is exact, what is measured is not
        for low, high in [_spread(text, match, value, step or 1.0 if kind else step)]
    )
    number_end = max(
        match.end("digits"), match.end("myriads"), match.end("scale"), match.end("numeral"), match.end("before")
    )
    end = match.end() if kind and match["unit"] else number_end
    counted = () if kind else _counted(text, number_end)
    return Amount(text[before:end].strip(), spans, kind, counted, before, end)


def _spread(text: str, match: re.Match[str], value: float, step: float) -> Span:
    """Between what a value may be: by the words beside it, or by how it is rounded."""
    begin = max(match.start() - REACH, 0)
    start = match.start() + (1 if text[match.start()].isspace() else 0)
    end = max(match.end("digits"), match.end("myriads"), match.end("scale"))
    # a counter of one or two signs may stand between
    after = next((found for at in (match.end(), end, end + 1, end + 2) if (found := _AFTER.match(text, at))), None)
    if LEAST_BEFORE.search(text, begin, start) or (after and after["least"]):
        return value, inf
    if MOST_BEFORE.search(text, begin, start) or (after and after["most"]):
        return -inf, value
    if ABOUT_BEFORE.search(text, begin, start) or (after and after["about"]):
        return value - abs(value) * ABOUT, value + abs(value) * ABOUT
    room = min(step * ROUNDED, abs(value) * MOST_ROUNDED)
    return value - room, value + room


def _values(match: re.Match[str], unit: re.Match[str]) -> list[tuple[float, float]]:
    """The values that a number may be read as, each with the size of its last place."""
    if match["numeral"]:
        return [(float(_NUMERALS.get(match["numeral"].lower(), 0)), 0.0)]
    if match["myriads"]:
        parts = [
            (_plain(part[1]), _SCALES.get(part[2], 1.0) * _SCALES.get(part[3], 1.0))
            for part in _MYRIAD.finditer(match["myriads"])
        ]
        return [(sum(number * scale for number, scale in parts), parts[-1][1] / (10 if "." in match["myriads"] else 1))]
    named = match["scale"] or ("m" if match["before"] and (unit["unit"] or "").lower() == "m" else unit["scale"])
    scale = _SCALES.get((named or "").lower().rstrip("."), 1.0)
    sign = -1 if match["sign"] else 1
    return [
        (value * scale * sign, (step or (1.0 if named else 0.0)) * scale) for value, step in _readings(match["digits"])
    ]


def _plain(digits: str) -> float:
    """The value of digits that stand before a myriad, whose commas group them."""
    whole, _, part = digits.replace(",", "").partition(".")
    return float(f"{whole}.{part.replace('.', '') or 0}")


def _readings(digits: str) -> list[tuple[float, float]]:
    plain = re.sub(r"[\s\u00a0\u202f'\u2019]", "", digits)
    ways = {plain.replace(",", ""), plain.replace(".", "").replace(",", ".")}
    for mark in ",.":
        if plain.count(mark) == 1 and len(plain.rpartition(mark)[2]) != 3 and not ({",", "."} - {mark}) & set(plain):
            ways = {plain.replace(",", ".")}
    return [(float(way), _step(way)) for way in sorted(ways) if way.count(".") <= 1]


def _step(way: str) -> float:
    """The size of the last place that a number shows: of two zeros or more at its end nobody knows whether they are counted."""
    whole, _, part = way.partition(".")
    if part:
        return 10.0 ** -len(part)
    zeros = len(whole) - len(whole.rstrip("0"))
    return 10.0**zeros if zeros > 1 else 0.0


def _unit(match: re.Match[str]) -> tuple[str, float]:
    if match["before"]:
        return UNITS.get(match["before"].lower(), ("", 1.0))
    name = re.sub(r"\s+", "-", (match["unit"] or match["what"] or "").lower())
    for alias in (
        name,
        name.replace("per-cent", "percent"),
        name.replace("-", ""),
        name.rstrip("."),
        name.partition("-")[0],
        name[:2],
        name[:1],
    ):
        is_sign = len(alias) > 2 or alias == name or not alias.isascii()
        if is_sign and alias in UNITS:
            return UNITS[alias]
    return "", 1.0


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
