"""Rounds of researchers: each finds evidence for one sub-question, several at a time, within the gatherers' budget."""

import json
from collections.abc import Mapping

from theseus.contracts.agent import AgentReport
from theseus.contracts.errors import ErrorType, TimedOut
from theseus.contracts.messages import Route, ToolCall
from theseus.contracts.plan import Plan, Subtask, SubtaskState
from theseus.contracts.research import FollowUp, ResearchBrief, ResearchCall, SubQuestion
from theseus.contracts.task import TaskStatus, Usage
from theseus.contracts.tools import PICK_EVIDENCE
from theseus.domain.research.budget import GATHERING, Purse
from theseus.domain.research.coverage import gain, open_rows, shown
from theseus.domain.research.stopping import SPENT, Standing, why_stop
from theseus.roles.researching import RESEARCHER
from theseus.workflows.patterns.dag import run_dag
from theseus.workflows.patterns.research.quest import Quest
from theseus.workflows.run import Run
from theseus.workflows.team import Errand, delegate
from theseus.workflows.tool_calls import use_tool

KNOWN_TOKENS = 2_000
"""So much of what is known already a researcher is told."""
ABOUT_CHARS = 1_000
INPUT_CHARS = 4_000
"""So much of what a researcher says those are told who need it; up to seven such texts go into one input."""
DIGEST_CHARS = 1_500
"""So much of it the assessor is shown."""
LEAST_SECONDS = 5.0
"""With less time than this no researcher is sent out."""
MOST_PICKED = 12
"""So many facets are looked for by rules."""


def may_go_on(run: Run, quest: Quest) -> bool:
    """Whether another round is made; why not is kept."""
    run.reserve = GATHERING
    quest.stopped = why_stop(
        Standing(
            rows=quest.rows(),
            rounds=quest.rounds,
            most_rounds=quest.controls.rounds,
            gains=quest.gains,
            gather_percent=_purse(run).percent,
            seconds_left=run.seconds_left,
            seconds_needed=run.time_reserved.total_seconds(),
            failed_rounds=quest.failed_rounds,
        )
    )
    return not quest.stopped


async def gather(run: Run, quest: Quest) -> None:
    """One round: the plan's questions at first, then what is still to be found out."""
    quest.rounds += 1
    before = quest.cards
    questions = _of_round(quest)
    plan = Plan(strategy=quest.plan.idea, subtasks=[_subtask(quest, question) for question in questions])
    run.plan = Plan(strategy=plan.strategy, subtasks=[*(run.plan.subtasks if run.plan else []), *plan.subtasks])
    quest.show(f"round {quest.rounds} of {quest.controls.rounds}")
    by_id = {subtask.id: question for subtask, question in zip(plan.subtasks, questions, strict=True)}
    results: dict[str, AgentReport] = {}
    sent: dict[str, tuple[str, ...]] = {}

    async def work(
        subtask: Subtask, inputs: Mapping[str, AgentReport], parts: int, avoid: tuple[Route, ...]
    ) -> AgentReport:
        question = by_id[subtask.id]
        if run.seconds_left - run.time_reserved.total_seconds() <= LEAST_SECONDS:
            raise TimedOut("no researcher is sent out any more: the time left is needed to write the report")
        waiting = [by_id[s.id].weight for s in plan.subtasks if s.state in _UNSERVED and s.agent_id is None]
        share = _purse(run).share(question.weight, max(sum(waiting), question.weight))
        call = ResearchCall(
            question=question.id,
            facets=tuple(facet.id for facet in question.facets),
            about=" ".join([question.question, *(facet.text for facet in question.facets)])[:ABOUT_CHARS],
            instead_of=sent.get(subtask.id, ()),
        )
        brief = ResearchBrief(call=call, most_calls=quest.controls.calls)
        errand = Errand(subtask, _told(run, quest, question, inputs), share, avoid, research=brief)
        try:
            return await delegate(run, errand)
        finally:
            sent[subtask.id] = (*call.instead_of, subtask.agent_id or "")

    await run_dag(run, plan, work, results, at_once=quest.controls.agents)
    run.control.tell_all()
    for name, report in results.items():
        quest.digests[by_id[name].id] = report.text[:DIGEST_CHARS]
    failed = [subtask for subtask in plan.subtasks if subtask.state is not SubtaskState.DONE]
    quest.failed_rounds = quest.failed_rounds + 1 if 2 * len(failed) >= len(plan.subtasks) else 0
    quest.gains.append(gain(before, quest.cards))
    for subtask in failed:
        run.note_degraded(f"{subtask.id}: {subtask.state}: {subtask.note or 'no reason is known'}")
    quest.show(f"round {quest.rounds} is done")


async def pick(run: Run, quest: Quest) -> None:
    """When researchers noted nothing at all, what must be established is looked for by rules instead of a model."""
    # where they noted something, what they did not find may well not be there: words alone would say that it is
    missing = [] if run.evidence else open_rows(quest.rows())[:MOST_PICKED]
    if PICK_EVIDENCE not in run.tools_there or not missing:
        return
    quest.show("looking for what nobody noted")
    known = len(run.evidence)
    asked = {question.id: question for question in quest.plan.questions}
    for number, row in enumerate(missing, start=1):
        if run.seconds_left <= run.time_reserved.total_seconds():
            break
        about = " ".join(f"{row.text} {asked[row.question].question}".split())[:600]
        call = ToolCall(
            id=f"pick-{number}", name=PICK_EVIDENCE, arguments=json.dumps({"facet": row.facet, "about": about})
        )
        await use_tool(run, call, [PICK_EVIDENCE], ResearchCall(question=row.question, facets=(row.facet,)))
    if len(run.evidence) > known:
        run.note_degraded(
            f"researchers noted nothing for {len(missing)} facets; rules picked {len(run.evidence) - known} sentences"
        )


_UNSERVED = (SubtaskState.PENDING, SubtaskState.RUNNING)


def is_spent(run: Run, quest: Quest) -> bool:
    """Whether a part of the research could not be done for its budget, or something is open that the budget let nobody look for."""
    if ErrorType.BUDGET_EXHAUSTED in run.failures:
        return True
    ended = any(report.status is TaskStatus.BUDGET_EXHAUSTED for report in run.reports)
    return (ended or quest.stopped == SPENT) and bool(open_rows(quest.rows()))


def _purse(run: Run) -> Purse:
    spent = Usage()
    for report in run.reports:
        if report.role == RESEARCHER.name:
            spent += report.usage
    return Purse.of(run.ledger, spent)


def _of_round(quest: Quest) -> list[SubQuestion]:
    if not quest.todo:
        return list(quest.plan.questions)
    known = {question.id: question for question in quest.plan.questions}
    return [_narrowed(known[wanted.question], wanted) for wanted in quest.todo]


def _narrowed(question: SubQuestion, wanted: FollowUp) -> SubQuestion:
    facets = [facet for facet in question.facets if facet.id in wanted.facets]
    return question.model_copy(
        update={"question": f"{question.question}\n{wanted.task}", "facets": facets, "depends_on": []}
    )


def _subtask(quest: Quest, question: SubQuestion) -> Subtask:
    suffix = f"-r{quest.rounds}" if quest.rounds > 1 else ""
    return Subtask(
        id=f"{question.id}{suffix}",
        description=question.question,
        role=RESEARCHER.name,
        depends_on=list(question.depends_on),
        if_missing="optional",
        tier=quest.controls.tier.value,
    )


def _told(run: Run, quest: Quest, question: SubQuestion, inputs: Mapping[str, AgentReport]) -> str:
    facets = "\n".join(
        f"- {facet.id}: {facet.text} (from {facet.domains} independent website{'s' if facet.domains > 1 else ''})"
        for facet in question.facets
    )
    parts = [f"Your question:\n{question.question}", f"Facets to note evidence for:\n{facets}"]
    if run.control.said:
        parts.append("Said since by the user:\n" + "\n".join(f"- {text}" for text in run.control.said))
    if quest.scope.freshness:
        parts.append(f"Sources have to be recent: {quest.scope.freshness}")
    parts += [f"What {name} found:\n{report.text[:INPUT_CHARS]}" for name, report in inputs.items()]
    rows = [row for row in quest.rows() if row.question == question.id and row.cards]
    if rows:
        parts.append(f"Known already:\n{shown(rows, quest.cards, KNOWN_TOKENS)}")
    return "\n\n".join(parts)
