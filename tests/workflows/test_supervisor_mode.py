"""Supervisor mode: the lead hears each event as it comes, agents work and write to each other at the same time."""

import json
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment

from tests.support.teams import (
    LEAD,
    SYNTHESIZER,
    WAIT,
    assign,
    decides,
    finish,
    leads,
    recruit,
    synthesis,
    works,
    writes,
)
from tests.support.world import Handle, World, history, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.control import Progress
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.domain.supervision import MOST_MESSAGES


async def start(there: World, *rules: dict[str, Any], **keys: Any) -> Handle:
    there.model.replace({"rules": list(rules)})
    return await there.start("the task", workflow="SupervisorWorkflow", **keys)


async def run(there: World, *rules: dict[str, Any], **keys: Any) -> TaskResult:
    return await there.result(await start(there, *rules, **keys))


def told_to_lead(there: World) -> list[str]:
    return [r.body["messages"][-1]["content"] for r in there.model.requests if LEAD in r.body["messages"][0]["content"]]


async def kinds(there: World, task_id: str) -> list[str]:
    return [stored.event.type for stored in await there.events(task_id)]


async def test_a_lead_recruits_two_who_work_at_the_same_time_and_finishes(there: World) -> None:
    decisions = leads([recruit("ann"), recruit("bob"), assign("ann"), assign("bob")], [WAIT], [finish("by both")])
    handle = await start(there, *decisions, works("ann", latency=0.5), works("bob", latency=1.0))
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "by both")
    first, second = [r for r in there.model.requests if "work of" in r.body["messages"][-1]["content"][:8]]
    assert abs(first.started_at - second.started_at) < 0.5
    assert (await kinds(there, handle.id)).count("TEAM_RECRUITED") == 2


async def test_the_lead_hears_of_each_end_as_it_comes(there: World) -> None:
    decisions = leads([recruit("ann"), recruit("bob"), assign("ann"), assign("bob")], [WAIT], [finish("done")])
    await run(there, *decisions, works("ann"), works("bob", latency=1.5))
    told = told_to_lead(there)
    assert "ann is done with" in told[1] and "found by ann" in told[1] and "bob is done" not in told[1]
    assert "- bob (chat): working" in told[1]
    assert "found by bob" in told[2]


async def test_agents_write_to_each_other_and_to_their_lead(there: World) -> None:
    hello = {"name": "send_message", "arguments": {"to": "bob", "text": "the key is 7"}}
    report = {"name": "send_message", "arguments": {"to": "lead", "text": "bob has the key"}}
    rules = [
        *leads(
            [recruit("ann", "generalist"), recruit("bob", "generalist"), assign("ann"), assign("bob")],
            [WAIT],
            [WAIT],
            [finish("both know")],
        ),
        {"when": {"last_user": "^work of ann", "turn": 0}, "reply": {"tool_calls": [hello, report]}},
        {"when": {"any_message": "^work of ann"}, "reply": {"text": "ann told bob"}},
        {"when": {"last_user": "Message from ann: the key is 7"}, "reply": {"text": "bob knows 7"}},
        {
            "when": {"any_message": "^work of bob"},
            "reply": {"tool_calls": [{"name": "calculator", "arguments": {"expression": "1+1"}}]},
            "latency": 1.0,
        },
    ]
    handle = await start(there, *rules)
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "both know")
    told = "\n".join(told_to_lead(there))
    assert "ann writes to you: bob has the key" in told and "bob knows 7" in told
    seen = await kinds(there, handle.id)
    assert seen.count("MESSAGE_SENT") == 2 and seen.count("MESSAGE_RECEIVED") == 1


async def test_a_message_to_nobody_or_to_one_not_at_work_comes_back_with_the_reason(there: World) -> None:
    decisions = leads(
        [
            recruit("ann"),
            {"kind": "message", "to": "ann", "text": "hi"},
            {"kind": "message", "to": "zoe", "text": "hi"},
        ],
        [finish("so")],
    )
    await run(there, *decisions)
    told = told_to_lead(there)[1]
    assert "ann is not at work" in told and "there is no agent 'zoe'" in told


async def test_one_who_is_retired_stops_at_once(there: World) -> None:
    decisions = leads(
        [recruit("ann"), recruit("bob"), assign("ann"), assign("bob")],
        [{"kind": "retire", "agent": "ann"}, assign("ann")],
        [finish("without ann")],
    )
    hang = {"when": {"last_user": "^work of ann"}, "fault": {"hang": True}}
    handle = await start(there, *decisions, hang, works("bob"))
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "without ann")
    assert "ann has been retired" in told_to_lead(there)[2]
    assert "TEAM_RETIRED" in await kinds(there, handle.id)
    agents = {agent.agent_id: agent.status for agent in result.metadata.agents}
    assert agents["agent/1"] is TaskStatus.CANCELLED


async def test_a_human_answers_what_the_lead_asks(there: World) -> None:
    decisions = leads([{"kind": "ask_human", "question": "which colour?"}], [finish("it is blue")])
    handle = await start(there, *decisions)

    async def asks() -> bool:
        progress: Progress = await handle.query("progress", result_type=Progress)
        return "which colour?" in progress.waiting_for

    await until(asks)
    receipt = await handle.execute_update("send_message", {"message_id": "1", "text": "blue", "sent_by": "eve"})
    assert receipt["accepted"]
    assert (await there.result(handle)).result == "it is blue"
    assert "eve says: blue" in told_to_lead(there)[1]
    assert "HITL_RESPONSE" in await kinds(there, handle.id)


async def test_a_human_who_never_answers_is_waited_for_only_so_long(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    decisions = leads([{"kind": "ask_human", "question": "which colour?"}], [finish("any colour")])
    async with world(temporal.client, model, tmp_path, approval_timeout="1") as there:
        assert (await run(there, *decisions)).result == "any colour"
        assert "Nobody answered" in told_to_lead(there)[1]


async def test_a_lead_that_never_finishes_is_made_to(there: World) -> None:
    result = await run(
        there,
        *leads([recruit("ann"), assign("ann")]),
        {"when": {"system": LEAD}, "reply": {"json": {"thought": "", "actions": [WAIT]}}},
        works("ann"),
        synthesis("what ann found"),
    )
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "what ann found")
    assert "did not finish" in result.metadata.degraded[0]
    assert len(told_to_lead(there)) <= 6


async def test_a_team_of_which_half_failed_is_given_up_with_what_it_has(there: World) -> None:
    decisions = leads(
        [*(recruit(n) for n in ("ann", "bob", "cid")), *(assign(n) for n in ("ann", "bob", "cid"))],
        [WAIT],
        [WAIT],
        [WAIT],
    )
    broken = {"when": {"last_user": "^work of (bob|cid)"}, "fault": {"status": 400}}
    result = await run(there, *decisions, broken, works("ann"), synthesis("of ann alone"))
    assert result.status is TaskStatus.PARTIAL
    assert result.result.startswith("of ann alone") and "work of bob" in result.result


async def test_a_lead_that_is_down_from_the_start_fails_the_task(there: World) -> None:
    result = await run(there, {"when": {"system": LEAD}, "fault": {"status": 400}})
    assert result.status is TaskStatus.FAILED and result.error is not None
    assert result.error.type == "BadRequest"


async def test_a_lead_that_finishes_without_words_has_the_answer_written(there: World) -> None:
    result = await run(
        there, *leads([recruit("ann"), assign("ann")], [finish()]), works("ann"), synthesis("written from results")
    )
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "written from results")
    material = next(r for r in there.model.requests if SYNTHESIZER in r.body["messages"][0]["content"])
    assert "found by ann" in material.body["messages"][-1]["content"]


async def test_no_more_than_ten_agents_and_none_twice(there: World) -> None:
    decisions = leads(
        [recruit(f"a{n}") for n in range(11)], [recruit("a1"), recruit("lead"), recruit("x", "wizard")], [finish("so")]
    )
    await run(there, *decisions)
    told = told_to_lead(there)
    assert "10 agents, which is the most" in told[1]
    assert "'a1' is taken" in told[2] and "'lead' is taken" in told[2] and "no role 'wizard'" in told[2]


async def test_a_few_early_failures_do_not_end_a_team_whose_others_are_at_work(there: World) -> None:
    names = [f"a{n}" for n in range(6)]
    decisions = leads([*(recruit(name) for name in names), *(assign(name) for name in names)])
    broken = {"when": {"last_user": "^work of (a0|a1)\\b"}, "fault": {"status": 400}}
    working = [works(name, latency=1.5) for name in names]
    done = {"when": {"system": LEAD, "last_user": "a5 is done"}, "reply": {"json": {"actions": [finish("by four")]}}}
    result = await run(there, *decisions, broken, *working, done, decides(WAIT))
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "by four")
    assert "work of a0" in " ".join(result.metadata.degraded), "the lead's answer stands, and says what failed"


async def test_what_failed_is_named_in_an_answer_that_the_lead_did_not_write(there: World) -> None:
    names = ("ann", "bob", "cid")
    decisions = leads([*(recruit(name) for name in names), *(assign(name) for name in names)], [WAIT], [WAIT])
    broken = {"when": {"last_user": "^work of cid"}, "fault": {"status": 400}}
    rules = [*decisions, broken, works("ann"), works("bob", latency=0.5), decides(finish()), synthesis("by two")]
    result = await run(there, *rules)
    assert result.status is TaskStatus.PARTIAL
    assert "**Missing in this answer:**\n- work of cid" in result.result


async def test_a_lead_that_goes_silent_loses_nothing_that_its_agents_still_find(there: World) -> None:
    silent = {"when": {"system": LEAD}, "fault": {"status": 400}}
    decisions = leads([recruit("ann"), assign("ann")])
    handle = await start(there, *decisions, works("ann", latency=2), silent, synthesis("what ann found"))

    async def is_at_work() -> bool:
        return any("work of ann" in request.body["messages"][-1]["content"] for request in there.model.requests)

    await until(is_at_work)
    await handle.execute_update("send_message", {"message_id": "1", "text": "hurry"})
    result = await there.result(handle)
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "what ann found")


async def test_what_an_agent_wrote_before_its_end_is_told_before_its_end(there: World) -> None:
    rules = [
        *leads([recruit("ann", "generalist"), assign("ann")]),
        {"when": {"system": LEAD, "last_user": "ann is done"}, "reply": {"json": {"actions": [finish("so")]}}},
        decides(WAIT),
        {"when": {"last_user": "^work of ann", "turn": 0}, "reply": writes("lead", "first")},
        {"when": {"any_message": "^work of ann", "turn": 1}, "reply": writes("lead", "SECOND")},
        {"when": {"any_message": "^work of ann"}, "reply": {"text": "done"}},
    ]
    assert (await run(there, *rules)).status is TaskStatus.COMPLETED
    assert any("SECOND" in text for text in told_to_lead(there))


async def test_messages_to_the_lead_are_bounded_like_all_others(there: World) -> None:
    many = [
        {
            "when": {"any_message": "^work of ann", "turn": turn},
            "reply": writes("lead", *(f"{turn} {n}" for n in range(16))),
        }
        for turn in range(8)
    ]
    rules = [
        *leads([recruit("ann", "generalist"), assign("ann")]),
        {"when": {"system": LEAD, "last_user": "ann is done"}, "reply": {"json": {"actions": [finish("so")]}}},
        decides(WAIT),
        *many,
        {"when": {"any_message": "^work of ann"}, "reply": {"text": "done"}},
    ]
    handle = await start(there, *rules, max_iterations=20)
    assert (await there.result(handle)).result == "so"
    assert (await kinds(there, handle.id)).count("MESSAGE_SENT") == MOST_MESSAGES
    assert any("which is the most" in str(request.body["messages"]) for request in there.model.requests)


async def test_work_given_at_once_has_equal_shares_of_the_budget(there: World) -> None:
    names = [f"a{n}" for n in range(6)]
    decisions = leads([*(recruit(name) for name in names), *(assign(name) for name in names)])
    working = [works(name, latency=1) for name in names]
    handle = await start(there, *decisions, *working, decides(finish("so")), limits={"tokens": 130_000})
    await there.result(handle)
    shares: list[int] = []
    for number in range(1, 7):
        started = (await history(there.client.get_workflow_handle(f"{handle.id}/agent/{number}")))[0]
        given = started.workflow_execution_started_event_attributes.input.payloads[0].data
        shares.append(json.loads(given)["limits"]["tokens"])
    assert max(shares) - min(shares) <= 10 and sum(shares) > 65_000
