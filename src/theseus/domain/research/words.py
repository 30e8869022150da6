"""The words of a text that carry its meaning, without their endings."""

import re
import unicodedata
from collections.abc import Collection

_WORD = re.compile(r"\w+")
_BARE = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"}
)
_STOP = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "from",
        "by",
        "with",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "had",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "which",
        "who",
        "their",
        "his",
        "her",
        "our",
        "not",
        "no",
        "also",
        "than",
        "then",
        "there",
        "but",
        "into",
        "over",
        "about",
        "after",
        "before",
        "per",
        "said",
        "says",
    ]
)


def stems_of(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order, as often as they stand there."""
    words = (word.casefold() for word in _WORD.findall(text))
    return [_stem(word) for word in words if word not in _STOP and (len(word) > 1 or word.isdigit())]


def _stem(word: str) -> str:
    if word[-1] not in "sgd":
        # the last letters of all endings
        return word
    for ending in ("ings", "ing", "ies", "ied", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def overlap(first: Collection[str], second: Collection[str]) -> float:
    """How much of the shorter of two lists of stems the other has, 0..1."""
    one, other = set(first), set(second)
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


def unmarked(text: str) -> str:
    """Letters without accents, each as people write it who have none: of "Łódź" "Lodz"."""
    if text.isascii():
        return text
    return "".join(
        sign for sign in unicodedata.normalize("NFKD", text.translate(_BARE)) if not unicodedata.combining(sign)
    )


def listed(text: str) -> list[str]:
    """The words of a list that is written as one text."""
    return text.split()
