"""Token estimates without a tokenizer: how large a text is for any provider's model, rather too large than too small.

The numbers are fitted to recorded counts of six tokenizers (tests/unit/domain/recorded_usages.json). Where those agree
(English, code, Chinese) the estimate lies between the count and 1.6 times the count; in scripts where they differ by a
factor of two to four it keeps to the upper ones, so newer tokenizers need fewer tokens than it says.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from theseus.contracts.messages import AssistantMessage, Message, ToolMessage

MESSAGE_TOKENS = 6
"""What a provider adds to each message: who speaks, where it begins and ends."""
IMAGE_TOKENS = 1_600
"""What an image costs at most: providers scale larger ones down."""
_CALL_TOKENS = 12

_PIECE = re.compile(
    r"(?P<blob>(?<![A-Za-z0-9])(?=[A-Za-z+/]{0,23}[0-9])(?=[a-z0-9+/]{0,23}[A-Z])(?=[A-Z0-9+/]{0,23}[a-z])"
    r"[A-Za-z0-9+/]{24,})"
    r"|(?P<repeat>([^\w\s])\3{3,})"
    r"|(?P<upper>[A-Z]{2,}(?![a-z]))"
    r"|(?P<word>[A-Z]?[a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff]+)"
    r"|(?P<digits>[0-9]+)"
    r"|(?P<lines>[\n\r]+)"
    r"|(?P<tabs>\t+)"
    r"|(?P<spaces> {2,})"
    r"|(?P<mark>[!-/:-@A-Z\[-`{-~])"
    r"|(?P<other>[^\x00-\x7f]+)"
)
_ACCENT = re.compile(r"[^\x00-\x7f]")
_DOUBLE_ACCENTS = "\u1e00"
_WHOLE_WORD = 5

# tokens of: a letter after a word's fifth, a letter with an accent (with two of them), a punctuation mark
_LATE_COST = 0.24
_ACCENT_COST = 0.7
_DOUBLE_ACCENT_COST = 1.1
_MARK_COST = 0.8
# words of languages other than English are cut finer, the more so the more letters in a hundred have accents
_FOREIGN_COST = 0.1
_FOREIGN_PERCENT = 6.0
# letters of a token in capitals and in text that is random, such as base64
_UPPER_LETTERS = 2.6
_RANDOM_LETTERS = 1.5

_BLOCKS: tuple[tuple[int, float], ...] = (
    (0x0080, 1.0),  # Latin-1 signs
    (0x00C0, 1.3),  # Latin capitals with accents
    (0x0250, 1.5),
    (0x0370, 1.2),  # Greek
    (0x0400, 0.68),  # Cyrillic
    (0x0530, 2.0),  # Armenian
    (0x0590, 1.25),  # Hebrew
    (0x0600, 1.1),  # Arabic
    (0x0700, 2.5),
    (0x0900, 1.25),  # Devanagari
    (0x0980, 1.9),  # other scripts of India
    (0x0E00, 1.7),  # Thai
    (0x0E80, 2.0),  # Lao, Tibetan, Burmese, Georgian
    (0x1100, 2.0),
    (0x1200, 3.0),  # Ethiopic and other rarely written ones
    (0x2000, 1.0),  # dashes, quotes
    (0x2070, 1.9),  # signs, arrows, mathematics
    (0x2500, 0.7),  # lines and boxes
    (0x25A0, 2.0),
    (0x3000, 1.0),  # CJK punctuation
    (0x3040, 1.0),  # kana
    (0x3100, 2.0),
    (0x3400, 3.0),  # rare Han; the common ones are told apart below
    (0xA000, 3.0),
    (0xAC00, 1.5),  # Hangul
    (0xD7B0, 3.0),
    (0xFE00, 1.0),  # variation selectors, full-width forms
    (0x10000, 3.0),  # emoji, symbols
    (0x20000, 4.0),
)
_BLOCK_STARTS = tuple(start for start, _ in _BLOCKS)
_HAN = range(0x4E00, 0xA000)
_COMMON_COST, _TRADITIONAL_COST, _UNCOMMON_COST, _RARE_COST = 1.15, 1.7, 2.2, 2.6


def estimate(text: str) -> int:
    """Tokens of a text, rather too many than too few; 0 for the empty text. Linear in the text's length."""
    words = rest = 0.0
    letters = accents = 0
    for piece in _PIECE.finditer(text):
        if piece.lastgroup != "word":
            rest += _cost(piece)
            continue
        word = piece.group()
        words += 1 if len(word) <= _WHOLE_WORD else 1 + (len(word) - _WHOLE_WORD) * _LATE_COST
        letters += len(word)
        if not word.isascii():
            marked = _ACCENT.findall(word)
            accents += len(marked)
            rest += sum(_ACCENT_COST if letter < _DOUBLE_ACCENTS else _DOUBLE_ACCENT_COST for letter in marked)
    foreign = min(_FOREIGN_PERCENT, 100 * accents / letters) if letters else 0.0
    return math.ceil(words * (1 + _FOREIGN_COST * foreign) + rest)


def estimate_messages(messages: Sequence[Message]) -> int:
    """Tokens of messages with what a provider adds to each: role marks, call ids, names."""
    return sum(_message(message) for message in messages)


def _message(message: Message) -> int:
    tokens = MESSAGE_TOKENS + estimate(message.text)
    if isinstance(message, AssistantMessage):
        tokens += sum(_CALL_TOKENS + estimate(call.name) + estimate(call.arguments) for call in message.tool_calls)
    elif isinstance(message, ToolMessage):
        tokens += _CALL_TOKENS
    return tokens


def _cost(piece: re.Match[str]) -> float:
    kind = piece.lastgroup
    size = piece.end() - piece.start()
    if kind == "other":
        return sum(map(_char_cost, piece.group()))
    if kind == "digits":
        return size
    if kind == "mark":
        return _MARK_COST
    return _run_cost(kind, size)


def _run_cost(kind: str | None, size: int) -> float:
    if kind == "upper":
        return max(1.0, size / _UPPER_LETTERS)
    if kind == "blob":
        return size / _RANDOM_LETTERS
    if kind == "repeat":
        return 1 + size / 10
    if kind == "tabs":
        return 0.6 + size / 4
    return 0.9 + size / 32


@lru_cache(maxsize=16_384)
def _char_cost(char: str) -> float:
    code = ord(char)
    return _han_cost(char) if code in _HAN else _BLOCKS[bisect_right(_BLOCK_STARTS, code) - 1][1]


def _han_cost(char: str) -> float:
    # the old national standards list characters by how often they are written
    simplified = char.encode("gb2312", "ignore")
    if simplified and simplified[0] < 0xD8:
        return _COMMON_COST
    traditional = char.encode("big5", "ignore")
    if traditional and traditional[0] < 0xC7:
        return _TRADITIONAL_COST
    return _UNCOMMON_COST if simplified or traditional else _RARE_COST
