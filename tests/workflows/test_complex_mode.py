"""Complex mode: each part is worked on by its strategy, and only what the judge finds weak is done again."""

from typing import Any

import pytest

from tests.support.teams import JUDGE, does, plans, subtask, synthesis
from tests.support.world import World, until
from theseus.contracts.task import TaskResult, TaskStatus

CRITIC = "You review a draft"
EXPLORER = "You look for ways"


def judged(*scores: float, weak: list[str]) -> dict[str, Any]:
    verdicts = [{"json": {"score": score, "weak": weak, "feedback": "more figures"}} for score in scores]
    return {"when": {"system": JUDGE}, "reply": {"sequence": verdicts}}


async def run(there: World, *rules: dict[str, Any], **keys: Any) -> TaskResult:
    there.model.replace({"rules": list(rules)})
    return await there.result(await there.start("the task", workflow="ComplexWorkflow", **keys))


def times(there: World, text: str) -> int:
    return sum(text in str(r.body["messages"]) for r in there.model.requests)


async def test_a_draft_that_is_good_enough_is_the_answer(there: World) -> None:
    result = await run(
        there, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis("fine"), judged(0.9, weak=["a"])
    )
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "fine")
    assert len(result.metadata.agents) == 2


async def test_only_the_weak_part_and_what_builds_on_it_is_done_again(there: World) -> None:
    rules = [
        plans(subtask("a"), subtask("b"), subtask("c", "b")),
        *(does(name) for name in "abc"),
        synthesis("better"),
        judged(0.2, 0.9, weak=["b", "nonsense"]),
    ]
    result = await run(there, *rules)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "better")
    briefings = [r.body["messages"][-1]["content"] for r in there.model.requests]
    assert [sum(text.startswith(f"do {name}") for text in briefings) for name in "abc"] == [1, 2, 2]
    assert sum("An earlier try was not good enough:\nmore figures" in text for text in briefings) == 1


async def test_a_judge_that_is_never_content_stops_after_two_more_tries(there: World) -> None:
    result = await run(
        there, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis("so"), judged(0.1, weak=["a"])
    )
    assert result.status is TaskStatus.COMPLETED
    assert len(result.metadata.agents) == 2 + 2


async def test_a_judge_that_fails_costs_the_judgement_not_the_answer(there: World) -> None:
    broken = {"when": {"system": JUDGE}, "fault": {"status": 400}}
    result = await run(there, plans(subtask("a"), subtask("b")), does("a"), does("b"), synthesis("so"), broken)
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "so")
    assert "could not be judged" in result.metadata.degraded[0]


@pytest.mark.parametrize(
    ("strategy", "calls"),
    [("react", 1), ("chain_of_thought", 2), ("reflection", 2), ("debate", 5), ("tree_of_thoughts", 2)],
)
async def test_each_strategy_is_the_one_that_it_says(there: World, strategy: str, calls: int) -> None:
    thoughts = [{"text": "first this", "promise": 0.9, "is_final": True}]
    rules = [
        plans(subtask("a", strategy=strategy)),
        {"when": {"system": CRITIC}, "reply": {"json": {"score": 0.95, "feedback": ""}}},
        {"when": {"system": EXPLORER}, "reply": {"json": {"thoughts": thoughts}}},
        {"reply": {"text": "reasoned"}},
    ]
    result = await run(there, *rules)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "reasoned")
    assert len(there.model.requests) == 1 + calls
    marks = {
        "react": "do a",
        "chain_of_thought": "step by step",
        "reflection": CRITIC,
        "debate": "This is a debate",
        "tree_of_thoughts": "The most promising way to go about it:\\n1. first this",
    }
    assert times(there, marks[strategy]) >= 1


async def test_reflection_mends_what_the_critic_found(there: World) -> None:
    rules = [
        plans(subtask("a", strategy="reflection")),
        {"when": {"system": CRITIC}, "reply": {"json": {"score": 0.2, "feedback": "shorter"}}},
        {"when": {"last_user": "A reviewer says:\\nshorter"}, "reply": {"text": "short"}},
        {"reply": {"text": "a long draft"}},
    ]
    assert (await run(there, *rules)).result == "short"
    assert sum("A reviewer says" in r.body["messages"][-1]["content"] for r in there.model.requests) == 2


async def test_a_share_too_small_for_a_strategy_goes_down_the_ladder_and_says_so(there: World) -> None:
    rules = [
        plans(subtask("a", strategy="tree_of_thoughts"), subtask("b")),
        *(does(n) for n in "ab"),
        judged(0.9, weak=[]),
        synthesis("so"),
    ]
    result = await run(there, *rules, limits={"tokens": 22_000})
    assert result.result == "so"
    assert any("tree_of_thoughts became chain_of_thought" in reason for reason in result.metadata.degraded)


EIGHT = "abcdefgh"


def slow(*subtasks: dict[str, Any], weak: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """A second for each model call: the planner's, each agent's, the synthesizer's and the judge's."""
    rules = [
        plans(*subtasks),
        *([weak] if weak else []),
        *(does(n) for n in EIGHT),
        synthesis("so"),
        judged(0.9, weak=[]),
    ]
    return [{"latency": 1.0} | rule for rule in rules]


@pytest.mark.parametrize(
    ("subtasks", "together"),
    [
        pytest.param([subtask(name) for name in EIGHT], EIGHT, id="eight side by side"),
        pytest.param(
            [subtask("a"), *(subtask(name, "a") for name in "bcdefg"), subtask("h", *"bcdefg")],
            "bcdefg",
            id="a diamond",
        ),
    ],
)
async def test_agents_that_can_work_side_by_side_do(
    there: World, subtasks: list[dict[str, Any]], together: str
) -> None:
    """How long they take against their critical path is measured by `make bench`."""
    result = await run(there, *slow(*subtasks), max_concurrent_agents=8)
    assert result.status is TaskStatus.COMPLETED and len(result.metadata.agents) == 8
    calls = [r for r in there.model.requests if r.body["messages"][-1]["content"][:4] in {f"do {n}" for n in together}]
    assert len(calls) == len(together)
    assert max(call.started_at for call in calls) < min(call.ended_at or 0 for call in calls)


async def test_one_of_eight_that_fails_is_named_and_seven_are_used(there: World) -> None:
    broken = {"when": {"last_user": "^do d"}, "fault": {"status": 400}, "latency": 0.0}
    result = await run(there, *slow(*(subtask(name) for name in EIGHT), weak=broken), max_concurrent_agents=8)
    assert result.status is TaskStatus.PARTIAL
    assert "do d (d: failed" in result.result
    material = next(r for r in there.model.requests if "You write the final answer" in r.body["messages"][0]["content"])
    assert sum(f"### Result of {name}\n" in material.body["messages"][-1]["content"] for name in EIGHT) == 7


async def test_a_weak_part_that_fails_the_second_time_keeps_its_first_result(there: World) -> None:
    again = {"when": {"last_user": "^do b\\b(.|\\n)*not good enough"}, "fault": {"status": 400}}
    rules = [
        *(plans(subtask("a"), subtask("b"), subtask("c", "b")), again),
        *(does(name) for name in "abc"),
        synthesis("so"),
        judged(0.2, 0.9, weak=["b"]),
    ]
    result = await run(there, *rules)
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "so")
    last = [r.body["messages"][-1]["content"] for r in there.model.requests if "write the final" in str(r.body).lower()]
    assert all("result of b" in text and "result of c" in text for text in last[-1:])
    assert result.metadata.plan is not None
    assert "as it was before" in next(each.note for each in result.metadata.plan.subtasks if each.id == "b")


async def test_a_strategy_without_tools_hears_what_people_say(there: World) -> None:
    there.model.replace(
        {
            "rules": [
                plans(subtask("a", strategy="chain_of_thought")),
                {"when": {"last_user": "in French please"}, "reply": {"text": "voila"}},
                {"reply": {"text": "so"}, "latency": 1.0},
            ]
        }
    )
    handle = await there.start("the task", workflow="ComplexWorkflow")

    async def is_thinking() -> bool:
        return len(there.model.requests) >= 2

    await until(is_thinking)
    await handle.execute_update("send_message", {"message_id": "1", "text": "in French please"})
    assert (await there.result(handle)).result == "voila"


async def test_too_little_money_for_a_strategy_goes_down_the_ladder_too(there: World) -> None:
    rules = [plans(subtask("a", strategy="tree_of_thoughts"), subtask("b")), does("a"), does("b"), synthesis("so")]
    judge: dict[str, Any] = {"when": {"system": JUDGE}, "reply": {"json": {"score": 0.9, "weak": [], "feedback": ""}}}
    there.model.replace({"rules": [*rules, judge]})
    handle = await there.start("the task", workflow="ComplexWorkflow", limits={"cost_microusd": 700})
    result = await there.result(handle)
    assert result.result == "so" and "tree_of_thoughts became react" in " ".join(result.metadata.degraded)
