"""Texts that match a regular expression: short ones first, for the patterns that people write in schemas."""

import re
import string
from collections.abc import Callable, Iterator
from itertools import islice

_ALPHABET = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " \t\n"
_MOST_TRIED = 200

Maker = Callable[[int, int], str]
"""Makes a text: how often open repetitions repeat beyond what they must, and which of the fitting characters to take."""


def matching_text(pattern: str, least: int, most: float) -> Iterator[str]:
    """Different texts of `least` to `most` characters in which the pattern is found; none if the pattern is too clever.

    Understands characters, classes, groups, alternatives and repetitions; look-arounds and back references only where
    they make no difference.
    """
    try:
        found = re.compile(pattern).search
        make = _Reader(pattern).alternatives()
    except (re.error, IndexError, ValueError):
        return
    seen: set[str] = set()
    for text in _made(make, least):
        if text not in seen and least <= len(text) <= most and found(text):
            seen.add(text)
            yield text


def _made(make: Maker, least: int) -> Iterator[str]:
    for extra in range(max(_MOST_TRIED, least) + 1):
        for nth in range(len(_ALPHABET) if extra == 0 else 1):
            text = make(extra, nth)
            yield text
            yield text.ljust(least, "x")


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> Maker:
        """Up to the end of the group, or of the pattern."""
        branches = [self._row()]
        while self._take("|"):
            branches.append(self._row())
        return lambda extra, nth: branches[nth % len(branches)](extra, nth // len(branches))

    def _row(self) -> Maker:
        parts: list[Maker] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return lambda extra, nth: "".join(part(extra, nth) for part in parts)

    def _atom(self) -> Maker:
        if self._take("^") or self._take("$"):
            return _empty
        if self._take("("):
            return self._group()
        start = self._at
        if self._take("["):
            self._to_end_of_class()
        elif self._take("\\"):
            self._at += {"x": 3, "u": 5}.get(self._pattern[self._at], 1)
        else:
            self._at += 1
        token = self._pattern[start : self._at]
        if token in (r"\b", r"\B", r"\A", r"\Z"):
            return _empty
        return _one_of(token)

    def _group(self) -> Maker:
        aside = False
        if self._take("?"):
            aside = self._pattern[self._at] in "=!" or self._pattern[self._at : self._at + 2] in ("<=", "<!")
            rest = range(self._at, len(self._pattern))
            self._at = 1 + next((at for at in rest if self._pattern[at] in ":=!>"), len(self._pattern))
        inner = self.alternatives()
        if not self._take(")"):
            raise ValueError("a group without an end")
        return _empty if aside else inner

    def _to_end_of_class(self) -> None:
        self._take("^")
        self._take("]")
        while not self._take("]"):
            self._at += 2 if self._pattern[self._at] == "\\" else 1

    def _repeated(self, part: Maker) -> Maker:
        counted = re.compile(r"\{(\d*)(,?)(\d*)\}|([*+?])").match(self._pattern, self._at)
        if counted is None or counted[0] in ("{}", "{,}"):
            return part
        self._at = counted.end()
        _ = self._take("?") or self._take("+")
        if counted[4]:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[counted[4]]
        else:
            least = int(counted[1] or 0)
            most = int(counted[3]) if counted[3] else None if counted[2] else least

        def repeat(extra: int, nth: int) -> str:
            return part(extra, nth) * (least + extra if most is None else min(most, least + extra))

        return repeat

    def _take(self, sign: str) -> bool:
        taken = self._pattern.startswith(sign, self._at)
        self._at += len(sign) * taken
        return taken


def _empty(_: int, __: int) -> str:
    return ""


def _one_of(token: str) -> Maker:
    fits = re.compile(token).fullmatch
    fitting = list(islice(filter(fits, _ALPHABET + token), len(_ALPHABET)))
    if not fitting:
        raise ValueError(f"no usual character fits {token}")
    return lambda _, nth: fitting[nth % len(fitting)]
