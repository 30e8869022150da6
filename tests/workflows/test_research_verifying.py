"""What stands in a report is what its sources show, also where models fail, doubt, or note more than a quote has."""

from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from tests.support.studies import (
    ENTAILER,
    MENDER,
    RESEARCHER,
    WRITER,
    Fact,
    finds,
    outlines,
    plans,
    question,
    scopes,
    writes,
)
from tests.support.study import Study, two_questions
from tests.support.world import until
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.domain.research.sources import source_id

FROZE = "The river of Varn did not freeze in 2018, says the water office."


RIVER = Fact("river.md", FROZE, "ice")


def of_river(study: Study, *rules: dict[str, Any]) -> list[dict[str, Any]]:
    """A river that did not freeze, and a draft that says it did."""
    (study.folder / "river.md").write_text(f"# The river\n\n{FROZE}\n")
    draft = f"## Varn\n\nThe river of Varn froze in 2018. {study.cite(RIVER)}"
    return [
        *rules,
        scopes("river"),
        plans(question("river", "ice")),
        *finds("river", study.folder, RIVER),
        outlines(RIVER.card(study.folder)),
        writes(draft),
    ]


def says(role: str, **answer: Any) -> dict[str, Any]:
    return {"when": {"system": role}, "reply": {"json": answer}}


def wrong(study: Study) -> dict[str, Any]:
    return writes(
        f"## Varn\n\nThe bridge of Varn is 421 metres long. {study.cite(study.bridge)} Ada Quill is its mayor."
    )


async def test_what_rules_doubt_and_a_model_denies_is_mended(study: Study) -> None:
    rules = of_river(study, says(ENTAILER, sentences=[{"number": 0, "shown": False}]))
    cite = study.cite(RIVER)
    true = says(MENDER, sentence=f"The river of Varn did not freeze in 2018. {cite}")
    result = await study.run(true, *rules, enable_verification=True)
    assert "froze" not in result.result and "did not freeze in 2018. [1]" in result.result


async def test_what_a_model_denies_and_nobody_mends_is_taken_out(study: Study) -> None:
    down = {"when": {"system": MENDER}, "fault": {"status": 400}}
    rules = of_river(study, says(ENTAILER, sentences=[{"number": 0, "shown": False}]))
    cite = study.cite(RIVER)
    both = writes(
        f"## Varn\n\nThe river of Varn froze in 2018. {cite} The river of Varn did not freeze in 2018. {cite}"
    )
    result = await study.run(down, both, *rules, enable_verification=True)
    assert "froze" not in result.result and "did not freeze in 2018. [1]" in result.result


async def test_what_rules_doubt_and_nobody_denies_stands_as_it_is_and_is_called_weak(study: Study) -> None:
    rules = of_river(study, says(ENTAILER, sentences=[]), says(MENDER, sentence="Never asked."))
    result = await study.run(*rules, enable_verification=True)
    assert "The river of Varn froze in 2018. [1]" in result.result and study.asked(MENDER) == 0
    assert result.metadata.verification is not None and result.metadata.verification["weak"] == 1


async def test_a_mender_that_is_down_is_said(study: Study) -> None:
    down = {"when": {"system": MENDER}, "fault": {"status": 400}}
    result = await study.run(down, *two_questions(study), wrong(study), enable_verification=True)
    assert "421" not in result.result
    assert "no model could mend 1 of 1 sentences" in " ".join(result.metadata.degraded)
    assert result.status is TaskStatus.DEGRADED


@pytest.mark.parametrize("role", [MENDER, ENTAILER])
async def test_a_model_that_hangs_while_a_report_is_verified_costs_no_report(study: Study, role: str) -> None:
    hangs = {"when": {"system": role}, "reply": {"text": "too late"}, "latency": 60}
    rules = [hangs, *two_questions(study), wrong(study)] if role == MENDER else of_river(study, hangs)
    study.there.model.replace({"rules": rules})
    context = {"force_research": True, "research_strategy": "quick", "enable_verification": True}
    handle = await study.there.start(
        "x", workflow="ResearchWorkflow", context=context, limits={"wall_clock_seconds": 16}
    )
    result: TaskResult = await study.there.result(handle)
    assert result.status is TaskStatus.DEGRADED, result.error
    assert "[1]" in result.result and "421" not in result.result


async def test_evidence_that_stands_in_for_a_text_says_no_more_than_its_quotes(study: Study) -> None:
    item = {
        "source_id": source_id(study.bridge.url(study.folder)),
        "quote": study.bridge.quote,
        "claim": "Old Bob Smith built the bridge of Varn.",
        "facet": "length",
    }
    noted = finds("bridge", study.folder, study.bridge)
    noted[2] = {**noted[2], "reply": {"tool_calls": [{"name": "note_evidence", "arguments": {"items": [item]}}]}}
    rules = [scopes("bridge"), plans(question("bridge", "length")), *noted, outlines(study.bridge.card(study.folder))]
    result = await study.run(*rules, writes("## Varn\n\nThe 17 towers of Varn are of gold."))
    assert "evidence as it was found" in " ".join(result.metadata.degraded)
    assert "Smith" not in result.result and f"{study.bridge.quote.rstrip('.')}" in result.result
    assert result.metadata.verification is not None and result.metadata.verification["score"] == 1.0


async def test_no_researcher_makes_more_tool_calls_than_it_has(study: Study) -> None:
    many = [{"name": "web_search", "arguments": {"query": f"bridge of town {n}"}} for n in range(12)]
    greedy = {"when": {"system": RESEARCHER, "turn": 0}, "reply": {"tool_calls": many}}
    rest = {"when": {"system": RESEARCHER}, "reply": {"text": "a digest"}}
    rules = [scopes("bridge"), plans(question("bridge", "length")), greedy, rest]
    await study.run(*rules)
    told = [
        message for each in study.there.model.requests for message in each.body["messages"] if message["role"] == "tool"
    ]
    assert len(told) == 12 and sum("Not run" in str(each) for each in told) == 4, "quick allows eight"


async def test_the_temporal_ui_shows_phase_coverage_and_budget(study: Study) -> None:
    slow = {**writes(f"## Varn\n\nThe bridge of Varn is 412 metres long. {study.cite(study.bridge)}"), "latency": 2}
    study.there.model.replace({"rules": [*two_questions(study), slow]})
    handle = await study.start()

    async def is_written() -> bool:
        return study.asked(WRITER) == 1

    await until(is_written)
    seen: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    await study.there.result(handle)
    assert "writing · evidence 2 · coverage 100 %" in seen.current_details
    assert "tokens " in seen.current_details and "cost " in seen.current_details
