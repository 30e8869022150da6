"""What a caller says beside the query - a prompt, tools, limits, approvals - shapes a research and never breaks it."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from tests.support.studies import OUTLINER, RESEARCHER, SCOPER, WRITER, writes
from tests.support.study import Study, studying, two_questions
from tests.support.world import until
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.control import PendingApproval
from theseus.contracts.task import TaskResult, TaskStatus


def draft(study: Study) -> dict[str, Any]:
    return writes(
        f"## Varn\n\nThe bridge of Varn is 412 metres long. {study.cite(study.bridge)} "
        f"Ada Quill is its mayor. {study.cite(study.mayor)}"
    )


async def researched(study: Study, context: dict[str, Any] | None = None, **keys: Any) -> TaskResult:
    study.there.model.replace({"rules": [*two_questions(study), draft(study)]})
    given = {"force_research": True, "research_strategy": "quick", **(context or {})}
    return await study.there.run("What of Varn?", workflow="ResearchWorkflow", context=given, **keys)


def prompts(study: Study, role: str) -> list[str]:
    systems = [str(request.body["messages"][0]["content"]) for request in study.there.model.requests]
    return [system for system in systems if role in system]


async def test_a_callers_prompt_is_a_wish_and_replaces_no_roles_instructions(study: Study) -> None:
    wishes = {"system_prompt": "Talk like a ${who}.", "prompt_params": {"who": "pirate"}}
    result = await researched(study, wishes)
    assert result.status is TaskStatus.COMPLETED, (result.result, result.metadata.degraded)
    for role in (SCOPER, RESEARCHER, OUTLINER, WRITER):
        assert prompts(study, role) and all("Talk like a pirate." in system for system in prompts(study, role)), role


async def test_tools_that_a_caller_names_do_not_take_away_how_evidence_is_noted(study: Study) -> None:
    result = await researched(study, tools=["web_search", "web_fetch"])
    assert "412 metres long. [1]" in result.result, (result.result, result.metadata.degraded)


async def test_who_is_sent_instead_of_one_that_failed_may_search_for_the_same(study: Study) -> None:
    fails = {"when": {"system": RESEARCHER, "any_message": "ask about bridge", "turn": 1, "call": 1}}
    study.there.model.replace({"rules": [{**fails, "fault": {"status": 400}}, *two_questions(study), draft(study)]})
    context = {"force_research": True, "research_strategy": "quick"}
    result = await study.there.run("What of Varn?", workflow="ResearchWorkflow", context=context)
    assert [agent.status for agent in result.metadata.agents].count(TaskStatus.FAILED) == 1
    told = [str(message) for request in study.there.model.requests for message in request.body["messages"]]
    assert not any("was searched for before" in text for text in told), "its first search is not held against it"


async def test_a_research_without_a_search_says_so(study: Study) -> None:
    result = await researched(study, tools=["web_fetch"])
    assert "web_search: no search that this task may use" in " ".join(result.metadata.degraded)
    assert result.status is TaskStatus.DEGRADED


async def test_no_researcher_makes_more_turns_than_the_caller_allows(study: Study) -> None:
    result = await researched(study, max_iterations=2)
    assert {agent.turns for agent in result.metadata.agents} == {2}


@pytest.mark.parametrize("approved", [True, False])
async def test_a_research_that_asks_for_approval_waits_for_it(study: Study, approved: bool) -> None:
    study.there.model.replace({"rules": [*two_questions(study), draft(study)]})
    context = {"force_research": True, "research_strategy": "quick"}
    handle = await study.there.start("x", workflow="ResearchWorkflow", context=context, require_approval=True)

    async def pending() -> list[PendingApproval]:
        found: list[PendingApproval] = await handle.query("pending_approvals", result_type=list[PendingApproval])
        return found

    await until(pending)
    asked = (await pending())[0]
    assert "ask about bridge" in str(asked.action) and not prompts(study, RESEARCHER)
    decision = {"approval_id": asked.approval_id, "approved": approved, "approved_by": "eve"}
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("decide_approval", {**decision, "modified_action": []})
    assert "context.review_plan" in str(refused.value.cause)
    await handle.execute_update("decide_approval", decision)
    result = await study.there.result(handle)
    assert result.status is (TaskStatus.COMPLETED if approved else TaskStatus.DENIED), result.error


async def test_silence_that_allows_reading_allows_a_research(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    silent = {"approval_timeout": "1", "approval_policy": "approve_reads"}
    async with studying(temporal.client, model, tmp_path, **silent) as study:
        result = await researched(study, require_approval=True)
    assert result.status is TaskStatus.COMPLETED and "412 metres long. [1]" in result.result
