"""A plan that people want to see first is carried out when they say so, changed when they want it otherwise, and not for ever awaited."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.support.studies import PLANNER, RESEARCHER, plans, question, scopes
from tests.support.world import Handle, World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.commands.reviewing import lines
from theseus.contracts.control import ReviewState
from theseus.contracts.task import TaskStatus

FIRST = plans(question("bridge", "length"))
CHANGED = {
    "when": {"system": PLANNER, "last_user": "A person reviewed the plan"},
    "reply": plans(question("bridge", "length"), {**question("mayor", "name"), "serves": []})["reply"],
}
ANY_CHANGE = {"system": PLANNER, "any_message": "A person reviewed the plan"}
NOTHING = {"when": {"system": RESEARCHER}, "reply": {"text": "nothing was found"}}


@pytest_asyncio.fixture
async def there(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    async with world(temporal.client, model, tmp_path) as made:
        yield made


async def started(there: World, **context: Any) -> Handle:
    there.model.replace({"rules": [scopes("bridge"), CHANGED, FIRST, NOTHING]})
    given = {"force_research": True, "research_strategy": "quick", "review_plan": "manual", **context}
    handle = await there.start("What of Varn?", workflow="ResearchWorkflow", context=given)
    return handle


async def state(handle: Handle) -> ReviewState:
    found: ReviewState = await handle.query("review_state", result_type=ReviewState)
    return found


async def waits(handle: Handle, version: int) -> None:
    async def is_at() -> bool:
        seen = await state(handle)
        return (seen.status, seen.version) == ("waiting", version)

    await until(is_at)


async def says(handle: Handle, action: str, **more: Any) -> dict[str, Any]:
    receipt: dict[str, Any] = await handle.execute_update(
        "review_plan", {"action": action, "reviewed_by": "eve", **more}
    )
    return receipt


async def refusal(handle: Handle, action: str, **more: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as info:
        await says(handle, action, **more)
    assert isinstance(info.value.cause, ApplicationError)
    return f"{info.value.cause.type}: {info.value.cause.message}"


async def kinds(there: World, handle: Handle) -> list[str]:
    return [stored.event.type for stored in await there.events(handle.id)]


async def test_an_approved_plan_is_carried_out(there: World) -> None:
    handle = await started(there)
    await waits(handle, 1)
    assert not any(RESEARCHER in str(r.body["messages"][0]) for r in there.model.requests), "nobody searches before"
    assert "ask about bridge" in "\n".join(lines(handle.id, await state(handle)))
    assert (await says(handle, "approve", expected_version=1))["detail"] == "version 1: approved"
    assert (await there.result(handle)).status is TaskStatus.PARTIAL
    told = await kinds(there, handle)
    assert told.index("RESEARCH_PLAN_READY") < told.index("RESEARCH_PLAN_APPROVED") < told.index("STREAM_END")


async def test_feedback_makes_another_version_and_an_old_one_cannot_be_approved(there: World) -> None:
    handle = await started(there, require_review=True, review_plan="auto")
    await waits(handle, 1)
    await says(handle, "feedback", message="and the mayor?", expected_version=1)
    await waits(handle, 2)
    assert "StaleVersion" in await refusal(handle, "approve", expected_version=1, message="late")
    seen = await state(handle)
    assert seen.plan is not None and [q.id for q in seen.plan.questions] == ["bridge", "mayor"]
    assert [(r.version, r.message, r.reviewed_by) for r in seen.remarks] == [(1, "and the mayor?", "eve")]
    await says(handle, "approve")
    result = await there.result(handle)
    assert len(result.metadata.agents) == 2 and "RESEARCH_PLAN_UPDATED" in await kinds(there, handle)


async def test_a_reviewer_may_leave_out_what_the_scope_requires(there: World) -> None:
    whole = plans(question("bridge", "length"), question("mayor", "name"))
    less = {**CHANGED, "reply": FIRST["reply"]}
    there.model.replace({"rules": [scopes("bridge", "mayor"), less, whole, NOTHING]})
    given = {"force_research": True, "research_strategy": "quick", "review_plan": "manual"}
    handle = await there.start("What of Varn?", workflow="ResearchWorkflow", context=given)
    await waits(handle, 1)
    await says(handle, "feedback", message="leave out the mayor")
    await waits(handle, 2)
    seen = await state(handle)
    assert seen.plan is not None and [q.id for q in seen.plan.questions] == ["bridge"]
    await says(handle, "approve")
    result = await there.result(handle)
    assert not any("could not be changed" in reason for reason in result.metadata.degraded)


async def test_a_change_that_makes_a_plan_too_large_is_cut_to_what_may_be(there: World) -> None:
    many = {"when": ANY_CHANGE, "reply": plans(*(question(f"q{number}", "x") for number in range(30)))["reply"]}
    there.model.replace({"rules": [scopes("bridge"), many, FIRST, NOTHING]})
    given = {"force_research": True, "research_strategy": "quick", "review_plan": "manual"}
    handle = await there.start("What of Varn?", workflow="ResearchWorkflow", context=given)
    await waits(handle, 1)
    await says(handle, "feedback", message="all of it")
    await waits(handle, 2)
    seen = await state(handle)
    assert seen.plan is not None and [q.id for q in seen.plan.questions] == ["q0", "q1", "q2"]
    await says(handle, "approve")
    result = await there.result(handle)
    assert "cut to what is sound" in " ".join(result.metadata.degraded)


async def test_a_change_of_which_nothing_can_be_read_leaves_the_plan_as_it_was(there: World) -> None:
    unread = {"when": ANY_CHANGE, "reply": {"text": "no plan at all"}}
    there.model.replace({"rules": [scopes("bridge"), unread, FIRST, NOTHING]})
    given = {"force_research": True, "research_strategy": "quick", "review_plan": "manual"}
    handle = await there.start("What of Varn?", workflow="ResearchWorkflow", context=given)
    await waits(handle, 1)
    await says(handle, "feedback", message="all of it")
    await waits(handle, 2)
    seen = await state(handle)
    assert seen.plan is not None and [q.id for q in seen.plan.questions] == ["bridge"]
    await says(handle, "approve")
    result = await there.result(handle)
    assert "could not be changed" in " ".join(result.metadata.degraded)


async def test_a_rejected_plan_closes_the_task_as_denied(there: World) -> None:
    handle = await started(there)
    await waits(handle, 1)
    await says(handle, "reject", message="not this")
    result = await there.result(handle)
    assert (
        result.status is TaskStatus.DENIED and result.error is not None and "by eve: not this" in result.error.message
    )


async def test_a_plan_that_nobody_reviews_closes_the_task_as_timed_out(there: World) -> None:
    handle = await started(there, review_timeout=1)
    result = await there.result(handle)
    assert result.status is TaskStatus.TIMED_OUT and result.error is not None
    assert "nobody reviewed the research plan within 1 s" in result.error.message


async def test_the_same_answer_again_is_no_second_one_and_nonsense_is_refused(there: World) -> None:
    handle = await started(there)
    await waits(handle, 1)
    assert "InvalidUpdate" in await refusal(handle, "shout")
    assert "say what to change" in await refusal(handle, "feedback", message=" ")
    assert "StaleVersion" in await refusal(handle, "approve", expected_version=7)
    await says(handle, "approve", expected_version=1)
    assert (await says(handle, "approve", expected_version=1))["detail"] == "received before"
    assert (await there.result(handle)).status is TaskStatus.PARTIAL


async def test_a_plan_of_a_task_that_was_cancelled_waits_no_more(there: World) -> None:
    handle = await started(there)
    await waits(handle, 1)
    await handle.signal("cancel", {"reason": "enough"})

    async def is_over() -> bool:
        return (await handle.describe()).status is WorkflowExecutionStatus.CANCELED

    await until(is_over)
    seen = await state(handle)
    assert lines(handle.id, seen) == [f"task {handle.id} has no plan that waits for a review"]


async def test_a_task_without_a_review_has_none(there: World) -> None:
    there.model.replace({"rules": [scopes("bridge"), plans(question("bridge", "length")), {**NOTHING, "latency": 1.0}]})
    handle = await there.start("x", workflow="ResearchWorkflow", context={"force_research": True})
    assert "NoReview" in await refusal(handle, "approve")
    assert lines(handle.id, await state(handle)) == [f"task {handle.id} has no plan that waits for a review"]
    assert json.loads((await state(handle)).model_dump_json())["status"] == "none"
    await handle.cancel()


async def test_after_ten_changes_a_plan_is_approved_or_rejected(there: World) -> None:
    handle = await started(there)
    for version in range(1, 11):
        await waits(handle, version)
        await says(handle, "feedback", message=f"change {version}", expected_version=version)
    await waits(handle, 11)
    assert "NoRoundsLeft" in await refusal(handle, "feedback", message="once more")
    await says(handle, "approve")
    assert (await there.result(handle)).status is TaskStatus.PARTIAL


async def test_the_time_that_a_new_version_takes_is_not_the_reviewers(there: World) -> None:
    handle = await started(there, review_timeout=3)
    there.model.replace({"rules": [{**CHANGED, "latency": 4.0}, scopes("bridge"), FIRST, NOTHING]})
    await waits(handle, 1)
    await says(handle, "feedback", message="and the mayor?")
    assert "is being changed" in await refusal(handle, "reject")
    await waits(handle, 2)
    await says(handle, "approve")
    result = await there.result(handle)
    assert result.status is TaskStatus.PARTIAL and len(result.metadata.agents) == 2, result.error
