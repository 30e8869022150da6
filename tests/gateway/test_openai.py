"""OpenAI's own client, unmodified, talks to tasks: an answer is a task's answer, its stream ends with it, its errors are OpenAI's."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from tests.support.gateway import Gateway
from tests.support.streams import soon
from tests.support.world import until
from theseus.contracts.session import SessionKey
from theseus.gateway.callers import OPEN_TENANT, OPEN_USER

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest_asyncio.fixture
async def client(door: Gateway) -> AsyncGenerator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{door.url}/v1", api_key="sk_test_123456") as made:
        yield made


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def assistant(text: str) -> Any:
    return {"role": "assistant", "content": text}


async def test_an_answer_comes_whole_with_what_it_took(door: Gateway, client: openai.AsyncOpenAI) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "Paris."}}]})
    raw = await soon(
        client.chat.completions.with_raw_response.create(model="theseus-chat", messages=[user("Capital of France?")])
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "Paris."
    assert (answer.choices[0].finish_reason, answer.object, answer.model) == ("stop", "chat.completion", "theseus-chat")
    task = (await door.http.get(f"/api/v1/tasks/{raw.headers['X-Workflow-ID']}")).json()
    assert answer.usage is not None and answer.usage.total_tokens == task["usage"]["total_tokens"] > 0
    assert (task["mode"], task["session_id"]) == ("simple", raw.headers["X-Session-ID"])
    record = await door.archive.task(task["task_id"])
    assert record is not None and record.trigger == "openai"


async def test_an_answer_is_streamed_while_it_is_written(door: Gateway, client: openai.AsyncOpenAI) -> None:
    text = "words that come one after the other " * 12
    door.world.model.replace({"rules": [{"reply": {"text": text}, "tokens_per_second": 100}]})
    stream = await client.chat.completions.create(
        model="theseus-chat", messages=[user("write")], stream=True, stream_options={"include_usage": True}
    )
    pieces: list[tuple[float, str]] = []
    chunks = [chunk async for chunk in stream if not pieces.append((asyncio.get_running_loop().time(), _text(chunk)))]
    assert "".join(text for _, text in pieces) == text
    told = [at for at, piece in pieces if piece]
    assert len(told) > 5 and told[-1] - told[0] > 0.5
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert chunks[-1].usage is not None and chunks[-1].usage.total_tokens > 0 and not chunks[-1].choices
    assert len({chunk.id for chunk in chunks}) == 1


async def test_a_stream_ends_with_openais_own_last_line(door: Gateway) -> None:
    body = {"messages": [user("hi")], "stream": True}
    answer = await soon(door.http.post("/v1/chat/completions", json=body))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["X-Workflow-ID"] and answer.text.endswith("data: [DONE]\n\n")
    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert chunks and not any("usage" in chunk for chunk in chunks)


async def test_what_is_said_before_a_tool_call_stands_apart_from_the_answer(
    door: Gateway, client: openai.AsyncOpenAI
) -> None:
    calls = {"text": "Let me count.", "tool_calls": [{"name": "calculator", "arguments": {"expression": "6*7"}}]}
    door.world.model.replace({"rules": [{"when": {"turn": 0}, "reply": calls}, {"reply": {"text": "It is 42."}}]})
    stream = await client.chat.completions.create(model="theseus-chat", messages=[user("6*7?")], stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(map(_text, chunks)) == "Let me count.\n\nIt is 42."
    events: list[Any] = [event for chunk in chunks for event in getattr(chunk, "shannon_events", [])]
    assert "TOOL_INVOKED" in [event["type"] for event in events]
    answer = await client.chat.completions.create(model="theseus-chat", messages=[user("6*7?")])
    assert answer.choices[0].message.content == "It is 42."


async def test_an_answer_that_was_cut_off_is_told_again_and_no_half_word_passes_for_it(
    door: Gateway, client: openai.AsyncOpenAI
) -> None:
    cut = {"times": 1, "reply": {"text": "The capital is the c"}, "fault": {"cut_after": 20}}
    door.world.model.replace({"rules": [cut, {"reply": {"text": "The capital is Paris."}}]})
    stream = await client.chat.completions.create(model="theseus-chat", messages=[user("capital?")], stream=True)
    text = "".join([_text(chunk) async for chunk in stream])
    assert text in ("The capital is the c\n\nThe capital is Paris.", "The capital is Paris.")


async def test_the_answer_depends_on_what_was_said_before(door: Gateway, client: openai.AsyncOpenAI) -> None:
    door.world.model.replace(
        {
            "rules": [
                {"when": {"any_message": "my name is Ada", "last_user": "who am I"}, "reply": {"text": "You are Ada."}},
                {"reply": {"text": "I cannot know."}},
            ]
        }
    )
    talk = [user("my name is Ada"), assistant("Hello Ada."), user("who am I?")]
    answer = await client.chat.completions.create(model="theseus-chat", messages=talk)
    assert answer.choices[0].message.content == "You are Ada."
    alone = await client.chat.completions.create(model="theseus-chat", messages=[user("who am I?")])
    assert alone.choices[0].message.content == "I cannot know."
    sent = [m["content"] for m in door.world.model.requests[0].body["messages"] if m["role"] != "system"]
    assert sent[:2] == ["my name is Ada", "Hello Ada."] and "who am I?" in sent[2]


async def test_half_a_character_breaks_nothing(door: Gateway) -> None:
    body = rb'{"messages": [{"role": "user", "content": "\ud83d"}, {"role": "assistant", "content": "\ud83d"}, %s]}'
    answer = await soon(
        door.http.post("/v1/chat/completions", content=body % rb'{"role": "user", "content": "q\ude00"}')
    )
    assert answer.status_code == 200, answer.text


async def test_a_session_is_gone_on_with_and_told_nothing_twice(door: Gateway, client: openai.AsyncOpenAI) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "answer {{turn}}"}}]})
    own = {"X-Session-ID": "s-1"}
    first = [user("one"), assistant("answer 0"), user("two")]
    await client.chat.completions.create(model="theseus-chat", messages=first, extra_headers=own)
    second = [*first, assistant("answer 1"), user("three")]
    await client.chat.completions.create(model="theseus-chat", messages=second, extra_headers=own)
    key = SessionKey(session_id="s-1", tenant_id=OPEN_TENANT, user_id=OPEN_USER)
    heads = (await door.world.stores.sessions.load(key, 100)).heads
    kept = [m.text for m in await door.world.stores.sessions.read(key, [head.seq for head in heads])]
    assert kept == ["one", "answer 0", "two", "answer 1", "three", "answer 2"]


async def test_system_messages_are_the_tasks_prompt(door: Gateway, client: openai.AsyncOpenAI) -> None:
    talk: Any = [{"role": "system", "content": "Speak as a pirate."}, user("hi")]
    await client.chat.completions.create(model="theseus-chat", messages=talk)
    assert "Speak as a pirate." in str(door.world.model.requests[0].body["messages"][0])


async def test_an_image_and_a_file_go_along(door: Gateway, client: openai.AsyncOpenAI) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "seen"}}]})
    notes = base64.b64encode(b"some notes").decode()
    parts: Any = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "file", "file": {"filename": "notes.txt", "file_data": f"data:text/plain;base64,{notes}"}},
    ]
    await client.chat.completions.create(model="theseus-chat", messages=[{"role": "user", "content": parts}])
    sent = str(door.world.model.requests[0].body["messages"])
    assert PNG in sent and "notes.txt" in sent and "what is this?" in sent


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("theseus-chat", "simple"),
        ("shannon-chat", "simple"),
        ("gpt-5-mini-2025-08-07", "simple"),
        ("openai/gpt-5.1", "simple"),
    ],
)
async def test_the_model_chooses_how_a_task_is_worked_on(
    door: Gateway, client: openai.AsyncOpenAI, name: str, mode: str
) -> None:
    raw = await soon(client.chat.completions.with_raw_response.create(model=name, messages=[user("hi")]), 60)
    assert raw.parse().model == name
    task = (await door.http.get(f"/api/v1/tasks/{raw.headers['X-Workflow-ID']}")).json()
    assert task["mode"] == mode
    if not name.startswith(("theseus", "shannon")):
        assert task["model_used"] == name.rpartition("/")[2]


@pytest.mark.parametrize(
    ("name", "workflow", "meant"),
    [
        ("theseus-standard", "StandardWorkflow", '"mode":"standard"'),
        ("shannon-complex", "ComplexWorkflow", '"mode":"complex"'),
        ("theseus-supervisor", "SupervisorWorkflow", '"mode":"supervisor"'),
        ("theseus-quick-research", "TaskWorkflow", '"research_strategy":"quick"'),
        ("theseus-standard-research", "TaskWorkflow", '"research_strategy":"standard"'),
        ("shannon-deep-research", "TaskWorkflow", '"research_strategy":"deep"'),
    ],
)
async def test_teams_and_researches_are_started_by_their_names(
    door: Gateway, name: str, workflow: str, meant: str
) -> None:
    door.world.model.replace({"rules": [{"latency": 60, "reply": {"text": "late"}}]})
    body = {"model": name, "messages": [user("why?")], "stream": True}
    async with door.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        task = answer.headers["X-Workflow-ID"]
    events = (await door.world.client.get_workflow_handle(task).fetch_history()).events
    started = events[0].workflow_execution_started_event_attributes
    assert started.workflow_type.name == workflow
    sent = started.input.payloads[0].data.decode()
    assert meant in sent and ('"force_research":true' in sent) == ("research" in name)


async def test_our_own_options_reach_the_task(door: Gateway, client: openai.AsyncOpenAI) -> None:
    own = {"shannon_options": {"role": "critic", "model_tier": "large", "context": {"audience": "children"}}}
    raw = await client.chat.completions.with_raw_response.create(
        model="theseus-chat", messages=[user("hi")], extra_body=own
    )
    task = (await door.http.get(f"/api/v1/tasks/{raw.headers['X-Workflow-ID']}")).json()
    assert task["context"] == {"audience": "children", "role": "critic"}
    assert task["metadata"]["agents"][0]["role"] == "critic"
    assert task["model_used"] == "gpt-5.1"


async def test_the_models_are_listed_and_found_by_name(door: Gateway, client: openai.AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert names[:2] == ["theseus-chat", "theseus-standard"] and "gpt-5.1" in names
    assert (await client.models.retrieve("shannon-deep-research")).id == "shannon-deep-research"
    slashed = await door.http.get("/v1/models/meta-llama/llama-3.3-70b-instruct")
    assert slashed.json()["owned_by"] == "openrouter" and slashed.headers["X-Model-Description"]
    with pytest.raises(openai.NotFoundError) as refused:
        await client.models.retrieve("gpt-99")
    assert refused.value.code == "model_not_found"


async def test_a_prompt_alone_is_completed_streaming_and_not(door: Gateway, client: openai.AsyncOpenAI) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "and so on"}}]})
    answer = await client.completions.create(model="theseus-chat", prompt="One, two")
    assert (answer.choices[0].text, answer.object) == ("and so on", "text_completion")
    stream = await client.completions.create(model="theseus-chat", prompt=["One, two"], stream=True)
    assert "".join([c.choices[0].text async for c in stream]) == "and so on"


async def test_settings_without_effect_are_named(door: Gateway) -> None:
    body = {"messages": [user("hi")], "temperature": 0.2, "max_tokens": 5, "n": 1, "stop": None, "tools": []}
    answer = await soon(door.http.post("/v1/chat/completions", json=body))
    assert answer.status_code == 200
    assert answer.headers["X-Theseus-Ignored"] == "temperature, max_tokens"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"stop": ["."]}, "stop"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"colour": "red"}, "colour"),
        ({"messages": []}, "messages"),
        ({"messages": [assistant("hi")]}, "messages"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "x"}, user("hi")]}, "messages.0"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages.0.content.0"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y"}}]}]},
            "messages.0.content.0.image_url.url",
        ),
        ({"messages": [user("x" * 10_001)]}, "query"),
        ({"messages": [user(" ")]}, "query"),
        ({"shannon_options": {"agent": "a"}}, "shannon_options.agent"),
        ({"shannon_options": {"role": "nobody"}}, "context.role"),
        ({"shannon_options": {"role": "critic", "context": {"role": "writer"}}}, "shannon_options.context.role"),
    ],
)
async def test_what_a_task_cannot_do_is_refused_by_name(door: Gateway, more: dict[str, Any], param: str) -> None:
    answer = await door.http.post("/v1/chat/completions", json={"messages": [user("hi")], **more})
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert error["message"]
    assert door.world.model.requests == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nowhere", "/v1/models/none"])
async def test_every_error_under_v1_has_openais_shape(door: Gateway, path: str) -> None:
    answer = await door.http.post(path, content=b"{")
    assert 400 <= answer.status_code < 500
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_a_task_that_fails_is_an_error_and_is_not_paid_for_again(
    door: Gateway, client: openai.AsyncOpenAI
) -> None:
    door.world.model.replace({"rules": [{"fault": {"status": 400, "body": "no such thing"}}]})
    with pytest.raises(openai.APIStatusError) as failed:
        await soon(client.chat.completions.create(model="gpt-5.1", messages=[user("hi")]))
    assert failed.value.status_code >= 400 and "task task-" in failed.value.message
    assert len(door.world.model.requests) == 1
    stream = await client.chat.completions.create(model="gpt-5.1", messages=[user("hi")], stream=True)
    with pytest.raises(openai.APIError) as told:
        _ = [chunk async for chunk in stream]
    assert "task task-" in told.value.message


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_stops_its_task(door: Gateway, stream: bool) -> None:
    door.world.model.replace({"rules": [{"reply": {"text": "on and on " * 500}, "tokens_per_second": 20}]})
    body = {"messages": [user("hi")], "stream": stream}

    async def call(http: httpx.AsyncClient) -> None:
        async with http.stream("POST", "/v1/chat/completions", json=body) as answer:
            async for _ in answer.aiter_lines():
                pass

    async with httpx.AsyncClient(base_url=door.url) as http:
        calling = asyncio.create_task(call(http))

        async def is_writing() -> bool:
            return len(door.world.model.requests) == 1

        await until(is_writing)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)

    async def is_cancelled() -> bool:
        listed = [
            flow async for flow in door.world.client.list_workflows(f'TaskQueue = "{door.world.settings.task_queue}"')
        ]
        return [flow.status.name for flow in listed if flow.status] == ["CANCELED"]

    await until(is_cancelled)


def _text(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""
