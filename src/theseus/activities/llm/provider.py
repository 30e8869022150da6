"""What every provider offers: one streamed call, in words that are no provider's."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from theseus.activities.llm.catalogue import ModelEntry
from theseus.contracts.messages import AssistantMessage, Message
from theseus.contracts.tools import ToolSpec

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 300.0
"""Longest wait for the next piece of a stream: a model that reasons is silent for minutes before its first token."""

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True)
class Call:
    """One call. `stable` counts the leading messages that an earlier call already carried, for prompt caches."""

    model: ModelEntry
    system: str
    messages: Sequence[Message]
    max_output_tokens: int
    tools: Sequence[ToolSpec] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    temperature: float | None = None
    answer_name: str = "answer"
    answer_schema: Mapping[str, Any] | None = None
    stable: int = 0


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class TokenCount:
    """Tokens as the provider counts them; `input` holds cached and cache-written ones too."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0


@dataclass(frozen=True)
class Outcome:
    """The whole answer. `tokens` is None when the provider did not count."""

    message: AssistantMessage
    finish_reason: FinishReason
    tokens: TokenCount | None


class Provider(Protocol):
    """One provider's wire."""

    def stream(self, call: Call) -> AsyncGenerator[TextDelta | Outcome, None]:
        """Text as it comes, then one Outcome. Closing the generator closes the connection."""
        ...

    async def aclose(self) -> None:
        """Closes all connections."""
        ...
