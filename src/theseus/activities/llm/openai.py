"""OpenAI's chat completions, and every endpoint that speaks them. Mapping only."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
from openai import APIConnectionError, AsyncOpenAI, AsyncStream, OpenAIError
from openai.types import CompletionUsage, Embedding
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall
from openai.types.create_embedding_response import Usage

from theseus.activities.llm.provider import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    Call,
    FinishReason,
    Outcome,
    StreamEndedEarlyError,
    TextDelta,
    TokenCount,
    Vectors,
    translated,
)
from theseus.activities.llm.schemas import strict
from theseus.contracts.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from theseus.contracts.tools import ToolSpec

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class OpenAIProvider:
    """One endpoint that speaks chat completions."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._client = AsyncOpenAI(
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
        answer = _Answer()
        with translated(OpenAIError, APIConnectionError):
            made = cast(AsyncStream[ChatCompletionChunk], await self._client.chat.completions.create(**_request(call)))
            async with made as stream:
                async for chunk in stream:
                    if text := answer.take(chunk):
                        yield TextDelta(text)
        yield answer.outcome()

    async def embed(self, model: str, texts: Sequence[str]) -> Vectors:
        """See `EmbeddingProvider.embed`."""
        with translated(OpenAIError, APIConnectionError):
            # without a format the SDK asks for base64, which many servers do not speak
            made = await self._client.embeddings.create(model=model, input=list(texts), encoding_format="float")
        # some servers give less than the types say
        rows = cast(Sequence[Embedding] | None, made.data) or ()
        usage = cast(Usage | None, made.usage)
        found = [_vector(row) for row in sorted(rows, key=lambda row: cast(int | None, row.index) or 0)]
        return Vectors(found, usage.prompt_tokens if usage is not None else None)


@dataclass
class _Answer:
    text: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    finish: str | None = None
    usage: CompletionUsage | None = None

    def take(self, chunk: ChatCompletionChunk) -> str:
        self.usage = chunk.usage or self.usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        delta = cast(ChoiceDelta | None, choice.delta)
        if delta is None:
            # some servers end their stream with a choice that has none
            return ""
        for part in delta.tool_calls or ():
            self._take_call(part)
        text = delta.content or delta.refusal or ""
        self.text += text
        return text

    def _take_call(self, part: ChoiceDeltaToolCall) -> None:
        call = self.calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
        call["id"] = part.id or call["id"]
        if part.function is not None:
            call["name"] += part.function.name or ""
            call["arguments"] += part.function.arguments or ""

    def outcome(self) -> Outcome:
        if self.finish is None:
            raise StreamEndedEarlyError("the stream ended before the answer did")
        calls = tuple(
            ToolCall(id=call["id"] or f"call_{index}", name=call["name"], arguments=call["arguments"] or "{}")
            for index, call in sorted(self.calls.items())
        )
        return Outcome(
            AssistantMessage(text=self.text, tool_calls=calls),
            _FINISH.get(self.finish, "stop"),
            _tokens(self.usage) if self.usage is not None else None,
        )


def _vector(row: Embedding) -> tuple[float, ...]:
    numbers = cast(list[Any] | str | None, row.embedding)
    is_vector = isinstance(numbers, list) and all(isinstance(number, int | float) for number in numbers)
    return tuple(map(float, numbers)) if is_vector and numbers is not None else ()


def _tokens(usage: CompletionUsage) -> TokenCount:
    details = usage.prompt_tokens_details
    return TokenCount(
        input=usage.prompt_tokens,
        output=usage.completion_tokens,
        cached=(details.cached_tokens or 0) if details is not None else 0,
    )


def _request(call: Call) -> dict[str, Any]:
    limit = "max_completion_tokens" if "max_tokens" in call.model.refuses else "max_tokens"
    request: dict[str, Any] = {
        "model": call.model.model,
        "messages": _messages(call),
        limit: call.max_output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if call.temperature is not None and "temperature" not in call.model.refuses:
        request["temperature"] = call.temperature
    if call.tools:
        request["tools"] = [_tool(spec) for spec in call.tools]
        request["tool_choice"] = call.tool_choice
    if call.answer_schema is not None:
        request["response_format"] = _response_format(call)
    return request


def _messages(call: Call) -> list[dict[str, Any]]:
    return [{"role": "system", "content": call.system + _asked_shape(call)}, *_mapped(call.messages)]


def _asked_shape(call: Call) -> str:
    """What a model whose endpoint takes no schema is told of it; such endpoints also want the word JSON in a message."""
    if call.answer_schema is None or call.model.structured != "json_object":
        return ""
    schema = json.dumps(strict(call.answer_schema), separators=(",", ":"))
    return f"\n\nAnswer with one JSON object, and nothing else, that fits this JSON Schema:\n{schema}"


def _mapped(messages: Sequence[Message]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for message in messages:
        match message:
            case UserMessage():
                made.append({"role": "user", "content": message.text})
            case ToolMessage():
                made.append({"role": "tool", "tool_call_id": message.call_id, "content": message.text})
            case AssistantMessage():
                calls = [
                    {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": _sendable(c.arguments)}}
                    for c in message.tool_calls
                ]
                made.append(
                    {"role": "assistant", "content": message.text or None} | ({"tool_calls": calls} if calls else {})
                )
    return made


def _sendable(arguments: str) -> str:
    # some servers refuse a conversation whose own tool arguments are no JSON; the tool's error told the model already
    try:
        json.loads(arguments)
    except ValueError:
        return "{}"
    return arguments


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
    }


def _response_format(call: Call) -> dict[str, Any]:
    if call.model.structured == "json_object":
        return {"type": "json_object"}
    assert call.answer_schema is not None
    schema = {"name": call.answer_name, "schema": strict(call.answer_schema), "strict": True}
    return {"type": "json_schema", "json_schema": schema}
