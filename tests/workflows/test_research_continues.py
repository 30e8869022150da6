"""A research that goes on in a new history knows what people said, what was planned and reviewed; or it stays where it is."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from tests.support.studies import ASSESSOR, RESEARCHER, Fact, assesses, finds, outlines, plans, question, scopes, writes
from tests.support.study import Study, studying
from tests.support.temporal import dev_server
from tests.support.world import Handle, until
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.control import Progress, ReviewState
from theseus.workflows.patterns.research import quest

FLAG = "--dynamic-config-value"


@asynccontextmanager
async def impatient(model: ScriptedModel, folder: Path, *flags: str) -> AsyncGenerator[Study, None]:
    """A server that suggests to continue as new after forty events."""
    named = [part for flag in ("limit.historyCount.suggestContinueAsNew=40", *flags) for part in (FLAG, flag)]
    async with dev_server(*named) as env, studying(env.client, model, folder) as study:
        yield study


async def is_crossed(study: Study, handle: Handle) -> bool:
    first = study.there.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    last = (await first.fetch_history()).events[-1].event_type
    return last == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW


def two_rounds(study: Study) -> list[dict[str, Any]]:
    return [
        scopes("bridge", "mayor"),
        plans(question("bridge", "length"), question("mayor", "name")),
        *finds("bridge", study.folder, study.bridge),
        *finds("mayor\nStill open", study.folder, study.mayor, latency=1.5),
        *finds("mayor", study.folder, latency=1.5),
        assesses(),
        outlines(study.bridge.card(study.folder), study.mayor.card(study.folder)),
        writes(f"## Varn\n\nThe bridge is 412 metres long. {study.cite(study.bridge)}"),
    ]


async def test_what_people_said_and_reviewed_is_known_in_the_next_history(model: ScriptedModel, tmp_path: Path) -> None:
    async with impatient(model, tmp_path) as study:
        model.replace({"rules": two_rounds(study)})
        handle = await study.start("standard", review_plan="manual")

        async def is_waiting() -> bool:
            state: ReviewState = await handle.query("review_state", result_type=ReviewState)
            return state.status == "waiting"

        async def is_gathering() -> bool:
            return study.asked(RESEARCHER) >= 1

        await until(is_waiting)
        await handle.execute_update("review_plan", {"action": "approve", "reviewed_by": "eve"})
        await until(is_gathering)
        said = {"message_id": "m1", "text": "mind the old town", "sent_by": "eve"}
        await handle.execute_update("send_message", said)

        async def is_in_round_two() -> bool:
            return study.asked(ASSESSOR) >= 1 and "Still open" in str([r.body for r in model.requests])

        await until(is_in_round_two)
        state: ReviewState = await handle.query("review_state", result_type=ReviewState)
        progress: Progress = await handle.query("progress", result_type=Progress)
        result = await study.there.result(handle)
        assert await is_crossed(study, handle)
    later = [str(r.body["messages"]) for r in model.requests if "Still open" in str(r.body["messages"])]
    assert later and all("mind the old town" in text for text in later), "later researchers are told, too"
    assert (state.status, [remark.reviewed_by for remark in state.remarks]) == ("approved", ["eve"])
    assert progress.plan is not None and {s.id for s in progress.plan.subtasks} >= {"bridge", "mayor", "mayor-r2"}
    assert result.metadata.plan is not None and len(result.metadata.plan.subtasks) == 3
    judged = [str(r.body["messages"]) for r in model.requests if ASSESSOR in str(r.body["messages"][0])]
    assert all("digest of bridge" in text for text in judged), "the assessor reads what the researchers say of it"


async def test_evidence_too_large_to_be_taken_along_stays_in_its_history(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quest, "MOST_CARRIED_BYTES", 40_000, raising=False)
    limits = ("limit.blobSize.error=60000", "limit.blobSize.warn=50000")
    async with impatient(model, tmp_path, *limits) as study:
        names = [f"q{number}" for number in range(5)]
        found: dict[str, list[Fact]] = {}
        for name in names:
            quotes = [f"Stone {place} of {name} is grey, " + "and old, " * 50 for place in range(8)]
            (study.folder / f"{name}.md").write_text(f"# {name}\n\n" + "\n\n".join(q.strip() for q in quotes))
            found[name] = [Fact(f"{name}.md", quote.strip()[:280], "stones") for quote in quotes]
        rules = [
            scopes(*names, "mayor"),
            plans(*(question(name, "stones", "mortar") for name in names)),
            *(rule for name in names for rule in finds(f"{name}\nStill open", study.folder)),
            *(rule for name in names for rule in finds(name, study.folder, *found[name])),
            assesses(),
            outlines(found["q0"][0].card(study.folder)),
            writes(f"## Stones\n\nStone 0 of q0 is grey. [[{found['q0'][0].card(study.folder)}]]"),
        ]
        rules[0] = scopes(*names)
        model.replace({"rules": rules})
        handle = await study.start("standard", enable_verification=False)
        result = await study.there.result(handle)
        report = result.model_dump()["metadata"]["report"]
        assert (report["rounds"], report["evidence"]) == (2, 40), (result.error, result.metadata.degraded)
        assert not await is_crossed(study, handle) and "Stone 0 of q0 is grey. [1]" in result.result
