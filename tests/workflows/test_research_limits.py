"""A research that runs out of time or money gives a report of what it has: no phase takes what those after it need."""

from typing import Any

import pytest

from tests.support.studies import (
    OUTLINER,
    PLANNER,
    RESEARCHER,
    SCOPER,
    WRITER,
    finds,
    outlines,
    plans,
    question,
    scopes,
    writes,
)
from tests.support.study import Study, two_questions
from tests.support.world import until
from theseus.contracts.control import ReviewState
from theseus.contracts.task import TaskResult, TaskStatus


async def limited(study: Study, rules: list[dict[str, Any]], strategy: str = "quick", **limits: float) -> TaskResult:
    study.there.model.replace({"rules": rules})
    context = {"force_research": True, "research_strategy": strategy}
    handle = await study.there.start("What of Varn?", workflow="ResearchWorkflow", context=context, limits=limits)
    return await study.there.result(handle)


def draft(study: Study) -> dict[str, Any]:
    return writes(f"## Varn\n\nThe bridge of Varn is 412 metres long. {study.cite(study.bridge)}")


def hangs(role: str, **when: Any) -> dict[str, Any]:
    return {"when": {"system": role, **when}, "reply": {"text": "too late"}, "latency": 60}


async def test_a_writer_that_hangs_costs_the_prose_not_the_evidence(study: Study) -> None:
    result = await limited(study, [hangs(WRITER), *two_questions(study)], wall_clock_seconds=16)
    assert result.status is TaskStatus.DEGRADED, result.error
    assert "it holds the evidence as it was found" in " ".join(result.metadata.degraded)
    assert "412 metres long" in result.result and "Ada Quill" in result.result and len(result.metadata.citations) == 2


async def test_researchers_that_take_all_day_leave_time_to_write(study: Study) -> None:
    slow = hangs(RESEARCHER, any_message="ask about mayor", turn=1)
    written = {**draft(study), "latency": 2.5}
    result = await limited(study, [slow, *two_questions(study), written], wall_clock_seconds=20)
    assert result.status is TaskStatus.PARTIAL, result.error
    assert "412 metres long. [1]" in result.result and "name of mayor" in result.result
    assert len(result.metadata.agents) == 2, "nobody is sent out again when the time is over"


@pytest.mark.parametrize(
    ("role", "words"), [(SCOPER, "could not be scoped"), (PLANNER, "no research plan"), (OUTLINER, "no outline")]
)
async def test_a_model_that_hangs_in_any_phase_leaves_time_for_the_next(study: Study, role: str, words: str) -> None:
    rules = [
        hangs(role),
        scopes("bridge"),
        plans({**question("bridge", "length"), "serves": ["bridge", "query"]}),
        *finds("bridge", study.folder, study.bridge),
        *finds("Varn", study.folder, study.bridge, asks="What of"),
        outlines(study.bridge.card(study.folder)),
        draft(study),
    ]
    result = await limited(study, rules, wall_clock_seconds=26)
    assert result.status in (TaskStatus.DEGRADED, TaskStatus.PARTIAL), result.error
    assert words in " ".join(result.metadata.degraded)
    if role != PLANNER:
        assert "412 metres long. [1]" in result.result


async def test_what_planning_took_too_much_gathering_goes_without(study: Study) -> None:
    rules = [
        scopes("bridge", "mayor"),
        plans(question("bridge", "length"), question("mayor", "name"), usage={"input": 30_000, "output": 1_000}),
        *two_questions(study)[2:],
        draft(study),
    ]
    eager = {
        "when": {"system": RESEARCHER},
        "reply": {"tool_calls": [{"name": "web_search", "arguments": {"query": "bridge {{turn}}"}}]},
        "usage": {"input": 4_000, "output": 200},
    }
    result = await limited(study, [eager, *rules], tokens=60_000)
    assert result.usage.total_tokens <= 60_000 * 65 // 100, "35 % are for writing and checking"


async def test_something_open_that_the_budget_let_nobody_look_for_is_the_status(study: Study) -> None:
    dear = {
        "when": {"system": RESEARCHER, "any_message": "ask about mayor", "turn": 0},
        "reply": {"tool_calls": [{"name": "web_search", "arguments": {"query": "mayor"}}], "text": "so far"},
        "usage": {"input": 14_000, "output": 100},
    }
    result = await limited(study, [dear, *two_questions(study), draft(study)], tokens=60_000)
    assert result.status is TaskStatus.BUDGET_EXHAUSTED, result.metadata.degraded
    assert "412 metres long. [1]" in result.result and "name of mayor" in result.result


async def test_a_plan_that_the_budget_lets_nobody_change_can_still_be_approved(study: Study) -> None:
    rules = two_questions(study)
    rules[1] = {**rules[1], "usage": {"input": 17_000, "output": 1_000}}
    study.there.model.replace({"rules": [*rules, draft(study)]})
    context = {"force_research": True, "research_strategy": "quick", "review_plan": "manual"}
    handle = await study.there.start("x", workflow="ResearchWorkflow", context=context, limits={"tokens": 30_000})

    async def at(version: int) -> bool:
        state: ReviewState = await handle.query("review_state", result_type=ReviewState)
        return (state.status, state.version) == ("waiting", version)

    await until(lambda: at(1))
    await handle.execute_update("review_plan", {"action": "feedback", "message": "more " * 1500})
    await until(lambda: at(2))
    await handle.execute_update("review_plan", {"action": "approve"})
    result = await study.there.result(handle)
    assert "could not be changed as was wished" in " ".join(result.metadata.degraded)
    assert result.status is TaskStatus.BUDGET_EXHAUSTED, result.error
