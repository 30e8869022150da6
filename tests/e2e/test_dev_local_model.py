"""The local model answers, keeps to a JSON schema and calls a tool, over the wire that any provider's client speaks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageFunctionToolCall

from tests.e2e.dev_process import dev

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CALCULATOR: Any = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Computes an arithmetic expression exactly.",
        "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
    },
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    with (
        dev(tmp_path_factory.mktemp("local"), "--llm", "local", workers=0) as it,
        openai.OpenAI(base_url=it.ready["model_base_url"], api_key="none", max_retries=0) as client,
    ):
        yield client


def test_it_answers(model: openai.OpenAI) -> None:
    reply = model.chat.completions.create(
        model="smollm2-135m-instruct",
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "What is the capital of France?"},
        ],
        max_tokens=100,
    )
    assert "Paris" in (reply.choices[0].message.content or "")


def test_it_keeps_to_a_schema(model: openai.OpenAI) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"complexity": {"type": "number"}, "mode": {"enum": ["simple", "standard"]}},
        "required": ["complexity", "mode"],
        "additionalProperties": False,
    }
    reply = model.chat.completions.create(
        model="smollm2-135m-instruct",
        messages=[{"role": "user", "content": "How hard is 2+2? Answer in JSON."}],
        response_format={"type": "json_schema", "json_schema": {"name": "Answer", "schema": schema, "strict": True}},
        max_tokens=100,
    )
    said = json.loads(reply.choices[0].message.content or "")
    assert set(said) == {"complexity", "mode"} and said["mode"] in ("simple", "standard")


def test_it_calls_a_tool_and_reads_the_result(model: openai.OpenAI) -> None:
    talk: list[Any] = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Use the calculator: what is 17*23?"},
    ]
    first = model.chat.completions.create(model="local", messages=talk, tools=[CALCULATOR], max_tokens=100)
    [call] = first.choices[0].message.tool_calls or []
    assert isinstance(call, ChatCompletionMessageFunctionToolCall)
    assert json.loads(call.function.arguments) == {"expression": "17 * 23"}
    talk += [
        {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "391"},
    ]
    second = model.chat.completions.create(model="local", messages=talk, tools=[CALCULATOR], max_tokens=100)
    assert "391" in (second.choices[0].message.content or "")


def test_it_listens_on_the_loopback_only(model: openai.OpenAI) -> None:
    port = f"{model.base_url.port:04X}"
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert [address for address in listening if address.endswith(f":{port}")] == [f"0100007F:{port}"]
