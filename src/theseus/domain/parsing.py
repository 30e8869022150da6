"""JSON out of model text: bare, in code fences, or with prose around. Nothing else is repaired.

A part of a broken or cut structure is never taken for the answer: the search goes on behind the place where reading
failed. That, and a bound on the places tried, also keeps hostile text from making it slow.
"""

import json
import re
from collections.abc import Iterator

from pydantic import JsonValue

MAX_DEPTH = 100
"""Deeper nesting is refused: it is never an answer, and what reads it later may recurse."""
_MAX_TRIES = 256

_FENCE = re.compile(r"```[^\S\n]*[\w+.-]*\s*")
_START = re.compile(r'\{(?=\s{0,200}["}])|\[(?=\s{0,200}["\[\]{\-0-9tfn])')
_OPENERS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
_SPACE = re.compile(r"\s*")


def json_of(text: str) -> JsonValue:
    """The JSON of a model's answer.

    Tried in this order: the whole text; a fenced block; the first object or array that stands in prose. An array
    without an object in it counts only when there is nothing better, since prose has marks such as `[1]`.

    Raises:
        ValueError: there is no JSON; the message says why, in words that a model can act on.
    """
    whole = text.strip("\ufeff \t\r\n")
    if not whole:
        raise ValueError("the answer is empty; JSON was asked for")
    reader = _Reader(whole)
    for found in (reader.whole(), reader.fenced(), reader.in_prose()):
        for value in found:
            return value
    raise ValueError(f"no valid JSON in the answer: {reader.reason}")


def response_of(text: str) -> JsonValue:
    """The parsed text when all of it, fences apart, is one JSON object or array; else None."""
    whole = text.strip("\ufeff \t\r\n")
    if fence := _FENCE.match(whole):
        whole = whole[fence.end() :].removesuffix("```").rstrip()
    if not whole.startswith(("{", "[")):
        return None
    return next(_Reader(whole).whole(), None)


class _Reader:
    """Reads JSON values at places of one text, within bounds, and keeps the reason of the most telling failure."""

    def __init__(self, text: str) -> None:
        self.reason = "it has neither an object nor an array"
        self._text = text
        self._tries = _MAX_TRIES
        self._reached = 0
        self._most = -1
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)

    def whole(self) -> Iterator[JsonValue]:
        """The value that is the whole text."""
        for value, end in self._read(0):
            if end == len(self._text):
                yield value

    def fenced(self) -> Iterator[JsonValue]:
        """Values that fill a fenced block; the last block may lack its closing fence."""
        for fence in _FENCE.finditer(self._text):
            for value, end in self._read(fence.end()):
                rest = _end_of_space(self._text, end)
                if rest == len(self._text) or self._text.startswith("```", rest):
                    yield value

    def in_prose(self) -> Iterator[JsonValue]:
        """Outermost objects and arrays, those with an object first."""
        plain: list[JsonValue] = []
        at = 0
        while (start := _START.search(self._text, at)) is not None and self._tries > 0:
            for value, end in self._read(start.start()):
                if "{" in self._text[start.start() : end]:
                    yield value
                else:
                    plain.append(value)
            at = max(start.end(), self._reached)
        yield from plain

    def _read(self, at: int) -> Iterator[tuple[JsonValue, int]]:
        if self._tries <= 0:
            return
        self._tries -= 1
        try:
            value, self._reached = self._decoder.raw_decode(self._text, at)
            _check(value, self._text[at : self._reached])
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated")
            self._failed(at, len(self._text) if cut else error.pos, str(error))
        except RecursionError:
            self._failed(at, len(self._text), f"it is nested too deeply; at most {MAX_DEPTH} levels are read")
        except ValueError as error:
            self._failed(at, len(self._text), str(error))
        else:
            yield value, self._reached

    def _failed(self, at: int, reached: int, reason: str) -> None:
        self._reached = reached
        if reached - at > self._most and self._text.startswith(("{", "["), at):
            self._most, self.reason = reached - at, reason


def _check(value: JsonValue, piece: str) -> None:
    depth = deepest = 0
    for mark in _OPENERS.finditer(piece):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(mark.group(), 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"it is nested {deepest} levels deep; at most {MAX_DEPTH} are read")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a string in it has half of a surrogate pair") from error


def _end_of_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value
