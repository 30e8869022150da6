"""What goes out is what the provider's wire asks for; what comes in loses nothing: text, tool calls, counts, the reason."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.support.wire import events, playing
from theseus.activities.failures import ProviderError
from theseus.activities.llm.anthropic import AnthropicProvider
from theseus.activities.llm.catalogue import ModelEntry
from theseus.activities.llm.openai import OpenAIProvider
from theseus.activities.llm.provider import Call, Outcome, Provider, StreamEndedEarlyError, TextDelta, TokenCount
from theseus.contracts.assessment import Assessment
from theseus.contracts.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from theseus.contracts.task import ModelTier
from theseus.contracts.tools import Effect, ToolSpec

TALK: Sequence[Message] = (
    UserMessage(text="first"),
    AssistantMessage(text="thinking", tool_calls=(ToolCall(id="c1", name="calculator", arguments='{"e": "1"}'),)),
    ToolMessage(call_id="c1", name="calculator", text="1", is_error=True),
    UserMessage(text="go on"),
)
SPEC = ToolSpec(
    name="calculator",
    description="Calculates.",
    parameters={"type": "object", "properties": {"e": {"type": "string"}}, "required": ["e"]},
    effect=Effect.READ,
    timeout=timedelta(seconds=5),
)


def entry(**fields: Any) -> ModelEntry:
    base = {
        "provider": "p",
        "model": "m-1",
        "tiers": (ModelTier.SMALL,),
        "priority": 1,
        "context_window_tokens": 8_000,
        "max_output_tokens": 1_000,
    }
    return ModelEntry.model_validate(base | fields)


def call(model: ModelEntry | None = None, **fields: Any) -> Call:
    base: dict[str, Any] = {"system": "be good", "messages": TALK, "max_output_tokens": 77, "temperature": 0.2}
    return Call(model=model or entry(), **(base | fields))


async def heard(provider: Provider, made: Call) -> tuple[str, Outcome]:
    text, outcome = "", None
    try:
        async for item in provider.stream(made):
            if isinstance(item, TextDelta):
                text += item.text
            else:
                outcome = item
    finally:
        await provider.aclose()
    assert outcome is not None
    return text, outcome


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": choices} | more


def part(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": more.pop("name")} if "name" in more else {})
    return {"tool_calls": [{"index": index, "function": function} | more]}


OPENAI_TOOLS = events(
    chunk({"role": "assistant", "content": "Let me "}),
    chunk({"content": "see."}),
    chunk(part(0, "", id="call_a", type="function", name="calculator")),
    chunk(part(0, '{"e":')),
    chunk(part(1, "", id="call_b", type="function", name="calculator")),
    chunk(part(0, '"1+1"}')),
    chunk(part(1, '{"e":"2"}')),
    chunk({}, "tool_calls"),
    chunk(
        usage={
            "prompt_tokens": 120,
            "completion_tokens": 9,
            "total_tokens": 129,
            "prompt_tokens_details": {"cached_tokens": 64},
        }
    ),
    end="[DONE]",
)


async def test_openai_interleaved_tool_calls_text_and_cached_counts() -> None:
    async with playing(OPENAI_TOOLS) as wire:
        text, outcome = await heard(OpenAIProvider(f"{wire.url}/v1", "sk-test"), call(tools=[SPEC]))
    assert text == outcome.message.text == "Let me see."
    assert [(c.id, c.arguments) for c in outcome.message.tool_calls] == [
        ("call_a", '{"e":"1+1"}'),
        ("call_b", '{"e":"2"}'),
    ]
    assert outcome.finish_reason == "tool_calls"
    assert outcome.tokens == TokenCount(input=120, output=9, cached=64)


async def test_openai_request_carries_the_whole_conversation() -> None:
    async with playing(OPENAI_TOOLS) as wire:
        await heard(OpenAIProvider(f"{wire.url}/v1", "sk-test"), call(tools=[SPEC], tool_choice="none"))
    sent = wire.asked[0]
    assert sent["messages"] == [
        {"role": "system", "content": "be good"},
        {"role": "user", "content": "first"},
        {
            "role": "assistant",
            "content": "thinking",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "calculator", "arguments": '{"e": "1"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "user", "content": "go on"},
    ]
    assert (sent["model"], sent["max_tokens"], sent["temperature"], sent["stream"]) == ("m-1", 77, 0.2, True)
    assert sent["stream_options"] == {"include_usage": True}
    assert (sent["tool_choice"], sent["tools"][0]["function"]["parameters"]) == ("none", SPEC.parameters)


async def test_what_a_model_refuses_is_not_sent() -> None:
    model = entry(refuses=("temperature", "max_tokens"))
    async with playing(OPENAI_TOOLS) as wire:
        await heard(OpenAIProvider(f"{wire.url}/v1", "k"), call(model))
    assert "temperature" not in wire.asked[0] and "max_tokens" not in wire.asked[0]
    assert wire.asked[0]["max_completion_tokens"] == 77


async def test_openai_is_asked_for_strict_structure() -> None:
    async with playing(OPENAI_TOOLS) as wire:
        made = call(answer_name="router", answer_schema=Assessment.model_json_schema())
        await heard(OpenAIProvider(f"{wire.url}/v1", "k"), made)
    form = wire.asked[0]["response_format"]["json_schema"]
    assert (form["name"], form["strict"]) == ("router", True)
    assert form["schema"]["additionalProperties"] is False
    assert set(form["schema"]["required"]) == set(Assessment.model_fields)


async def test_openai_without_usage_says_that_nothing_was_counted() -> None:
    body = events(chunk({"content": "hi"}), chunk({}, "stop"), end="[DONE]")
    async with playing(body) as wire:
        _, outcome = await heard(OpenAIProvider(f"{wire.url}/v1", "k"), call())
    assert outcome.tokens is None


async def test_openai_stream_that_ends_early_is_no_answer() -> None:
    async with playing(events(chunk({"content": "half"}))) as wire:
        with pytest.raises(StreamEndedEarlyError):
            await heard(OpenAIProvider(f"{wire.url}/v1", "k"), call())


async def test_openai_error_inside_a_stream_is_an_error() -> None:
    body = events(chunk({"content": "half"}), {"error": {"message": "overloaded", "type": "server_error"}})
    async with playing(body) as wire:
        with pytest.raises(ProviderError):
            await heard(OpenAIProvider(f"{wire.url}/v1", "k"), call())


def started(**usage: int) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 20, "output_tokens": 1} | usage,
    }
    return {"type": "message_start", "message": message}


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def stopped(reason: str, output: int = 15) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": output}},
        {"type": "message_stop"},
    ]


def use(id_: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": "calculator", "input": {}}


def piece(text: str) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": text}


ANTHROPIC_TOOLS = events(
    started(cache_read_input_tokens=100, cache_creation_input_tokens=30),
    {"type": "ping"},
    *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Let me see."}),
    *block(1, use("toolu_a"), piece('{"e": "1'), piece('+1"}')),
    *block(2, use("toolu_b"), piece("")),
    *stopped("tool_use"),
)


async def test_anthropic_several_tool_calls_and_all_kinds_of_input_tokens() -> None:
    async with playing(ANTHROPIC_TOOLS) as wire:
        text, outcome = await heard(AnthropicProvider(wire.url, "sk-ant"), call(tools=[SPEC]))
    assert text == outcome.message.text == "Let me see."
    assert [(c.id, c.arguments) for c in outcome.message.tool_calls] == [("toolu_a", '{"e": "1+1"}'), ("toolu_b", "{}")]
    assert outcome.finish_reason == "tool_calls"
    assert outcome.tokens == TokenCount(input=150, output=15, cached=100, cache_write=30)


async def test_anthropic_request_marks_the_stable_prefix_for_its_cache() -> None:
    async with playing(ANTHROPIC_TOOLS) as wire:
        await heard(AnthropicProvider(wire.url, "sk-ant"), call(tools=[SPEC], stable=3))
    sent = wire.asked[0]
    assert sent["system"] == [{"type": "text", "text": "be good", "cache_control": {"type": "ephemeral"}}]
    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "first"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "thinking"},
                {"type": "tool_use", "id": "c1", "name": "calculator", "input": {"e": "1"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": "1",
                    "is_error": True,
                    "cache_control": {"type": "ephemeral"},
                },
                {"type": "text", "text": "go on"},
            ],
        },
    ]
    assert sent["tool_choice"] == {"type": "auto"}
    assert sent["tools"][0]["input_schema"] == SPEC.parameters


async def test_anthropic_structure_by_a_forced_tool_comes_back_as_the_answer() -> None:
    answer = '{"complexity": 0.1, "needs_tools": false, "suggested_mode": "simple"}'
    body = events(started(), *block(0, use("t") | {"name": "router"}, piece(answer)), *stopped("tool_use"))
    async with playing(body) as wire:
        made = call(entry(structured="tool"), answer_name="router", answer_schema=Assessment.model_json_schema())
        _, outcome = await heard(AnthropicProvider(wire.url, "k"), made)
    assert wire.asked[0]["tool_choice"] == {"type": "tool", "name": "router"}
    assert (outcome.message.text, outcome.message.tool_calls, outcome.finish_reason) == (answer, (), "stop")


async def test_anthropic_structure_by_output_format() -> None:
    async with playing(ANTHROPIC_TOOLS) as wire:
        made = call(entry(), answer_schema=Assessment.model_json_schema())
        await heard(AnthropicProvider(wire.url, "k"), made)
    assert wire.asked[0]["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("reason", "said"), [("max_tokens", "length"), ("refusal", "content_filter"), ("end_turn", "stop")]
)
async def test_anthropic_says_why_it_stopped(reason: str, said: str) -> None:
    body = events(
        started(), *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "x"}), *stopped(reason)
    )
    async with playing(body) as wire:
        _, outcome = await heard(AnthropicProvider(wire.url, "k"), call())
    assert outcome.finish_reason == said


async def test_anthropic_stream_that_ends_early_is_no_answer() -> None:
    async with playing(events(started(), *block(0, {"type": "text", "text": ""}))) as wire:
        with pytest.raises(StreamEndedEarlyError):
            await heard(AnthropicProvider(wire.url, "k"), call())


async def test_each_call_is_one_request_whatever_goes_wrong() -> None:
    async with playing('{"error": {"message": "busy"}}', 500) as wire:
        for provider in (OpenAIProvider(f"{wire.url}/v1", "k"), AnthropicProvider(wire.url, "k")):
            with pytest.raises(ProviderError):
                await heard(provider, call())
    assert len(wire.asked) == 2, "retries belong to Temporal"


async def test_tool_arguments_that_were_no_json_are_not_sent_back_as_such() -> None:
    broken = (AssistantMessage(tool_calls=(ToolCall(id="c1", name="calculator", arguments="{oops"),)),)
    async with playing(OPENAI_TOOLS) as wire:
        await heard(OpenAIProvider(f"{wire.url}/v1", "k"), call(messages=broken))
    assert wire.asked[0]["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"
