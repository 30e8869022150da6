"""Anthropic's messages. Mapping only."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import httpx2
from anthropic import AnthropicError, APIConnectionError, AsyncAnthropic, AsyncStream
from anthropic.types import (
    InputJSONDelta,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
    RawMessageStreamEvent,
    ToolUseBlock,
)
from anthropic.types import (
    Message as WireMessage,
)
from anthropic.types import (
    TextDelta as WireTextDelta,
)

from theseus.activities.llm.provider import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    Call,
    FinishReason,
    Image,
    Outcome,
    StreamEndedEarlyError,
    TextDelta,
    TokenCount,
    translated,
)
from theseus.activities.llm.schemas import strict
from theseus.contracts.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from theseus.domain.parsing import json_of

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_CACHED = {"cache_control": {"type": "ephemeral"}}


class AnthropicProvider:
    """Anthropic's endpoint, or one that speaks like it."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._client = AsyncAnthropic(
            base_url=base_url,
            api_key=api_key,
            max_retries=0,
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._client.close()

    async def stream(self, call: Call) -> AsyncGenerator[TextDelta | Outcome, None]:
        """See `Provider.stream`."""
        answer = _Answer(forced=_forced_tool(call))
        with translated(AnthropicError, APIConnectionError):
            made = cast(AsyncStream[RawMessageStreamEvent], await self._client.messages.create(**_request(call)))
            async with made as stream:
                async for event in stream:
                    if text := answer.take(event):
                        yield TextDelta(text)
        yield answer.outcome()


class _Answer:
    def __init__(self, forced: str | None) -> None:
        self._forced = forced
        self._text = ""
        self._calls: dict[int, dict[str, str]] = {}
        self._tokens = TokenCount()
        self._finish: str | None = None
        self._ended = False

    def take(self, event: RawMessageStreamEvent) -> str:
        match event:
            case RawMessageStartEvent():
                self._tokens = _tokens(event.message)
            case RawContentBlockStartEvent(content_block=ToolUseBlock() as block):
                self._calls[event.index] = {"id": block.id, "name": block.name, "arguments": ""}
            case RawContentBlockDeltaEvent(delta=WireTextDelta() as delta):
                self._text += delta.text
                return delta.text
            case RawContentBlockDeltaEvent(delta=InputJSONDelta() as delta):
                call = self._calls.setdefault(event.index, {"id": "", "name": "", "arguments": ""})
                call["arguments"] += delta.partial_json
            case RawMessageDeltaEvent():
                self._finish = event.delta.stop_reason or self._finish
                self._tokens = TokenCount(
                    self._tokens.input, event.usage.output_tokens, self._tokens.cached, self._tokens.cache_write
                )
            case RawMessageStopEvent():
                self._ended = True
            case _:
                pass
        return ""

    def outcome(self) -> Outcome:
        if not self._ended:
            raise StreamEndedEarlyError("the stream ended before the answer did")
        calls = [ToolCall(id=c["id"], name=c["name"], arguments=c["arguments"] or "{}") for c in self._calls.values()]
        text, finish = self._text, _FINISH.get(self._finish or "", "stop")
        answers = [call for call in calls if call.name == self._forced]
        if answers:
            text, calls, finish = answers[0].arguments, [], "stop"
        return Outcome(AssistantMessage(text=text, tool_calls=tuple(calls)), finish, self._tokens)


def _tokens(message: WireMessage) -> TokenCount:
    usage = message.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return TokenCount(usage.input_tokens + cached + written, usage.output_tokens, cached, written)


def _request(call: Call) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": call.model.model,
        "max_tokens": call.max_output_tokens,
        "system": [{"type": "text", "text": call.system, **_CACHED}],
        "messages": _messages(call),
        "stream": True,
    }
    if call.temperature is not None and "temperature" not in call.model.refuses:
        # the SDK has no parameter for it any more, the wire of these models still has
        request["extra_body"] = {"temperature": call.temperature}
    if call.tools:
        request["tools"] = [
            {"name": spec.name, "description": spec.description, "input_schema": spec.parameters} for spec in call.tools
        ]
        request["tool_choice"] = {"type": {"required": "any"}.get(call.tool_choice, call.tool_choice)}
    if call.answer_schema is not None:
        request |= _structure(call)
    return request


def _forced_tool(call: Call) -> str | None:
    return call.answer_name if call.answer_schema is not None and call.model.structured == "tool" else None


def _structure(call: Call) -> dict[str, Any]:
    assert call.answer_schema is not None
    schema = strict(call.answer_schema)
    if _forced_tool(call) is None:
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    tool = {"name": call.answer_name, "description": "Gives the answer.", "input_schema": schema}
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": call.answer_name}}


def _messages(call: Call) -> list[dict[str, Any]]:
    """Messages in blocks; what follows one another from one side is one message, as this wire wants it."""
    made: list[dict[str, Any]] = []
    if call.messages and isinstance(call.messages[0], AssistantMessage):
        # this wire wants the user to begin; a session's window may begin in the middle of a turn
        made.append({"role": "user", "content": [{"type": "text", "text": "[Earlier messages are left out.]"}]})
    for place, message in enumerate(call.messages, start=1):
        side = "assistant" if isinstance(message, AssistantMessage) else "user"
        blocks = _blocks(message, call.images_of(place - 1))
        if place == call.stable and blocks:
            blocks[-1] = blocks[-1] | _CACHED
        if not blocks:
            continue
        if made and made[-1]["role"] == side:
            made[-1]["content"] += blocks
        else:
            made.append({"role": side, "content": blocks})
    return made


def _blocks(message: Message, images: Sequence[Image]) -> list[dict[str, Any]]:
    match message:
        case UserMessage():
            return [{"type": "text", "text": message.text}, *_shown(images)]
        case ToolMessage():
            block = {"type": "tool_result", "tool_use_id": message.call_id, "content": message.text}
            return [block | ({"is_error": True} if message.is_error else {})]
        case AssistantMessage():
            text = [{"type": "text", "text": message.text}] if message.text.strip() else []
            return text + [
                {"type": "tool_use", "id": c.id, "name": c.name, "input": _input(c.arguments)}
                for c in message.tool_calls
            ]


def _shown(images: Sequence[Image]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for image in images:
        source = {"type": "base64", "media_type": image.media_type, "data": image.data}
        made += [{"type": "text", "text": image.heading}, {"type": "image", "source": source}]
    return made


def _input(arguments: str) -> Any:
    # this wire takes only objects; what the model wrote wrongly goes back as it was
    try:
        value = json_of(arguments)
    except ValueError:
        return {"invalid": arguments}
    return value if isinstance(value, dict) else {"invalid": arguments}
