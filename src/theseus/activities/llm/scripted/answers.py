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
    """One tool call of an answer; `arguments` is JSON, unless the script says otherwise."""

    id: int
    name: str
    arguments: str


@dataclass(frozen=True)
class Given:
    """One answer. `mark` is the character at which a fault wants a piece to end."""

    number: int
    model: str
    text: str
    calls: tuple[GivenCall, ...]
    finish: Literal["stop", "length", "tool_calls", "content_filter"]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    mark: int | None = None

    @property
    def size(self) -> int:
        """Characters of the text and of all arguments."""
        return len(self.text) + sum(len(call.arguments) for call in self.calls)

    def pieces(self, text: str, sent: int) -> Iterator[tuple[int, str]]:
        """A text as it streams: characters of the whole answer so far, this piece among them, and the piece."""
        at = 0
        while at < len(text):
            end = at + PIECE_CHARS
            if self.mark is not None and sent + at < self.mark < sent + end:
                end = self.mark - sent
            end = min(end, len(text))
            yield sent + end, text[at:end]
            at = end


def answer(number: int, asked: Asked, rule: Rule, reply: Reply) -> Given:
    """The answer of a rule to a request.

    Raises:
        SchemaError: the request asks for a structure that nothing is valid for.
    """
    tool = asked.answer_tool
    if tool is None and reply.is_silent and asked.tool_choice == "required":
        tool = next(iter(asked.tools), None)
    text = _default(asked, tool) if reply.is_silent else _text(asked, reply)
    calls = tuple(
        GivenCall(number, call.name, call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments))
        for call in reply.tool_calls
    )
    if tool is not None and not calls:
        calls, text = (GivenCall(number, tool, text),), ""
    size = len(text) + sum(len(call.arguments) for call in calls)
    usage, fault = rule.usage, rule.fault
    return Given(
        number=number,
        model=asked.model,
        text=text,
        calls=calls,
        finish=reply.finish_reason or ("tool_calls" if calls else "stop"),
        input_tokens=tokens(asked.characters) if usage.input is None else usage.input,
        output_tokens=tokens(size) if usage.output is None else usage.output,
        cached_tokens=usage.cached,
        cache_write_tokens=usage.cache_write,
        mark=fault.mark if fault else None,
    )


def tokens(characters: int) -> int:
    """What so many characters count as; never nothing."""
    return max(1, -(-characters // CHARS_OF_A_TOKEN))


def _text(asked: Asked, reply: Reply) -> str:
    if reply.text is not None:
        return reply.text
    if reply.json_ is not None:
        return json.dumps(reply.json_)
    return asked.last_user if reply.echo is not None else ""


def _default(asked: Asked, tool: str | None) -> str:
    schema = asked.schema_ if tool is None else asked.tools[tool]
    if tool is not None or schema is not None:
        return json.dumps(instance({} if schema is None else schema))
    return f"This is the scripted model. You said: {asked.last_user[:500]}"
