"""Supervisor mode: the lead hears each event as it comes, agents work and write to each other at the same time."""

from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment

from tests.support.teams import LEAD, SYNTHESIZER, leads, synthesis
from tests.support.world import Handle, World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.control import Progress
from theseus.contracts.task import TaskResult, TaskStatus

Action = dict[str, Any]


def recruit(name: str, role: str = "chat") -> Action:
    return {"kind": "recruit", "name": name, "role": role}


def assign(name: str, task: str | None = None) -> Action:
    return {"kind": "assign", "agent": name, "task": task or f"work of {name}"}


def finish(answer: str = "") -> Action:
    return {"kind": "finish", "answer": answer}


WAIT: Action = {"kind": "wait"}


def works(name: str, text: str | None = None, **rule: Any) -> dict[str, Any]:
    return {"when": {"last_user": f"^work of {name}\\b"}, "reply": {"text": text or f"found by {name}"}, **rule}


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
