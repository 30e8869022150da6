"""Simple mode: one agent, one history; without tools one model call, with tools until there is an answer."""

from typing import Any

import pytest

from tests.support.world import World, activities_of, history
from theseus.contracts.task import TaskStatus


def calculation(expression: str, name: str = "calculator") -> dict[str, Any]:
    return {"name": name, "arguments": {"expression": expression}}


async def test_a_question_to_a_role_without_tools_is_one_model_call(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "Paris."}}]})
    handle = await there.start("What is the capital of France?", context={"role": "chat"})
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "Paris.")
    assert len(there.model.requests) == 1
    assert activities_of(await history(handle)) == ["llm.complete", "session.append"]
    assert result.usage.total_tokens == result.usage.input_tokens + result.usage.output_tokens > 0
    assert result.model_used and result.provider == "openai"
    assert [use.executions for use in result.metadata.model_breakdown] == [1]


async def test_a_json_answer_is_parsed_too(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": '```json\n{"a": [1, 2]}\n```'}}]})
    assert (await there.run()).response == {"a": [1, 2]}


async def test_tool_calls_of_one_reply_run_side_by_side_and_their_results_reach_the_model(there: World) -> None:
    calls = [calculation("6*7"), calculation("2**10")]
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": calls}}, {"reply": {"text": "42 and 1024"}}]}
    )
    handle = await there.start("compute")
    result = await there.result(handle)
    assert result.result == "42 and 1024"
    tools = [m for m in there.model.requests[1].body["messages"] if m["role"] == "tool"]
    assert [("42" in m["content"], "1024" in m["content"]) for m in tools] == [(True, False), (False, True)]
    assert activities_of(await history(handle)) == [
        "llm.complete",
        "tool.run",
        "tool.run",
        "llm.complete",
        "session.append",
    ]
    assert result.metadata.agents[0].tool_calls == 2


async def test_a_failing_tool_is_a_value_for_the_model_never_the_end_of_the_task(there: World) -> None:
    there.model.replace(
        {
            "rules": [
                {"when": {"turn": 0}, "reply": {"tool_calls": [calculation("1/0"), calculation("x", name="nonsense")]}},
                {"reply": {"text": "could not"}},
            ]
        }
    )
    result = await there.run("compute")
    assert result.status is TaskStatus.COMPLETED
    said = [m["content"] for m in there.model.requests[1].body["messages"] if m["role"] == "tool"]
    assert "zero" in said[0]
    assert "no tool 'nonsense'" in said[1]


@pytest.mark.parametrize("turns", [1, 3])
async def test_the_last_turn_is_a_call_without_tools_so_that_there_is_an_answer(there: World, turns: int) -> None:
    there.model.replace(
        {
            "rules": [
                {"when": {"any_message": "No turns are left"}, "reply": {"text": "what I have"}},
                {"when": {"tool_choice": "none"}, "reply": {"text": "what I have"}},
                {"reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}]}},
            ]
        }
    )
    result = await there.run("loop", max_iterations=turns)
    assert result.result == "what I have"
    assert len(there.model.requests) == turns
    assert result.metadata.stop_reason == "max_iterations"


async def test_the_same_call_three_times_over_stops_the_loop(there: World) -> None:
    there.model.replace(
        {
            "rules": [
                {"when": {"any_message": "same tool call three times"}, "reply": {"text": "I give what I have"}},
                {"reply": {"tool_calls": [calculation("1+1")]}},
            ]
        }
    )
    result = await there.run("loop")
    assert (result.status, result.metadata.stop_reason) == (TaskStatus.DEGRADED, "loop")
    assert result.result == "I give what I have"
    assert len(there.model.requests) == 4


async def test_a_role_brings_prompt_and_tools_and_a_system_prompt_replaces_the_role_s(there: World) -> None:
    await there.run("x", context={"role": "critic"})
    await there.run(
        "x", context={"role": "critic", "system_prompt": "You are ${who}. ${gone}", "prompt_params": {"who": "Ariadne"}}
    )
    first, second = (request.body for request in there.model.requests)
    assert "critical reviewer" in first["messages"][0]["content"]
    assert {tool["function"]["name"] for tool in first["tools"]} == {"file_read", "read_artifact"}
    assert second["messages"][0]["content"].startswith("You are Ariadne. ")


async def test_unknown_context_keys_reach_the_prompt(there: World) -> None:
    await there.run("x", context={"product": "mobile_app"})
    assert "mobile_app" in there.model.requests[0].body["messages"][0]["content"]


async def test_an_answer_cut_at_its_limit_is_marked_degraded(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "half an ans", "finish_reason": "length"}}]})
    result = await there.run()
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "half an ans")


async def test_an_empty_answer_fails_the_task_and_is_no_answer(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": ""}}]})
    result = await there.run(session_id="s-empty")
    assert result.status is TaskStatus.FAILED
    assert result.error is not None and result.error.type == "AnswerInvalid"
    assert result.usage.total_tokens > 0
