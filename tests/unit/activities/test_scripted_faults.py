"""Every fault reaches a client as the real one would, on both wires, and the log tells how each request ended."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
import pytest_asyncio

from theseus.activities.llm.scripted.script import ScriptError, load, parse
from theseus.activities.llm.scripted.server import ScriptedModel, running, serve

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
CUT = (httpx2.TransportError, openai.APIConnectionError, anthropic.APIConnectionError)
GARBLED = (ValueError, openai.OpenAIError, anthropic.AnthropicError, httpx2.TransportError)


class Asker:
    """Asks on either wire, and keeps the text that came before things went wrong."""

    def __init__(self, model: ScriptedModel, provider: str) -> None:
        self.gpt = openai.AsyncOpenAI(base_url=model.base_url, api_key="k", max_retries=0, timeout=5)
        self.claude = anthropic.AsyncAnthropic(base_url=model.anthropic_url, api_key="k", max_retries=0, timeout=5)
        self.provider = provider
        self.text = ""

    async def stream(self) -> None:
        if self.provider == "openai":
            async for chunk in await self.gpt.chat.completions.create(model="m", messages=HELLO, stream=True):
                self.text += chunk.choices[0].delta.content or ""
        else:
            async with self.claude.messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
                async for text in stream.text_stream:
                    self.text += text

    async def whole(self) -> None:
        if self.provider == "openai":
            await self.gpt.chat.completions.create(model="m", messages=HELLO)
        else:
            await self.claude.messages.create(model="m", max_tokens=9, messages=HELLO)


@pytest_asyncio.fixture(params=["openai", "anthropic"])
async def asker(request: pytest.FixtureRequest, model: ScriptedModel) -> AsyncGenerator[Asker, None]:
    made = Asker(model, request.param)
    yield made
    await made.gpt.close()
    await made.claude.close()


async def outcome(model: ScriptedModel, at: int = -1) -> str:
    """How a request ended, once it has."""
    async with asyncio.timeout(2):
        while model.requests[at].ended_at is None:
            await asyncio.sleep(0.01)
    return model.requests[at].outcome


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429, 500, 503, 529])
async def test_a_status_is_the_sdks_own_error_with_the_words_of_the_script(
    model: ScriptedModel, asker: Asker, status: int
) -> None:
    model.replace([{"fault": {"status": status, "retry_after": 2.5, "body": "words of the script"}}])
    for ask in (asker.stream, asker.whole):
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError), match="words of the script") as raised:
            await ask()
        assert raised.value.status_code == status
        assert raised.value.response.headers["retry-after"] == "2.5"
        assert await outcome(model) == str(status)


async def test_an_error_body_may_be_given_whole(model: ScriptedModel, asker: Asker) -> None:
    body = {"error": {"message": "too long", "code": "context_length_exceeded", "type": "invalid_request_error"}}
    model.replace([{"fault": {"status": 400, "body": body}}])
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="too long") as raised:
        await asker.whole()
    assert raised.value.response.json() == body


@pytest.mark.parametrize("after", [0, 3, 8, 21])
async def test_a_cut_stream_ends_in_an_error_after_exactly_so_many_characters(
    model: ScriptedModel, asker: Asker, after: int
) -> None:
    model.replace([{"reply": {"text": "0123456789" * 5}, "fault": {"cut_after": after}}])
    with pytest.raises(CUT):
        await asker.stream()
    assert asker.text == ("0123456789" * 5)[:after]
    assert await outcome(model) == "cut"


async def test_also_a_short_answer_and_one_of_tool_calls_are_cut(model: ScriptedModel, asker: Asker) -> None:
    calls = [{"name": "a", "arguments": {"x": "y" * 50}}]
    for reply in ({"text": "short"}, {"tool_calls": calls}):
        model.replace([{"reply": reply, "fault": {"cut_after": 20}}])
        with pytest.raises(CUT):
            await asker.stream()
        assert await outcome(model) == "cut"


async def test_an_answer_in_one_piece_is_cut_as_well(model: ScriptedModel, asker: Asker) -> None:
    model.replace([{"reply": {"text": "x" * 100}, "fault": {"cut_after": 20}}])
    with pytest.raises(CUT):
        await asker.whole()
    assert await outcome(model) == "cut"


async def test_garbage_is_no_answer(model: ScriptedModel, asker: Asker) -> None:
    model.replace([{"fault": {"garbage": True}}])
    with pytest.raises(GARBLED):
        await asker.whole()
    assert await outcome(model) == "garbage"


HANGS: list[dict[str, Any]] = [
    {"fault": {"hang": True}},
    {"fault": {"hang_after": 11}},
    {"latency": 30},
    {"tokens_per_second": 1},
]


@pytest.mark.parametrize("rule", HANGS, ids=str)
async def test_a_client_that_leaves_is_noticed_at_once_whatever_it_waited_for(
    model: ScriptedModel, asker: Asker, rule: dict[str, Any]
) -> None:
    model.replace([{"reply": {"text": "0123456789" * 5}, **rule}])
    task = asyncio.create_task(asker.stream())
    while not model.requests:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert model.requests[0].outcome == "open"
    left = time.time()
    task.cancel()
    await asyncio.wait([task])
    assert await outcome(model) == "client closed"
    closed = model.requests[0].client_closed_at
    assert closed is not None and closed == model.requests[0].ended_at and 0 <= closed - left < 0.5
    assert asker.text == ("01234567890" if rule == HANGS[1] else "")[: len(asker.text)]


async def test_what_is_answered_names_no_leaving_client(model: ScriptedModel, asker: Asker) -> None:
    await asker.stream()
    assert await outcome(model) == "answered"
    logged = model.requests[0].as_json()
    assert logged["client_closed_at"] is None and logged["ended_at"] >= logged["started_at"]
    assert (logged["method"], logged["model"], logged["body"]["messages"]) == ("POST", "m", HELLO)
    assert not {"authorization", "x-api-key"} & set(logged["headers"])


async def test_a_stopping_server_frees_its_clients_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    log = tmp_path / "requests.jsonl"
    script = parse([{"when": {"provider": "openai"}, "fault": {"hang_after": 8}}, {"fault": {"hang": True}}])
    async with running(script, log=log) as model:
        askers = [Asker(model, "openai"), Asker(model, "anthropic")]
        tasks = [asyncio.create_task(asker.stream()) for asker in askers]
        while len(model.requests) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    done, waiting = await asyncio.wait(tasks, timeout=1)
    assert not waiting and all(isinstance(task.exception(), CUT) for task in done)
    for asker in askers:
        await asker.gpt.close()
        await asker.claude.close()
    assert asyncio.all_tasks() - before == set()
    assert [json.loads(line)["outcome"] for line in log.read_text().splitlines()] == ["stopped", "stopped"]
    assert model.requests[0].client_closed_at is None


async def test_it_starts_within_a_second_and_leaves_the_logging_of_the_process_alone() -> None:
    before = list(logging.getLogger("uvicorn").handlers)
    began = time.monotonic()
    async with running(parse(None)) as model, httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{model.url}/health")).status_code == 200
    assert time.monotonic() - began < 1
    assert logging.getLogger("uvicorn").handlers == before


async def test_an_address_that_is_taken_is_named() -> None:
    async with running(parse(None)) as model:
        port = int(model.url.rpartition(":")[2])
        with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}"):
            await serve(parse(None), host="127.0.0.1", port=port)


async def test_a_log_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        await serve(parse(None), host="127.0.0.1", port=0, log=tmp_path / "missing" / "log")


async def test_a_request_that_cannot_be_read_is_refused_and_logged(model: ScriptedModel) -> None:
    async with httpx2.AsyncClient(base_url=model.url, trust_env=False) as http:
        for body in (b"{", b"[]", b'{"messages": [1]}'):
            for path in ("/v1/chat/completions", "/v1/messages"):
                answer = await http.post(path, content=body)
                assert answer.status_code == 400 and "cannot be read" in answer.json()["error"]["message"]
                assert await outcome(model) == "400"
        assert (await http.put("/script", content=b"- reply: {text: from yaml}")).status_code == 200
        asked = await http.post("/v1/chat/completions", json={"messages": HELLO})
        assert asked.json()["choices"][0]["message"]["content"] == "from yaml"
        assert "rule 1: fault" in (await http.put("/script", json=[{"fault": {}}])).json()["error"]


WRONG: list[tuple[Any, str]] = [
    ([{"reply": {"text": "a", "json": {}}}], "rule 1: reply: .*text and json exclude each other"),
    ([{"reply": {"sequence": [{"text": "a"}], "tool_calls": [{"name": "a"}]}}], "sequence and tool_calls"),
    ([{}, {"reply": {"sequence": [{"txt": "a"}]}}], "rule 2: reply.sequence.0.txt"),
    ([{"fault": {"hang": True, "cut_after": 3}}], "rule 1: fault: .*cut_after"),
    ([{"fault": {"hang": True, "retry_after": 3}}], "rule 1: fault: .*status"),
    ([{"fault": {"status": 200}}], "rule 1: fault.status"),
]


@pytest.mark.parametrize(("data", "words"), WRONG)
def test_a_script_that_contradicts_itself_is_refused(data: Any, words: str) -> None:
    with pytest.raises(ScriptError, match=words):
        parse(data)


def test_a_script_file_that_is_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    for content in (b"\xff\xfe\x00\x00\xff", b"rules: [", b"- {reply: {txt: x}}"):
        file.write_bytes(content)
        with pytest.raises(ScriptError, match=r"script\.yaml: "):
            load(file)


async def test_a_rate_limit_holds_in_every_stretch_of_its_seconds_and_says_when_there_is_room(
    model: ScriptedModel, asker: Asker
) -> None:
    model.replace({"rate_limit": {"requests": 2, "seconds": 1}, "rules": [{"reply": {"text": "hi"}}]})
    for _ in range(2):
        await asker.whole()
    with pytest.raises((openai.RateLimitError, anthropic.RateLimitError)) as caught:
        await asker.whole()
    wait = float(caught.value.response.headers["retry-after"])
    assert 0.5 < wait <= 1
    await asyncio.sleep(wait)
    await asker.whole()
    assert [request.outcome for request in model.requests] == ["answered", "answered", "429", "answered"]
