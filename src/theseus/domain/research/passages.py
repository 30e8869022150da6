"""The parts of a page that fit a question best: what of it goes through a history."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from theseus.domain.research.words import stems_of

PARAGRAPH_CHARS = 1_200
"""A longer paragraph is cut into several."""

_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*")


@dataclass(frozen=True)
class Passage:
    """A part of a text, and where it begins there."""

    start: int
    text: str


def paragraphs(text: str) -> list[Passage]:
    """The paragraphs of a text, long ones in several parts."""
    found: list[Passage] = []
    for match in _PARAGRAPH.finditer(text):
        start, end = match.span()
        while end - start > PARAGRAPH_CHARS:
            cut = text.rfind(" ", start + PARAGRAPH_CHARS // 2, start + PARAGRAPH_CHARS)
            cut = cut if cut > 0 else start + PARAGRAPH_CHARS
            found.append(Passage(start, text[start:cut]))
            start = cut
        if text[start:end].strip():
            found.append(Passage(start, text[start:end]))
    return found


def fitting(text: str, about: str, room_chars: int) -> list[Passage]:
    """The passages that fit best and fit in, in the order of the page; a short page whole, and the head of one without any."""
    parts = paragraphs(text)
    if len(text) <= room_chars:
        return parts
    wanted = Counter(stems_of(about))
    words = [Counter(stems_of(part.text)) for part in parts]
    scores = [_score(each, wanted, words) for each in words]
    order = sorted((place for place, score in enumerate(scores) if score), key=lambda place: (-scores[place], place))
    order = order or list(range(len(parts)))
    chosen: list[int] = []
    left = room_chars
    for place in order:
        if len(parts[place].text) <= left:
            chosen.append(place)
            left -= len(parts[place].text)
    return [parts[place] for place in sorted(chosen)]


def _score(words: Counter[str], wanted: Counter[str], all_words: Sequence[Counter[str]]) -> float:
    if not words:
        return 0.0
    size = sum(words.values())
    total = 0.0
    for word in wanted:
        count = words.get(word, 0)
        if count:
            having = sum(word in other for other in all_words)
            total += math.log(1 + len(all_words) / having) * count * 2.2 / (count + 1.2 * (0.5 + size / 160))
    return total
