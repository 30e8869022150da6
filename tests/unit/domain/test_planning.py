"""A plan that is adopted can be carried out to its end, each part after what it needs; what cannot be is named in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.plan import Plan, PlanDraft, Strategy, SubtaskDraft, SubtaskState
from theseus.domain.planning import (
    LADDER,
    NEEDED_TOKENS,
    adopted,
    affordable,
    faults,
    gaps,
    ready,
    reset,
    single,
    skip_hopeless,
    unserved,
)

ROLES = ("generalist", "writer")
TOOLS = ("calculator", "web_search")
END = {SubtaskState.DONE, SubtaskState.FAILED, SubtaskState.SKIPPED}


def draft(*subtasks: dict[str, Any]) -> PlanDraft:
    return PlanDraft(subtasks=[SubtaskDraft.model_validate({"description": "do it", **each}) for each in subtasks])


def wrong(*subtasks: dict[str, Any], most: int = 5) -> list[str]:
    return faults(draft(*subtasks), most=most, roles=ROLES, tools=TOOLS)


@st.composite
def drafts(some: st.DrawFn) -> PlanDraft:
    """Up to twelve subtasks that may need any that stand before them."""
    size = some(st.integers(1, 12))
    return draft(
        *(
            {
                "id": f"s{place}",
                "depends_on": some(st.lists(st.sampled_from([f"s{n}" for n in range(place)]), unique=True))
                if place
                else [],
                "if_missing": some(st.sampled_from(["required", "optional"])),
            }
            for place in range(size)
        )
    )


def carried_out(plan: Plan, fails: set[str], at_once: int) -> list[str]:
    """Runs a plan; gives the order of the starts."""
    started: list[str] = []
    while True:
        skip_hopeless(plan)
        now = ready(plan)[:at_once]
        if not now:
            return started
        for subtask in now:
            states = {each.id: each.state for each in plan.subtasks}
            assert all(states[name] in END for name in subtask.depends_on), "it started before what it needs"
            started.append(subtask.id)
            subtask.state = SubtaskState.FAILED if subtask.id in fails else SubtaskState.DONE


@given(drafts(), st.sets(st.sampled_from([f"s{n}" for n in range(12)])), st.integers(1, 5))
def test_every_sound_plan_comes_to_its_end(made: PlanDraft, fails: set[str], at_once: int) -> None:
    assert faults(made, most=12, roles=ROLES, tools=TOOLS) == []
    plan = adopted(made, {})
    started = carried_out(plan, fails, at_once)
    assert len(started) == len(set(started))
    assert {subtask.state for subtask in plan.subtasks} <= END
    for subtask in plan.subtasks:
        lost = [name for name in subtask.depends_on if plan_state(plan, name) is not SubtaskState.DONE]
        is_skipped = subtask.state is SubtaskState.SKIPPED
        assert is_skipped == (bool(lost) and subtask.if_missing == "required")
    assert len(gaps(plan)) == sum(subtask.state is not SubtaskState.DONE for subtask in plan.subtasks)


@given(drafts(), st.sets(st.sampled_from([f"s{n}" for n in range(12)]), min_size=1))
def test_what_is_done_again_takes_along_all_that_builds_on_it_and_nothing_else(made: PlanDraft, weak: set[str]) -> None:
    plan = adopted(made, {})
    carried_out(plan, set(), 5)
    again = {subtask.id for subtask in reset(plan, weak)}
    for subtask in plan.subtasks:
        assert (subtask.id in again) == (subtask.id in weak or bool(again.intersection(subtask.depends_on)))
        assert (subtask.state is SubtaskState.PENDING) == (subtask.id in again)
    assert set(carried_out(plan, set(), 5)) == again


def plan_state(plan: Plan, name: str) -> SubtaskState:
    return next(subtask.state for subtask in plan.subtasks if subtask.id == name)


@pytest.mark.parametrize(
    ("subtasks", "said"),
    [
        ([], "0 subtasks; 1 to 5"),
        ([{"id": str(n)} for n in range(6)], "6 subtasks; 1 to 5"),
        ([{"id": "a"}, {"id": "a"}], "the id 'a' is used more than once"),
        ([{"id": "a", "depends_on": ["b"]}], "'a' depends on 'b', which is not in the plan"),
        ([{"id": "a", "depends_on": ["a"]}], "in a circle: a -> a"),
        ([{"id": "a", "depends_on": ["b"]}, {"id": "b", "depends_on": ["a"]}], "in a circle: "),
        ([{"id": "a", "role": "king"}], "the role 'king'; roles: generalist, writer"),
        ([{"id": "a", "tools": ["calculator", "fly"]}], "the tools fly; tools: calculator, web_search"),
    ],
)
def test_what_is_wrong_is_said_in_words_that_the_planner_can_mend(subtasks: list[dict[str, Any]], said: str) -> None:
    assert any(said in fault for fault in wrong(*subtasks)), wrong(*subtasks)


def test_all_faults_are_said_at_once() -> None:
    assert len(wrong({"id": "a", "role": "king", "tools": ["fly"], "depends_on": ["z"]})) == 3


def test_a_plan_of_one_is_the_whole_task() -> None:
    plan = single("why?" * 2000, "writer", 0.2)
    assert [(subtask.id, subtask.role, len(subtask.description)) for subtask in plan.subtasks] == [
        ("task", "writer", 4000)
    ]


def test_a_part_gets_no_tool_that_its_role_may_not_use() -> None:
    made = draft({"id": "a", "role": "chat", "tools": ["bash"]}, {"id": "b", "role": "chat"})
    assert [subtask.tools for subtask in adopted(made, {"chat": ()}).subtasks] == [[], None]
    assert [subtask.tools for subtask in adopted(made, {"chat": ("bash",)}).subtasks] == [["bash"], None]


def test_a_share_is_kept_for_each_part_that_has_none_yet() -> None:
    plan = adopted(draft({"id": "a"}, {"id": "b"}, {"id": "c"}), {})
    plan.subtasks[0].state, plan.subtasks[0].agent_id = SubtaskState.RUNNING, "agent/1"
    plan.subtasks[1].state = SubtaskState.RUNNING
    assert unserved(plan) == 2


@pytest.mark.parametrize("wanted", list(Strategy))
def test_the_ladder_ends_at_react_whatever_the_share(wanted: Strategy) -> None:
    assert affordable(wanted, 0) is Strategy.REACT
    assert affordable(wanted, NEEDED_TOKENS[wanted]) is wanted
    if wanted in LADDER:
        assert affordable(wanted, NEEDED_TOKENS[wanted] - 1) is not wanted
