"""Whatever the real SDKs can ask on either wire, the scripted model answers as the provider would."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel, Field

from theseus.activities.llm.scripted.server import ScriptedModel

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "^[A-Z]{3}$"}},
    "required": ["city"],
}
FUNCTION: Any = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
TOOL: Any = {"name": "weather", "input_schema": PARAMETERS}
CALLS: list[dict[str, Any]] = [{"name": "a", "arguments": {"x": "ä" * 20}}, {"name": "b", "arguments": {}}]


class Person(BaseModel):
    """An answer whose structure points to itself."""

    name: str = Field(min_length=2)
    boss: "Person | None"


@pytest_asyncio.fixture
async def gpt(model: ScriptedModel) -> AsyncGenerator[openai.AsyncOpenAI, None]:
    async with openai.AsyncOpenAI(base_url=model.base_url, api_key="k", max_retries=0, timeout=5) as client:
        yield client


@pytest_asyncio.fixture
async def claude(model: ScriptedModel) -> AsyncGenerator[anthropic.AsyncAnthropic, None]:
    async with anthropic.AsyncAnthropic(base_url=model.anthropic_url, api_key="k", max_retries=0, timeout=5) as client:
        yield client


async def test_openai_streams_several_tool_calls_and_usage(model: ScriptedModel, gpt: openai.AsyncOpenAI) -> None:
    model.replace({"rules": [{"reply": {"tool_calls": CALLS}, "usage": {"input": 9, "output": 4, "cached": 2}}]})
    made: dict[int, dict[str, str]] = {}
    usages: list[Any] = []
    finish: list[str] = []
    stream = await gpt.chat.completions.create(
        model="m", messages=HELLO, tools=[FUNCTION], stream=True, stream_options={"include_usage": True}
    )
    async for chunk in stream:
        usages += [chunk.usage] if chunk.usage else []
        for choice in chunk.choices:
            finish += [choice.finish_reason] if choice.finish_reason else []
            for part in choice.delta.tool_calls or []:
                call = made.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                assert part.function is not None
                call["id"] += part.id or ""
                call["name"] += part.function.name or ""
                call["arguments"] += part.function.arguments or ""
    assert [(c["name"], json.loads(c["arguments"])) for c in made.values()] == [("a", {"x": "ä" * 20}), ("b", {})]
    assert len({c["id"] for c in made.values()}) == 2 and finish == ["tool_calls"]
    assert [(u.prompt_tokens, u.completion_tokens, u.total_tokens) for u in usages] == [(9, 4, 13)]
    assert usages[0].prompt_tokens_details.cached_tokens == 2


async def test_openai_tells_no_usage_that_was_not_asked_for(gpt: openai.AsyncOpenAI) -> None:
    stream = await gpt.chat.completions.create(model="m", messages=HELLO, stream=True)
    assert [chunk.usage async for chunk in stream if chunk.usage] == []


async def test_anthropic_streams_several_tool_calls_and_cache_usage(
    model: ScriptedModel, claude: anthropic.AsyncAnthropic
) -> None:
    usage = {"input": 100, "output": 7, "cached": 60, "cache_write": 30}
    model.replace({"rules": [{"reply": {"text": "both", "tool_calls": CALLS}, "usage": usage}]})
    async with claude.messages.stream(model="m", max_tokens=9, messages=HELLO, tools=[TOOL]) as stream:
        final = await stream.get_final_message()
    assert [(b.name, b.input) for b in final.content if b.type == "tool_use"] == [("a", {"x": "ä" * 20}), ("b", {})]
    assert final.content[0].type == "text" and final.content[0].text == "both"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (10, 7)
    assert (final.usage.cache_read_input_tokens, final.usage.cache_creation_input_tokens) == (60, 30)
    whole = await claude.messages.create(model="m", max_tokens=9, messages=HELLO, tools=[TOOL])
    assert whole.content[0].to_dict() == {"type": "text", "text": "both"}
    assert whole.usage.cache_read_input_tokens == 60


async def test_usage_follows_from_what_was_really_said(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    async def of_openai(text: str, tools: Any = openai.omit) -> int:
        messages: Any = [{"role": "system", "content": text}, *HELLO]
        reply = await gpt.chat.completions.create(model="m", messages=messages, tools=tools)
        assert reply.usage is not None and reply.choices[0].message.content is not None
        assert reply.usage.completion_tokens == -(-len(reply.choices[0].message.content) // 4)
        return reply.usage.prompt_tokens

    async def of_anthropic(text: str) -> int:
        reply: anthropic.types.Message = await claude.messages.create(
            model="m", max_tokens=9, messages=HELLO, system=text
        )
        return reply.usage.input_tokens

    assert await of_openai("ä" * 4000) - await of_openai("") == 1000
    assert await of_anthropic("ä" * 4000) - await of_anthropic("") == 1000
    assert await of_openai("", tools=[FUNCTION]) > await of_openai("")


async def test_a_structure_asked_by_the_sdks_own_means_is_valid(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    parsed = await gpt.chat.completions.parse(model="m", messages=HELLO, response_format=Person)
    person = parsed.choices[0].message.parsed
    assert person is not None and person.name == "text"
    assert person.boss is None or person.boss.boss is None
    message = await claude.messages.parse(model="m", max_tokens=9, messages=HELLO, output_format=Person)
    assert isinstance(message.parsed_output, Person)
    anything: Any = {"type": "json_object"}
    loose = await gpt.chat.completions.create(model="m", messages=HELLO, response_format=anything)
    assert json.loads(loose.choices[0].message.content or "") == {}


async def test_a_schema_without_an_instance_is_a_bad_request(gpt: openai.AsyncOpenAI) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/$defs/Gone"}}}
    with pytest.raises(openai.BadRequestError, match="Gone"):
        await gpt.chat.completions.create(model="m", messages=HELLO, response_format=form)


OPENAI_FORCES: list[Any] = ["required", {"type": "function", "function": {"name": "weather"}}]
ANTHROPIC_FORCES: list[Any] = [{"type": "any"}, {"type": "tool", "name": "weather"}]


@pytest.mark.parametrize("choice", OPENAI_FORCES)
async def test_openai_calls_a_forced_tool_validly(gpt: openai.AsyncOpenAI, choice: Any) -> None:
    reply = await gpt.chat.completions.create(model="m", messages=HELLO, tools=[FUNCTION], tool_choice=choice)
    calls = reply.choices[0].message.tool_calls or []
    assert [(c.function.name, c.function.arguments) for c in calls if c.type == "function"] == [
        ("weather", '{"city": "AAA"}')
    ]


@pytest.mark.parametrize("choice", ANTHROPIC_FORCES)
async def test_anthropic_calls_a_forced_tool_validly(
    model: ScriptedModel, claude: anthropic.AsyncAnthropic, choice: Any
) -> None:
    tools: list[Any] = [TOOL, {**TOOL, "name": "other"}]
    reply = await claude.messages.create(model="m", max_tokens=9, messages=HELLO, tools=tools, tool_choice=choice)
    assert [(b.name, b.input) for b in reply.content if b.type == "tool_use"] == [("weather", {"city": "AAA"})]
    model.replace([{"reply": {"json": {"city": "BER"}}}])
    forced: Any = ANTHROPIC_FORCES[1]
    reply = await claude.messages.create(model="m", max_tokens=9, messages=HELLO, tools=[TOOL], tool_choice=forced)
    assert [b.input for b in reply.content if b.type == "tool_use"] == [{"city": "BER"}]


async def test_a_forced_tool_that_is_not_offered_is_a_bad_request(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    with pytest.raises(openai.BadRequestError, match="weather"):
        await gpt.chat.completions.create(model="m", messages=HELLO, tool_choice=OPENAI_FORCES[1])
    with pytest.raises(anthropic.BadRequestError, match="weather"):
        await claude.messages.create(model="m", max_tokens=9, messages=HELLO, tool_choice=ANTHROPIC_FORCES[1])


async def test_arguments_may_be_broken_on_purpose(
    model: ScriptedModel, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    model.replace([{"reply": {"tool_calls": [{"name": "weather", "arguments": '{"city": '}]}}])
    reply = await gpt.chat.completions.create(model="m", messages=HELLO, tools=[FUNCTION])
    calls = reply.choices[0].message.tool_calls or []
    assert [c.function.arguments for c in calls if c.type == "function"] == ['{"city": ']
    message = await claude.messages.create(model="m", max_tokens=9, messages=HELLO, tools=[TOOL])
    assert [str(b.input) for b in message.content if b.type == "tool_use"] == ['{"city": ']


async def test_rules_see_the_conversation_alike_on_both_wires(
    model: ScriptedModel, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    when = {"system": "^be kind$", "has_tool_result": "sun", "turn": 1, "tool_offered": "weather", "last_user": "hello"}
    text = "{{last_user}}|{{tool_result}}|{{turn}}|{{call}}"
    model.replace(
        [{"when": {**when, "provider": p}, "reply": {"text": f"{p} {text}"}} for p in ("openai", "anthropic")]
    )
    words = "hello {{turn}}"
    to_openai: Any = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": words}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "weather"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]
    reply = await gpt.chat.completions.create(model="m", messages=to_openai, tools=[FUNCTION])
    assert reply.choices[0].message.content == f"openai {words}|sunny|1|1"
    result: Any = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "sunny"}]}
    to_anthropic: Any = [
        {"role": "user", "content": words},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "weather", "input": {}}]},
        {"role": "user", "content": [result]},
    ]
    system: Any = [{"type": "text", "text": "be kind"}]
    message = await claude.messages.create(model="m", max_tokens=9, messages=to_anthropic, system=system, tools=[TOOL])
    assert [b.text for b in message.content if b.type == "text"] == [f"anthropic {words}|sunny|1|1"]


async def test_the_nth_call_of_a_rule_can_be_meant(model: ScriptedModel, gpt: openai.AsyncOpenAI) -> None:
    model.replace([{"when": {"last_user": "hello", "call": 2}, "reply": {"text": "second"}}, {"reply": {"text": "-"}}])
    replies = [await gpt.chat.completions.create(model="m", messages=HELLO) for _ in range(3)]
    assert [reply.choices[0].message.content for reply in replies] == ["-", "second", "-"]


@pytest.mark.parametrize("stream", [False, True])
async def test_it_writes_as_fast_as_the_script_says(
    model: ScriptedModel, gpt: openai.AsyncOpenAI, stream: bool
) -> None:
    model.replace([{"reply": {"text": "x" * 80}, "latency": 0.1, "tokens_per_second": 50}])
    began = time.monotonic()
    reply: Any = await gpt.chat.completions.create(model="m", messages=HELLO, stream=stream)
    if stream:
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in reply]) == "x" * 80
    took = time.monotonic() - began
    assert 0.48 < took < 2, "20 tokens at 50 a second, after 0.1 s"


async def test_many_ask_at_once_and_each_gets_its_own(model: ScriptedModel, gpt: openai.AsyncOpenAI) -> None:
    model.replace([{"reply": {"echo": "last_user"}, "latency": 0.2}])
    asked = [gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": str(n)}]) for n in range(30)]
    replies = await asyncio.gather(*asked)
    assert [reply.choices[0].message.content for reply in replies] == [str(n) for n in range(30)]
    assert len({logged.number for logged in model.requests}) == 30


async def test_models_are_listed(gpt: openai.AsyncOpenAI) -> None:
    assert [listed.id async for listed in gpt.models.list()] == ["scripted"]
