"""The parts of a page that fit a question best: what of it goes through a history."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from theseus.domain.research.words import listed, stems_of

PARAGRAPH_CHARS = 1_200
"""A longer paragraph is cut into several."""

LEAST_TELLING = 0.5
LEAST_SENTENCE_CHARS, MOST_SENTENCE_CHARS = 40, 300

_ASKING = frozenset(listed("what how when where why who whom whose do does did can could should would will many much"))

_SENTENCE = re.compile(r"[^\s.!?#*+>|-][^.!?]*(?:[.!?](?=\S)[^.!?]*)*[.!?]?")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?![^\S\n]*\n)[^\n]+)*")


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


def fitting(text: str, about: str, room_chars: int, each_chars: int = 0) -> list[Passage]:
    """The passages that fit best and fit in, in the order of the page; a short page whole, and the head of one without any.

    Each takes up `each_chars` besides its text. Where even the best one has no room, its beginning is there.
    """
    parts = paragraphs(text)
    if len(text) <= room_chars:
        return parts
    words = [Counter(stems_of(part.text)) for part in parts]
    having = Counter(word for each in words for word in each)
    weights = {word: math.log(1 + len(parts) / having[word]) for word in stems_of(about) if word in having}
    scores = [_score(each, weights) for each in words]
    order = sorted((place for place, score in enumerate(scores) if score), key=lambda place: (-scores[place], place))
    order = order or list(range(len(parts)))
    chosen: list[Passage] = []
    left = room_chars
    for place in order:
        part = parts[place]
        if not chosen and len(part.text) + each_chars > left:
            return [Passage(part.start, part.text[: max(left - each_chars, 0)])]
        if len(part.text) + each_chars <= left:
            chosen.append(part)
            left -= len(part.text) + each_chars
    return sorted(chosen, key=lambda part: part.start)


def telling(text: str, about: str) -> Passage | None:
    """The sentence of a text that has most of the words of a question; None where none has at least half of them.

    Words that only ask stand in no answer, and are not counted.
    """
    wanted = set(stems_of(about))
    wanted = wanted - _ASKING or wanted
    best: tuple[float, Passage] | None = None
    for part in paragraphs(text):
        for match in _SENTENCE.finditer(part.text):
            said = match.group().rstrip()
            if not LEAST_SENTENCE_CHARS <= len(said) <= MOST_SENTENCE_CHARS:
                continue
            score = len(wanted.intersection(stems_of(said))) / max(len(wanted), 1)
            if score >= LEAST_TELLING and (best is None or score > best[0]):
                best = score, Passage(part.start + match.start(), said)
    return best[1] if best is not None else None


def _score(words: Counter[str], weights: Mapping[str, float]) -> float:
    size = sum(words.values())
    return sum(
        weight * words[word] * 2.2 / (words[word] + 1.2 * (0.5 + size / 160))
        for word, weight in weights.items()
        if word in words
    )
