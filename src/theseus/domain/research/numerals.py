"""Numbers in words, in the languages that the rules read: "twenty-one", "einundzwanzig", "quatre-vingt-dix", "dois mil e três".

One alone is no number, for it is an article, too. What may be another word (French "neuf") counts in a text of that language.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from theseus.domain.research.words import listed


def _counted(words: str, first: int, step: int = 1) -> dict[str, int]:
    """Words with values that follow each other; several for one value are joined by a bar."""
    return {
        word: first + place * step
        for place, each in enumerate(listed(words))
        for word in each.split("|")
        if word != "-"
    }


@dataclass(frozen=True)
class _Language:
    """How a language puts numbers together. `joins` stand between two parts; `glued` languages need nothing there."""

    parts: Mapping[str, int]
    joins: str
    glued: bool = False
    articles: Collection[str] = ()
    """Before a hundred or more they make one of it."""
    ends: Mapping[str, int] = field(default_factory=dict[str, int])
    """Parts that only stand behind others: of "twenty-first"."""
    least_alone: int = 10**6
    """What is so large says no number by itself: "several million"."""
    by_scores: bool = False
    """Whether ninety is four times twenty and ten."""

    @cached_property
    def telling(self) -> frozenset[str]:
        """The parts that are more than one."""
        return frozenset(part for part, value in self.parts.items() if value != 1)

    @cached_property
    def phrase(self) -> re.Pattern[str]:
        """Parts that may be numbers, with what joins them."""
        part = "|".join(sorted({*self.parts, *self.ends}, key=len, reverse=True))
        articles = rf"(?:(?:{'|'.join(self.articles)})\s(?=(?:{self._large})))?" if self.articles else ""
        joint = rf"(?:{self.joins})?" if self.glued else rf"(?:{self.joins})"
        return re.compile(rf"(?<!\w){articles}(?:{part})(?:{joint}(?:{part}))*(?!\w)")

    @cached_property
    def part(self) -> re.Pattern[str]:
        """One part, with what joins it to the one before."""
        part = "|".join(sorted({*self.parts, *self.ends}, key=len, reverse=True))
        return re.compile(rf"(?P<joint>(?:{self.joins})?)(?P<part>{part})")

    @property
    def _large(self) -> str:
        return "|".join(word for word, value in self.parts.items() if value >= HUNDRED or value < 0)


HUNDRED, THOUSAND = 100, 1000
DOZEN = -12
"""Less than nothing, for it is only taken so many times."""
_ENGLISH = {
    **_counted(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        1,
    ),
    **_counted("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10),
    **{
        "hundred": HUNDRED,
        "thousand": THOUSAND,
        "million": 10**6,
        "billion": 10**9,
        "trillion": 10**12,
        "dozen": DOZEN,
    },
}
_GERMAN = {
    **_counted("ein|eins|eine|einer|einem|einen zwei|zwo drei vier fünf sechs sieben acht neun zehn elf zwölf", 1),
    **_counted("dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn", 13),
    **_counted("zwanzig dreißig|dreissig vierzig fünfzig sechzig siebzig achtzig neunzig", 20, 10),
    **{"hundert": HUNDRED, "tausend": THOUSAND, "million": 10**6, "millionen": 10**6},
    **{"milliarde": 10**9, "milliarden": 10**9, "billion": 10**12, "billionen": 10**12},
}
_FRENCH = {
    **_counted("un|une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize", 1),
    **_counted("vingt|vingts trente quarante cinquante soixante septante huitante|octante nonante", 20, 10),
    **{"cent": HUNDRED, "cents": HUNDRED, "mille": THOUSAND, "million": 10**6, "millions": 10**6},
    **{"milliard": 10**9, "milliards": 10**9},
}
_SPANISH = {
    **_counted("un|uno|una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince", 1),
    **_counted(
        "dieciséis diecisiete dieciocho diecinueve veinte veintiún|veintiuno|veintiuna veintidós veintitrés veinticuatro",
        16,
    ),
    **_counted("veinticinco veintiséis veintisiete veintiocho veintinueve", 25),
    **_counted("treinta cuarenta cincuenta sesenta setenta ochenta noventa", 30, 10),
    **_counted(
        "cien|ciento doscientos|doscientas trescientos|trescientas cuatrocientos|cuatrocientas quinientos|quinientas",
        100,
        100,
    ),
    **_counted(
        "seiscientos|seiscientas setecientos|setecientas ochocientos|ochocientas novecientos|novecientas", 600, 100
    ),
    **{"mil": THOUSAND, "millón": 10**6, "millones": 10**6, "billón": 10**12, "billones": 10**12},
}
_PORTUGUESE = {
    **_counted("um|uma dois|duas três quatro cinco seis sete oito nove dez onze doze treze catorze|quatorze quinze", 1),
    **_counted("dezesseis|dezasseis dezessete|dezassete dezoito dezenove|dezanove", 16),
    **_counted("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa", 20, 10),
    **_counted(
        "cem|cento duzentos|duzentas trezentos|trezentas quatrocentos|quatrocentas quinhentos|quinhentas", 100, 100
    ),
    **_counted("seiscentos|seiscentas setecentos|setecentas oitocentos|oitocentas novecentos|novecentas", 600, 100),
    **{"mil": THOUSAND, "milhão": 10**6, "milhões": 10**6, "bilhão": 10**9, "bilhões": 10**9},
}
_ITALIAN = {
    **_counted(
        "un|uno|una due tre|tré quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici", 1
    ),
    **_counted("sedici diciassette diciotto diciannove", 16),
    **_counted("venti|vent trenta|trent quaranta|quarant cinquanta|cinquant sessanta|sessant settanta|settant", 20, 10),
    **_counted("ottanta|ottant novanta|novant", 80, 10),
    **{"cento": HUNDRED, "mille": THOUSAND, "mila": THOUSAND, "milione": 10**6, "milioni": 10**6},
    **{"miliardo": 10**9, "miliardi": 10**9},
}
_LANGUAGES: Mapping[str, _Language] = {
    "en": _Language(
        _ENGLISH,
        r"-|\s(?:and\s)?",
        articles=("a",),
        ends=_counted("first second third fourth fifth sixth seventh eighth ninth", 1),
        least_alone=HUNDRED,
    ),
    "de": _Language(_GERMAN, r"und|\s", glued=True),
    "fr": _Language(_FRENCH, r"-(?:et-)?|\s(?:et\s)?", by_scores=True),
    "es": _Language(_SPANISH, r"\s(?:y\s)?"),
    "pt": _Language(_PORTUGUESE, r"\s(?:e\s)?"),
    "it": _Language(_ITALIAN, r"\s", glued=True),
}
_LARGE = frozenset((HUNDRED, THOUSAND, 10**6, 10**9, 10**12))
_SCORES = frozenset(range(20, HUNDRED, 10))
_FRENCH_BASES = (60, 80)
_VAGUE = re.compile(r"\b(?:mehrere|einige|paar|viele)\s\Z")
REACH = 12


def numerals(lowered: str, words: Collection[str], language: str) -> Iterator[tuple[int, int, int]]:
    """The numbers in words of a text in lower case: start, end and value. A language that is not known is read as English."""
    spoken = _LANGUAGES.get(language, _LANGUAGES["en"])
    if not spoken.glued and spoken.telling.isdisjoint(words):
        return
    for match in spoken.phrase.finditer(lowered):
        yield from _read(spoken, match)


def _read(spoken: _Language, phrase: re.Match[str]) -> Iterator[tuple[int, int, int]]:
    """The numbers of one phrase: two and three of "two three-day trips", one of "two hundred and three"."""
    text, begin, last = phrase.string, phrase.start(), phrase.end()
    found = spoken.part.search(text, begin, last)
    if found is None or (found.start() == begin and _says_none(spoken, found)):
        return
    number, end = _Sum(by_scores=spoken.by_scores), begin
    while found is not None:
        part = spoken.parts.get(found["part"])
        is_taken = number.add(part, found["joint"].strip(" -")) if part else _ends(spoken, number, found)
        if not is_taken:
            yield from ((begin, end, value) for value in number.told())
            number, begin = _Sum(by_scores=spoken.by_scores), found.start("part")
            if part:
                number.add(part, "")
        end = found.end()
        found = spoken.part.match(text, end, last)
    yield from ((begin, end, value) for value in number.told())


def _says_none(spoken: _Language, first: re.Match[str]) -> bool:
    """Whether a phrase begins with a part that says how large something is, and not how many of it there are."""
    value = spoken.parts.get(first["part"], 0)
    if value not in _LARGE:
        return value < 0
    return value >= spoken.least_alone or bool(
        _VAGUE.search(first.string, max(first.start() - REACH, 0), first.start())
    )


def _ends(spoken: _Language, number: "_Sum", found: re.Match[str]) -> bool:
    is_joined = found["joint"].strip() in ("-", "and")
    return is_joined and number.add_end(spoken.ends[found["part"]], found["joint"].strip(" -"))


class _Sum:
    """A number whose parts are told one after another."""

    def __init__(self, *, by_scores: bool) -> None:
        self._by_scores = by_scores
        self._whole = 0
        self._rest = 0
        self._last = 0

    def told(self) -> Iterator[int]:
        """It, if it is more than one."""
        if self._whole + self._rest > 1:
            yield self._whole + self._rest

    def add(self, part: int, joint: str) -> bool:
        """Takes a part; false where it cannot belong to what was told before."""
        made = self._with(part, joint)
        if made is None:
            return False
        self._whole, self._rest = made
        self._last = part
        return True

    def add_end(self, part: int, joint: str) -> bool:
        """Takes a part that only stands behind others."""
        return bool(self._last) and self.add(part, joint)

    def _with(self, part: int, joint: str) -> tuple[int, int] | None:
        if joint == "and" and self._last < HUNDRED:
            return None
        if part >= THOUSAND:
            return self._scaled(part)
        if not self._last:
            return self._whole, abs(part)
        if (part == HUNDRED or part < 0) and 0 < self._rest < 20:
            return self._whole, self._rest * abs(part)
        rest = self._added(part, joint)
        return (self._whole, rest) if rest is not None else None

    def _scaled(self, part: int) -> tuple[int, int] | None:
        if not self._last:
            return part, 0
        if self._rest:
            return (self._whole + self._rest * part, 0) if not self._whole or part < self._whole else None
        # "mil millones", "thousand million"
        return (self._whole * part, 0) if part > self._last else None

    def _added(self, part: int, joint: str) -> int | None:
        below = self._rest % HUNDRED
        if part < 0:
            return None
        if not below:
            # hundreds never follow hundreds
            return self._rest + part if part < HUNDRED or not self._rest else None
        is_score = part in _SCORES
        fits = (part < 10 and below in _SCORES) or (joint == "und" and below < 10 and is_score)
        if self._by_scores and not fits:
            if below == 4 and part == 20:
                return self._rest + 76
            fits = below in _FRENCH_BASES and 10 <= part < 20
        return self._rest + part if fits else None
