"""The recorded paths of the team modes: tasks, and the agents that they start."""

from typing import Any

from tests.support.teams import JUDGE, does, leads, plans, subtask, synthesis
from tests.support.world import Handle, World, until
from theseus.contracts.control import PendingApproval

Rules = list[dict[str, Any]]


async def run(there: World, workflow: str, rules: Rules, **keys: Any) -> Handle:
    """Starts a task of that workflow type and waits for its end."""
    there.model.replace({"rules": rules})
    handle = await there.start("the task", workflow=workflow, **keys)
    await there.result(handle)
    return handle


async def child(there: World, handle: Handle, number: int) -> Handle:
    """The handle of an agent of a task."""
    return there.client.get_workflow_handle(f"{handle.id}/agent/{number}")


async def standard_team(there: World) -> Handle:
    parts = [subtask("a"), subtask("b", "a"), subtask("c")]
    return await run(there, "StandardWorkflow", [plans(*parts), *(does(n, latency=0.2) for n in "abc"), synthesis()])


async def standard_partial(there: World) -> Handle:
    broken = {"when": {"last_user": "^do b"}, "fault": {"status": 400}}
    return await run(
        there,
        "StandardWorkflow",
        [plans(subtask("a"), subtask("b"), subtask("c", "b")), broken, does("a"), synthesis()],
    )


async def standard_alone(there: World) -> Handle:
    return await run(there, "StandardWorkflow", [plans(subtask("a")), does("a")])


async def complex_redone(there: World) -> Handle:
    scores = [{"json": {"score": score, "weak": ["a"], "feedback": "more"}} for score in (0.1, 0.9)]
    judged = {"when": {"system": JUDGE}, "reply": {"sequence": scores}}
    return await run(
        there, "ComplexWorkflow", [plans(subtask("a"), subtask("b")), does("a"), does("b"), judged, synthesis()]
    )


async def supervised(there: World) -> Handle:
    hello = {"name": "send_message", "arguments": {"to": "lead", "text": "hello"}}
    decisions = leads(
        [
            {"kind": "recruit", "name": "ann", "role": "generalist"},
            {"kind": "recruit", "name": "bob", "role": "chat"},
            {"kind": "assign", "agent": "ann", "task": "work of ann"},
            {"kind": "assign", "agent": "bob", "task": "work of bob"},
        ],
        [{"kind": "retire", "agent": "bob"}],
        [{"kind": "wait"}],
        [{"kind": "finish", "answer": "done"}],
    )
    rules: Rules = [
        *decisions,
        {"when": {"system": "You lead a team"}, "reply": {"json": {"thought": "", "actions": [{"kind": "finish"}]}}},
        {"when": {"last_user": "^work of ann", "turn": 0}, "reply": {"tool_calls": [hello]}},
        {"when": {"last_user": "^work of bob"}, "fault": {"hang": True}},
        synthesis(),
        {"reply": {"text": "found"}},
    ]
    return await run(there, "SupervisorWorkflow", rules)


async def approved(there: World) -> Handle:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis()]})
    handle = await there.start("the task", workflow="StandardWorkflow", require_approval=True)

    async def waits() -> bool:
        return bool(await handle.query("pending_approvals", result_type=list[PendingApproval]))

    await until(waits)
    await handle.execute_update("decide_approval", {"approval_id": f"{handle.id}/plan", "approved": True})
    await there.result(handle)
    return handle


async def routed(there: World) -> Handle:
    assessed = {"complexity": 0.5, "needs_tools": True, "suggested_mode": "standard"}
    rules: Rules = [{"when": {"system": "You assess a task"}, "reply": {"json": assessed}}]
    return await run(
        there, "TaskWorkflow", [*rules, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis()]
    )


STRATEGIES = ("chain_of_thought", "tree_of_thoughts", "reflection", "debate")


async def by_strategy(there: World, strategy: str) -> Handle:
    thoughts = [{"text": "first this", "promise": 0.9, "is_final": True}]
    rules: Rules = [
        plans(subtask("a", strategy=strategy), subtask("b")),
        {"when": {"system": "You review a draft"}, "reply": {"json": {"score": 0.2, "feedback": "shorter"}}},
        {"when": {"system": "You look for ways"}, "reply": {"json": {"thoughts": thoughts}}},
        {"when": {"system": JUDGE}, "reply": {"json": {"score": 0.9, "weak": [], "feedback": ""}}},
        synthesis(),
        {"reply": {"text": "so"}},
    ]
    return await child(there, await run(there, "ComplexWorkflow", rules), 1)


async def agent(there: World) -> Handle:
    tool = {"name": "calculator", "arguments": {"expression": "6*7"}}
    rules: Rules = [
        plans(subtask("a", role="generalist"), subtask("b")),
        {"when": {"last_user": "^do a", "turn": 0}, "reply": {"tool_calls": [tool]}},
        does("b"),
        synthesis(),
        {"reply": {"text": "42"}},
    ]
    return await child(there, await run(there, "StandardWorkflow", rules), 1)


async def agent_failed(there: World) -> Handle:
    return await child(there, await standard_partial(there), 2)


PATHS = {
    "standard-team": standard_team,
    "standard-partial": standard_partial,
    "standard-alone": standard_alone,
    "standard-approved": approved,
    "complex-redone": complex_redone,
    "supervisor-team": supervised,
    "task-routed-to-a-team": routed,
    "agent-react": agent,
    "agent-failed": agent_failed,
}
