"""The scripted model speaks both wires so well that the real SDKs cannot tell; its faults are the real ones."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from theseus.activities.llm.scripted.instance import instance
from theseus.activities.llm.scripted.script import Asked, Reply, Rule, Script, ScriptError, load, parse
from theseus.activities.llm.scripted.server import ScriptedModel, running
from theseus.contracts import TaskInput, TaskResult
from theseus.contracts.assessment import Assessment
from theseus.contracts.plan import Plan

Messages = Sequence[Any]
HELLO: list[Any] = [{"role": "user", "content": "hello"}]


@pytest_asyncio.fixture
async def clients(model: ScriptedModel) -> AsyncGenerator[tuple[openai.AsyncOpenAI, anthropic.AsyncAnthropic], None]:
    one = openai.AsyncOpenAI(base_url=model.base_url, api_key="k", max_retries=0, timeout=5)
    two = anthropic.AsyncAnthropic(base_url=model.anthropic_url, api_key="k", max_retries=0, timeout=5)
    yield one, two
    await one.close()
    await two.close()


Clients = tuple[openai.AsyncOpenAI, anthropic.AsyncAnthropic]


async def openai_text(client: openai.AsyncOpenAI, **more: Any) -> str:
    stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True, **more)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def test_both_wires_stream_and_answer_whole(model: ScriptedModel, clients: Clients) -> None:
    text = "A text of some length, in many pieces: äöü 中文."
    model.replace({"rules": [{"reply": {"text": text}, "usage": {"cached": 3}}]})
    assert await openai_text(clients[0]) == text
    whole = await clients[0].chat.completions.create(model="m", messages=HELLO)
    assert whole.choices[0].message.content == text
    assert whole.usage is not None and whole.usage.prompt_tokens_details is not None
    assert whole.usage.prompt_tokens_details.cached_tokens == 3
    async with clients[1].messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
        assert await stream.get_final_text() == text
    message = await clients[1].messages.create(model="m", max_tokens=9, messages=HELLO)
    assert [block.text for block in message.content if block.type == "text"] == [text]
    assert message.usage.cache_read_input_tokens == 3


async def test_a_program_may_choose_each_answer(model: ScriptedModel, clients: Clients) -> None:
    class Parrot:
        def choose(self, asked: Asked) -> tuple[Rule, Reply]:
            return Rule(), Reply(text=f"{asked.turn}: {asked.last_user}")

    model.play(Parrot())
    assert await openai_text(clients[0]) == "0: hello"
    model.replace({"rules": [{"reply": {"text": "by rules again"}}]})
    assert await openai_text(clients[0]) == "by rules again"


async def test_two_tool_calls_in_one_reply(model: ScriptedModel, clients: Clients) -> None:
    calls = [{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {"y": [2]}}]
    model.replace({"rules": [{"reply": {"text": "both", "tool_calls": calls}}]})
    whole = await clients[0].chat.completions.create(model="m", messages=HELLO)
    made = whole.choices[0].message.tool_calls or []
    assert [json.loads(c.function.arguments) for c in made if c.type == "function"] == [{"x": 1}, {"y": [2]}]
    assert whole.choices[0].finish_reason == "tool_calls"
    async with clients[1].messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
        final = await stream.get_final_message()
    assert [(b.name, b.input) for b in final.content if b.type == "tool_use"] == [("a", {"x": 1}), ("b", {"y": [2]})]
    assert final.stop_reason == "tool_use"


@pytest.mark.parametrize("kind", [Assessment, Plan, TaskInput, TaskResult])
async def test_an_asked_structure_is_given_validly_without_a_script(clients: Clients, kind: Any) -> None:
    schema = kind.model_json_schema()
    form: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    kind.model_validate_json(await openai_text(clients[0], response_format=form))
    tool: Any = {"name": "x", "input_schema": schema}
    message = await clients[1].messages.create(
        model="m", max_tokens=9, messages=HELLO, tools=[tool], tool_choice={"type": "tool", "name": "x"}
    )
    kind.model_validate(next(block.input for block in message.content if block.type == "tool_use"))


Schema = dict[str, Any]
sizes = st.integers(0, 9)


def whole(low: int, more: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": low + more}


def text(low: int, more: int) -> Schema:
    return {"type": "string", "minLength": low, "maxLength": low + more}


def one_of(values: list[int]) -> Schema:
    return {"enum": values}


def record(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def items_of(items: Schema, n: int) -> Schema:
    return {"type": "array", "items": items, "minItems": n}


def any_of(options: list[Schema]) -> Schema:
    return {"anyOf": options}


PLAIN: list[Schema] = [
    {"type": "boolean"},
    {"type": "null"},
    {"type": "number"},
    {"const": "x"},
    {"type": ["null", "string"]},
]


def nested(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(
        st.builds(record, st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)),
        st.builds(items_of, inner, st.integers(0, 2)),
        st.builds(any_of, st.lists(inner, min_size=1, max_size=3)),
    )


leaves: st.SearchStrategy[Schema] = st.one_of(
    st.builds(whole, st.integers(-9, 9), sizes),
    st.builds(text, sizes, sizes),
    st.builds(one_of, st.lists(st.integers(), min_size=1, max_size=3)),
    st.sampled_from(PLAIN),
)
schemas = st.recursive(leaves, nested, max_leaves=8)


@given(schemas)
def test_an_instance_is_valid_for_its_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(instance(schema))


async def test_faults_are_what_the_sdks_know(model: ScriptedModel, clients: Clients) -> None:
    model.replace({"rules": [{"fault": {"status": 429, "retry_after": 3}}]})
    with pytest.raises(openai.RateLimitError) as limited:
        await openai_text(clients[0])
    assert limited.value.response.headers["retry-after"] == "3"
    with pytest.raises(anthropic.RateLimitError):
        await clients[1].messages.create(model="m", max_tokens=9, messages=HELLO)
    model.replace({"rules": [{"fault": {"status": 500}}]})
    with pytest.raises(openai.InternalServerError):
        await openai_text(clients[0])
    model.replace({"rules": [{"reply": {"text": "x" * 100}, "fault": {"cut_after": 20}}]})
    with pytest.raises((httpx2.RemoteProtocolError, openai.APIConnectionError)):
        await openai_text(clients[0])
    model.replace({"rules": [{"fault": {"garbage": True}}]})
    with pytest.raises((ValueError, openai.OpenAIError)):
        await clients[0].chat.completions.create(model="m", messages=HELLO)


@pytest.mark.parametrize("fault", [{"hang": True}, {"hang_after": 8}])
async def test_a_client_that_goes_away_is_noticed_at_once(
    model: ScriptedModel, clients: Clients, fault: dict[str, Any]
) -> None:
    model.replace({"rules": [{"reply": {"text": "x" * 100}, "fault": fault}]})
    task = asyncio.create_task(openai_text(clients[0]))
    await asyncio.sleep(0.3)
    left = time.time()
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0.4)
    closed = model.requests[0].client_closed_at
    assert closed is not None and closed - left < 0.5
    assert model.requests[0].outcome == "client closed"


async def test_rules_match_in_order_and_can_be_used_up(model: ScriptedModel, clients: Clients) -> None:
    model.replace(
        {
            "rules": [
                {"times": 1, "reply": {"text": "once"}},
                {
                    "when": {"last_user": "^hel+o$"},
                    "reply": {"sequence": [{"text": "one"}, {"text": "{{last_user}} {{call}}"}]},
                },
            ]
        }
    )
    assert [await openai_text(clients[0]) for _ in range(4)] == ["once", "one", "hello 2", "hello 3"]
    assert [r.outcome for r in model.requests] == ["answered"] * 4
    assert "authorization" not in model.requests[0].headers


async def test_without_a_rule_it_echoes(clients: Clients) -> None:
    assert "hello" in await openai_text(clients[0])


async def test_the_log_and_the_script_are_reached_over_http(model: ScriptedModel) -> None:
    async with httpx2.AsyncClient(base_url=model.url, trust_env=False) as http:
        assert (await http.get("/health")).json() == {"status": "ok"}
        assert (await http.put("/script", json={"rules": [{"reply": {"text": "new"}}]})).status_code == 200
        assert (await http.put("/script", json={"rules": [{"wen": 1}]})).status_code == 400
        body: dict[str, Any] = {"model": "m", "messages": HELLO}
        assert (await http.post("/v1/chat/completions", json=body)).json()["choices"][0]["message"]["content"] == "new"
        logged = (await http.get("/requests")).json()
        assert [entry["body"] for entry in logged] == [body]
        assert (await http.delete("/requests")).json() == []
        assert (await http.post("/v1/chat/completions", content=b"{")).status_code == 400


async def test_it_stops_at_once_though_a_stream_hangs(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    async with running(parse({"rules": [{"reply": {"text": "x" * 50}, "fault": {"hang_after": 8}}]}), log=log) as model:
        client = openai.AsyncOpenAI(base_url=model.base_url, api_key="k", max_retries=0)
        task = asyncio.create_task(openai_text(client))
        await asyncio.sleep(0.3)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    task.cancel()
    await asyncio.wait([task])
    await client.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"rules": [{}, {"reply": {"txt": "x"}}]}, "rule 2: reply.txt"),
        ({"rules": [{"when": {"last_user": "("}}]}, "rule 1"),
        ({"rules": [{"latency": -1}]}, "rule 1: latency"),
        ({"rulez": []}, "rulez"),
        ("hello", "script"),
    ],
)
def test_a_wrong_script_is_refused_with_its_rule(data: Any, words: str) -> None:
    with pytest.raises(ScriptError, match=words):
        parse(data)


def test_a_script_file_is_yaml_or_json(tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    file.write_text("rules:\n  - when: {turn: 1}\n    reply: {text: hi}\n")
    assert load(file).rules[0].reply.text == "hi"
    with pytest.raises(ScriptError, match="cannot be read"):
        load(tmp_path / "nothing.yaml")
    assert parse(None) == Script()
