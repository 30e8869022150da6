"""What the scripted model gives for a request, free of the wire."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from theseus.activities.llm.scripted.instance import instance
from theseus.activities.llm.scripted.script import Asked, Reply, Rule

PIECE_CHARS = 8
CHARS_OF_A_TOKEN = 4


@dataclass(frozen=True)
class GivenCall:
    """One tool call of an answer."""

    id: int
    name: str
    arguments: str

    def pieces(self) -> Iterator[str]:
        """Its arguments as they stream."""
        return _pieces(self.arguments)


@dataclass(frozen=True)
class Given:
    """One answer."""

    number: int
    model: str
    text: str
    calls: tuple[GivenCall, ...]
    finish: Literal["stop", "length", "tool_calls", "content_filter"]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int

    def pieces(self) -> Iterator[str]:
        """Its text as it streams."""
        return _pieces(self.text)


def answer(number: int, asked: Asked, rule: Rule, reply: Reply) -> Given:
    """The answer of a rule to a request."""
    text = _text(asked, reply)
    calls = tuple(
        GivenCall(number, call.name, call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments))
        for call in reply.tool_calls
    )
    if asked.answer_tool is not None and not calls:
        calls, text = (GivenCall(number, asked.answer_tool, text),), ""
    size = len(text) + sum(len(call.arguments) for call in calls)
    usage = rule.usage
    return Given(
        number=number,
        model=asked.model,
        text=text,
        calls=calls,
        finish=reply.finish_reason or ("tool_calls" if calls else "stop"),
        input_tokens=_tokens(asked.characters + len(asked.system)) if usage.input is None else usage.input,
        output_tokens=_tokens(size) if usage.output is None else usage.output,
        cached_tokens=usage.cached,
        cache_write_tokens=usage.cache_write,
    )


def _text(asked: Asked, reply: Reply) -> str:
    if reply.text is not None:
        return reply.text
    if reply.json_ is not None:
        return json.dumps(reply.json_)
    if reply.echo is not None:
        return asked.last_user
    if reply.tool_calls:
        return ""
    if asked.schema_ is not None:
        return json.dumps(instance(asked.schema_))
    return f"This is the scripted model. You said: {asked.last_user[:500]}"


def _tokens(characters: int) -> int:
    return max(1, -(-characters // CHARS_OF_A_TOKEN))


def _pieces(text: str) -> Iterator[str]:
    return (text[at : at + PIECE_CHARS] for at in range(0, len(text), PIECE_CHARS))
