"""What every provider offers: one streamed call, in words that are no provider's."""

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import JsonValue

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


@dataclass(frozen=True)
class Vectors:
    """One vector a text, in their order. `input_tokens` is None when the provider did not count."""

    vectors: Sequence[tuple[float, ...]]
    input_tokens: int | None


class StreamEndedEarlyError(Exception):
    """The stream closed before the provider said that the answer is whole."""


class ProviderFaultError(Exception):
    """What a provider's SDK raised, free of the SDK.

    Args:
        words: what was said.
        status: HTTP status; None when there was none, or the error came inside a stream.
        body: the parsed body of the error.
        headers: of the response.
        reached: False when nobody answered.
    """

    def __init__(
        self,
        words: str,
        *,
        status: int | None = None,
        body: JsonValue = None,
        headers: Mapping[str, str] | None = None,
        reached: bool = True,
    ) -> None:
        super().__init__(words)
        self.status = status
        self.body = body
        self.headers: Mapping[str, str] = headers or {}
        self.reached = reached


@contextmanager
def translated(known: type[Exception], unreached: type[Exception]) -> Generator[None, None, None]:
    """Turns an SDK's errors into `ProviderFaultError`.

    Args:
        known: the base of all its errors.
        unreached: the base of those that mean that nobody answered.
    """
    try:
        yield
    except known as error:
        cause = f" ({error.__cause__})" if error.__cause__ is not None and str(error.__cause__) else ""
        response = getattr(error, "response", None)
        raise ProviderFaultError(
            f"{error}{cause}" or type(error).__name__,
            status=getattr(error, "status_code", None),
            body=getattr(error, "body", None),
            headers=getattr(response, "headers", None),
            reached=not isinstance(error, unreached),
        ) from error


class Provider(Protocol):
    """One provider's wire."""

    def stream(self, call: Call) -> AsyncGenerator[TextDelta | Outcome, None]:
        """Text as it comes, then one Outcome. Closing the generator closes the connection."""
        ...

    async def aclose(self) -> None:
        """Closes all connections."""
        ...


@runtime_checkable
class EmbeddingProvider(Protocol):
    """A provider that makes vectors of texts."""

    async def embed(self, model: str, texts: Sequence[str]) -> Vectors:
        """The vectors of some texts; a ProviderError when there are none."""
        ...
