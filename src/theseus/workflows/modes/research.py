"""Deep research: a plan, rounds of researchers until enough is established, a report that stands on what was found."""

from collections.abc import Sequence

from pydantic import JsonValue

from theseus.contracts.changes import Change
from theseus.contracts.errors import StepFailed
from theseus.contracts.research import FacetRow
from theseus.contracts.task import Citation, ResearchStrategy
from theseus.domain.research.coverage import covered_percent, open_rows
from theseus.domain.research.presets import PRESETS, Controls, says_no_rounds, settled
from theseus.domain.research.report import Found, facts, rendered, words_of
from theseus.domain.research.room import Room
from theseus.workflows.answer import Answer, OverlongTask
from theseus.workflows.conclusion import reason_of
from theseus.workflows.patterns.research.assessing import assess
from theseus.workflows.patterns.research.gathering import gather, is_spent, may_go_on, pick
from theseus.workflows.patterns.research.planning import Planner
from theseus.workflows.patterns.research.quest import Quest
from theseus.workflows.patterns.research.review import reviewed
from theseus.workflows.patterns.research.scoping import look_around, make_scope
from theseus.workflows.patterns.research.verifying import Verified, verify
from theseus.workflows.patterns.research.writing import outline, write
from theseus.workflows.run import Run


async def research(run: Run) -> Answer:
    """Scope, plan, review, rounds of gathering and assessing, outline, text, verification, report."""
    controls = _controls(run)
    quest = await _begun(run, controls)
    while may_go_on(run, quest):
        if quest.rounds and run.is_history_long and (state := quest.state()) is not None:
            raise OverlongTask(research=state)
        await gather(run, quest)
        if may_go_on(run, quest):
            await assess(run, quest)
    await pick(run, quest)
    if not quest.cards:
        return _nothing(run, quest)
    verified = await verify(run, quest, await write(run, quest, await outline(run, quest)))
    return _report(run, quest, verified)


def _controls(run: Run) -> Controls:
    if says_no_rounds(run.task) and not run.has(Change.THREE_ROUNDS):
        return settled(run.task, default_rounds=PRESETS[ResearchStrategy.STANDARD].rounds)
    return settled(run.task)


async def _begun(run: Run, controls: Controls) -> Quest:
    """The research with its plan: a new one, or the one that an earlier history began."""
    if run.research_state is not None:
        return Quest.resumed(run, controls, run.research_state)
    scope = await make_scope(run, controls)
    planner = Planner(run, controls, scope, await look_around(run, controls, scope))
    plan = await reviewed(run, controls, planner, await planner.first())
    return Quest(run, controls, scope, plan)


def _report(run: Run, quest: Quest, verified: Verified) -> Answer:
    quest.show("the report is put together")
    rows = quest.rows()
    found = Found(run.evidence, rows, quest.contradictions(rows), words_of(quest.scope.language))
    text, citations = rendered(verified.draft, found, cites=quest.controls.cites)
    metadata = _metadata(run, quest, rows)
    _add_findings(metadata, Room(text), quest, verified, citations)
    return _answer(run, quest, text, metadata)


def _add_findings(
    metadata: dict[str, JsonValue], room: Room, quest: Quest, verified: Verified, citations: Sequence[Citation]
) -> None:
    """Puts sources, checked sentences and facts into the metadata, as much as has room, and how much had none."""
    metadata["citations"] = room.take("citations", [each.model_dump(mode="json") for each in citations], 0.3)
    last, first = (report.model_dump(mode="json") for report in (verified.last, verified.first))
    last["sentences"] = room.take("sentences", last["sentences"], 0.4)
    if quest.controls.gives_facts:
        metadata["facts"] = room.take("facts", facts(quest.cards), 0.7)
    first["sentences"] = room.take("sentences_before_repair", first["sentences"])
    metadata["verification"] = last | {"before_repair": first}
    if room.left_out:
        metadata["left_out"] = dict(room.left_out)


def _nothing(run: Run, quest: Quest) -> Answer:
    """Nothing was found: that is the answer, unless nobody could even look.

    Raises:
        StepFailed: all researchers failed.
    """
    if run.failures and not any(report.is_usable for report in run.reports):
        raise StepFailed(reason_of(run), f"no researcher could work: {'; '.join(run.degraded)}"[:2000])
    rows = quest.rows()
    text, _ = rendered("", Found({}, rows, (), words_of(quest.scope.language)), cites=False)
    return _answer(run, quest, text, _metadata(run, quest, rows))


def _answer(run: Run, quest: Quest, text: str, metadata: dict[str, JsonValue]) -> Answer:
    spent = is_spent(run, quest)
    return Answer(
        text=text,
        stop_reason="budget" if spent else "answer",
        budget_exhausted=spent,
        gaps=[row.text for row in open_rows(quest.rows())],
        metadata=metadata,
    )


def _metadata(run: Run, quest: Quest, rows: Sequence[FacetRow]) -> dict[str, JsonValue]:
    return {
        "agents": [record.model_dump(mode="json") for record in run.records()],
        "plan": run.plan.model_dump(mode="json") if run.plan is not None else None,
        "report": {
            "questions": [question.model_dump(mode="json") for question in quest.plan.questions],
            "coverage": [row.model_dump(mode="json") for row in rows],
            "coverage_percent": covered_percent(rows),
            "rounds": quest.rounds,
            "stopped": quest.stopped,
            "evidence": len(run.evidence),
        },
    }
