"""What OpenAI's clients send: what has an effect here, what is accepted without one, and what is refused."""

from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from theseus.contracts.task import ModelTier, ResearchStrategy
from theseus.domain.intake import refuse_deep
from theseus.gateway.openai.models import DEFAULT
from theseus.gateway.refusals import Refusal

WITHOUT_EFFECT = (
    *("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias"),
    *("max_tokens", "max_completion_tokens", "reasoning_effort", "verbosity", "parallel_tool_calls"),
    *("user", "safety_identifier", "prompt_cache_key", "store", "metadata", "service_tier"),
)
"""Settings of one model call, which a task of many calls does not have: accepted, and named in `X-Theseus-Ignored`."""

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "stop": ([],),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "logprobs": (False, 0),
    "top_logprobs": (0,),
    "modalities": (["text"],),
    "echo": (False,),
    "suffix": ("",),
}
"""What would change the answer's shape, and what of it changes nothing."""

ALWAYS_REFUSED = ("audio", "prediction", "web_search_options", "moderation")


T = TypeVar("T", bound="Asked")


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Url(_Sent):
    """An image."""

    url: str
    detail: str | None = None


class Document(_Sent):
    """A file."""

    file_data: str | None = None
    filename: str | None = None
    file_id: str | None = None


class Part(BaseModel):
    """One part of a message."""

    model_config = ConfigDict(frozen=True)

    type: str
    text: str = ""
    image_url: Url | None = None
    file: Document | None = None


class Message(BaseModel):
    """One message of a conversation. What clients send back of an answer beside its text is passed over."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[JsonValue] | None = None


class StreamOptions(_Sent):
    """How a stream is told."""

    include_usage: bool = False
    include_obfuscation: bool | None = None


class Options(_Sent):
    """Our own extension: what a task takes beside a conversation."""

    context: dict[str, JsonValue] = {}
    role: str | None = None
    research_strategy: ResearchStrategy | None = None
    model_tier: ModelTier | None = None


class Asked(_Sent):
    """What both endpoints take."""

    REFUSED: ClassVar[frozenset[str]] = frozenset({*NEUTRAL, *ALWAYS_REFUSED})

    model: str = Field(default=DEFAULT, min_length=1, max_length=300)
    stream: bool = False
    stream_options: StreamOptions | None = None
    shannon_options: Options = Options()

    @property
    def include_usage(self) -> bool:
        """Whether the last chunk of a stream says what was spent."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatAsked(Asked):
    """POST /v1/chat/completions, without what has no effect."""

    messages: list[Message] = Field(min_length=1)


class CompletionAsked(Asked):
    """POST /v1/completions, without what has no effect."""

    prompt: str | list[str]


def taken(raw: JsonValue) -> tuple[dict[str, JsonValue], list[str]]:
    """A body without the settings that have no effect, and the names of those that were given.

    Raises:
        Refusal: 400, something is asked that a task cannot do.
        InvalidInput: it is nested too deeply.
    """
    refuse_deep(raw, "the body")
    if not isinstance(raw, dict):
        raise Refusal(400, 'the body must be one JSON object such as {"model": "theseus-chat", "messages": [...]}')
    body: dict[str, JsonValue] = {name: value for name, value in raw.items() if value is not None}
    for name in sorted(body.keys() & Asked.REFUSED):
        if body[name] not in NEUTRAL.get(name, ()):
            raise Refusal(400, f"{name}: a task cannot do this; leave it out", code="unsupported_parameter", param=name)
    ignored = [name for name in WITHOUT_EFFECT if name in body]
    rest: dict[str, JsonValue] = {name: value for name, value in body.items() if name not in {*ignored, *Asked.REFUSED}}
    return rest, ignored


def chat(body: dict[str, JsonValue]) -> ChatAsked:
    """A chat completion.

    Raises:
        Refusal: 400, a rule is broken.
    """
    return _valid(ChatAsked, body)


def completion(body: dict[str, JsonValue]) -> CompletionAsked:
    """A completion.

    Raises:
        Refusal: 400, a rule is broken.
    """
    return _valid(CompletionAsked, body)


def _valid(kind: type[T], body: dict[str, JsonValue]) -> T:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        said = "unknown parameter" if first["type"] == "extra_forbidden" else first["msg"]
        raise Refusal(400, f"{place}: {said}"[:500], code="invalid_value", param=place) from error
