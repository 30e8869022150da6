"""Who looks at a task that has ended sees how and why; it waits for nobody, and nobody is at work for it."""

from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowFailureError

from tests.support.studies import plans as plans_research
from tests.support.studies import question, scopes
from tests.support.teams import does, plans, subtask
from tests.support.world import Handle, World, until
from theseus.contracts.control import ControlState, Progress

HANGS = {"fault": {"hang": True}}


async def details(handle: Handle) -> str:
    seen: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return seen.current_details


async def progress(handle: Handle) -> Progress:
    found: Progress = await handle.query("progress", result_type=Progress)
    return found


async def waiting(handle: Handle, words: str) -> None:
    async def is_waiting() -> bool:
        return words in (await progress(handle)).waiting_for

    await until(is_waiting)
    assert words in await details(handle)


async def cancelled(handle: Handle, **reason: str) -> str:
    await handle.signal("cancel", reason)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    return await details(handle)


async def test_a_task_that_was_cancelled_waits_for_no_approval_and_says_who_cancelled_it(there: World) -> None:
    there.model.replace({"rules": [plans(subtask("a"), subtask("b"))]})
    handle = await there.start("x", workflow="StandardWorkflow", require_approval=True)
    await waiting(handle, "approval")
    shown = await cancelled(handle, reason="too dear", requested_by="ada")
    assert "Waiting" not in shown and "by ada: too dear" in shown
    assert (await progress(handle)).waiting_for == ""
    assert await handle.query("pending_approvals") == []


async def test_a_research_that_was_rejected_waits_for_no_review_and_says_why(there: World) -> None:
    there.model.replace({"rules": [scopes("bridge"), plans_research(question("bridge", "length"))]})
    context: dict[str, Any] = {"force_research": True, "research_strategy": "quick", "review_plan": "manual"}
    handle = await there.start("What of Varn?", workflow="ResearchWorkflow", context=context)
    await waiting(handle, "a review of the research plan")
    await handle.execute_update("review_plan", {"action": "reject", "message": "not that", "reviewed_by": "eve"})
    assert (await there.result(handle)).status == "denied"
    shown = await details(handle)
    assert "Waiting" not in shown and "Denied: the research plan was rejected by eve: not that" in shown
    assert (await progress(handle)).waiting_for == ""


async def test_a_task_that_failed_says_why_and_nobody_is_at_work(there: World) -> None:
    there.model.replace({"rules": [{"fault": {"status": 401, "body": "no such key"}}]})
    handle = await there.start("x")
    await there.result(handle)
    shown = await details(handle)
    assert "**failed**" in shown and "Auth: " in shown and "no such key" in shown
    assert "at work" not in shown and (await progress(handle)).agents == ["generalist: stopped"]


async def test_a_task_that_was_cancelled_while_it_was_held_is_not_held_any_more(there: World) -> None:
    there.model.replace({"rules": [HANGS]})
    handle = await there.start("x")
    await handle.signal("pause", {"reason": "lunch"})
    shown = await cancelled(handle)
    assert "Paused" not in shown
    state: ControlState = await handle.query("control_state", result_type=ControlState)
    assert state.is_cancelled and not state.is_paused


async def test_an_agent_that_failed_says_why(there: World) -> None:
    fails = {"when": {"last_user": "^do b"}, "fault": {"status": 401, "body": "no such key"}}
    there.model.replace({"rules": [plans(subtask("a"), subtask("b")), does("a"), fails]})
    handle = await there.start("x", workflow="StandardWorkflow")
    await there.result(handle)
    agents = [there.client.get_workflow_handle(f"{handle.id}/agent/{number}") for number in (1, 2)]
    done, failed = [await details(agent) for agent in agents]
    assert "**completed**" in done
    assert "**failed**" in failed and "no such key" in failed
