"""Whether a quote stands in a text, and where: word for word, but for typography, or but for small slips of copying.

A slip never changes a number or takes away a "not": a quote that differs there is no quote.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

LEAST_SCORE = 0.9
LEAST_LETTERS = 12
"""A shorter quote stands in every text."""
MOST_CHARS = 2_000
WINDOWS_TRIED = 6
_GRAM = 3

_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032\u00b4\u0060", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff", None),
    }
)
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nor|neither|without|cannot|\w+n't|nicht|kein\w*|nie|ne|pas|jamais|sin|nunca)\b"
)


@dataclass(frozen=True)
class Match:
    """Where a quote stands in a text, in characters, and how well it fits (1.0 is word for word)."""

    start: int
    end: int
    how: Literal["exact", "normalised", "fuzzy"]
    score: float


@dataclass(frozen=True)
class Folded:
    """A text without the differences that typography makes; `places` has where each character came from."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original text."""
        return self.places[start], self.places[end - 1] + 1


def find(quote: str, text: str, folded: Folded | None = None) -> Match | None:
    """The best place of a quote in a text; None where it does not stand. `folded` is the text's, if it is known.

    A quote of more than MOST_CHARS characters, or of fewer than LEAST_LETTERS letters and digits, stands nowhere.
    """
    wanted = quote.strip().strip("\"'\u201c\u201d\u2018\u2019").strip()
    if len(wanted) > MOST_CHARS or sum(letter.isalnum() for letter in wanted) < LEAST_LETTERS:
        return None
    if (at := text.find(wanted)) >= 0:
        return Match(at, at + len(wanted), "exact", 1.0)
    whole = folded or fold(text)
    short = fold(wanted).text
    if (at := whole.text.find(short)) >= 0:
        return Match(*whole.span(at, at + len(short)), "normalised", 1.0)
    return _nearly(short, whole)


def fold(text: str) -> Folded:
    """Lower case, plain quotes and dashes, single spaces, no invisible characters, words joined over line breaks."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for made in unicodedata.normalize("NFKC", letter).translate(_SIGNS).lower():
            if made.isspace():
                if not letters or letters[-1] == " ":
                    continue
                made = " "
            letters.append(made)
            places.append(place)
    if letters and letters[-1] == " ":
        letters.pop()
        places.pop()
    return Folded("".join(letters), tuple(places))


def _nearly(quote: str, whole: Folded) -> Match | None:
    best: Match | None = None
    for start, end in _windows(quote, whole.text):
        window = whole.text[start:end]
        if not _says_the_same(quote, window):
            continue
        alike = SequenceMatcher(None, quote, window, autojunk=False)
        # the quick ratio is never less than the exact one, which may take long
        score = alike.ratio() if alike.quick_ratio() >= LEAST_SCORE else 0.0
        if score >= LEAST_SCORE and (best is None or score > best.score):
            best = Match(*whole.span(start, end), "fuzzy", round(score, 3))
    return best


def _says_the_same(quote: str, window: str) -> bool:
    return _NUMBER.findall(quote) == _NUMBER.findall(window) and (
        len(_NEGATION.findall(quote)) == len(_NEGATION.findall(window))
    )


def _windows(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Stretches of the text that share most runs of words with the quote, as long as it is, word by word."""
    wanted = [match.group() for match in _WORD.finditer(quote)]
    words = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]
    if len(wanted) < _GRAM or len(words) < _GRAM:
        return
    grams: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(wanted) - _GRAM + 1):
        grams.setdefault(tuple(wanted[place : place + _GRAM]), []).append(place)
    hits: Counter[int] = Counter()
    names = [word for word, _, _ in words]
    for place in range(len(names) - _GRAM + 1):
        for offset in grams.get(tuple(names[place : place + _GRAM]), ()):
            hits[max(place - offset, 0)] += 1
    starts = [begin for _, begin, _ in words]
    for first, _ in hits.most_common(WINDOWS_TRIED):
        begin = starts[first]
        last = min(bisect_left(starts, begin + len(quote)), len(words)) - 1
        # the last word may be one more or one fewer than the quote's length says
        for end in range(max(last - 1, first), min(last + 1, len(words) - 1) + 1):
            yield begin, words[end][2]
