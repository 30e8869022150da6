"""Complex mode: a plan with a strategy for each part, a team, a judge of the draft, and another try for what is weak."""

from collections.abc import Mapping

from theseus.contracts.agent import AgentReport
from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, StepFailed
from theseus.contracts.messages import Route
from theseus.contracts.plan import MOST_SUBTASKS, Plan, Subtask, SubtaskState
from theseus.contracts.verdict import Verdict
from theseus.domain.combining import material
from theseus.domain.planning import gaps, reset
from theseus.roles.judge import JUDGE
from theseus.workflows.answer import Answer, Outcome
from theseus.workflows.conclusion import alone, of_team, texts
from theseus.workflows.consent import consent
from theseus.workflows.model_calls import ask
from theseus.workflows.patterns.dag import run_dag
from theseus.workflows.patterns.planning import make_plan
from theseus.workflows.patterns.synthesis import synthesise
from theseus.workflows.run import Run
from theseus.workflows.team import Errand, brief, delegate

BAR = 0.7
"""A draft below it is not good enough."""
MOST_REDONE = 2
JUDGED_TOKENS = 12_000


async def complex_mode(run: Run) -> Answer:
    """Plan, approval, the parts by agents, a draft; while the judge finds it weak, the weak parts again; the answer."""
    plan = await make_plan(run, most=MOST_SUBTASKS)
    plan = await consent(run, plan, most=MOST_SUBTASKS)
    if len(plan.subtasks) == 1:
        return await alone(run, plan)
    results: dict[str, AgentReport] = {}
    await _carry_out(run, plan, results, feedback={})
    outcome = await synthesise(run, texts(results), gaps(plan))
    for _ in range(MOST_REDONE):
        verdict = await _judge(run, plan, results, outcome)
        if verdict is None:
            break
        await _do_again(run, plan, results, verdict)
        outcome = await synthesise(run, texts(results), gaps(plan))
    return of_team(run, plan, results, outcome)


async def _do_again(run: Run, plan: Plan, results: dict[str, AgentReport], verdict: Verdict) -> None:
    """The weak parts and what builds on them; an earlier result is better than none."""
    earlier = {subtask.id: results.pop(subtask.id) for subtask in reset(plan, verdict.weak) if subtask.id in results}
    await _carry_out(run, plan, results, {name: verdict.feedback for name in verdict.weak})
    for subtask in plan.subtasks:
        if subtask.id not in results and subtask.id in earlier:
            results[subtask.id] = earlier[subtask.id]
            subtask.state, subtask.note = SubtaskState.DONE, f"as it was before: {subtask.note}"[:200]


async def _carry_out(run: Run, plan: Plan, results: dict[str, AgentReport], feedback: Mapping[str, str]) -> None:
    run.enter("agents at work")

    async def work(
        subtask: Subtask, inputs: Mapping[str, AgentReport], parts: int, avoid: tuple[Route, ...]
    ) -> AgentReport:
        text = brief(run, subtask, inputs, feedback.get(subtask.id, ""))
        return await delegate(run, Errand(subtask, text, run.ledger.share(parts), avoid))

    await run_dag(run, plan, work, results)


async def _judge(run: Run, plan: Plan, results: Mapping[str, AgentReport], outcome: Outcome) -> Verdict | None:
    """What is to be done again; None when the draft is good enough, or cannot be judged or mended."""
    if outcome.stop_reason == "budget" or not results:
        return None
    run.enter("judging the draft")
    text = f"{material(run.request, texts(results), gaps(plan), JUDGED_TOKENS)}\n\n### The draft\n{outcome.text}"
    try:
        verdict = await ask(run, JUDGE, text)
    except (StepFailed, AnswerInvalid) as error:
        run.note_degraded(f"the draft could not be judged ({error.message[:200]})")
        return None
    except BudgetExhausted:
        return None
    weak = [subtask.id for subtask in plan.subtasks if subtask.id in verdict.weak]
    if verdict.score >= BAR or not weak:
        return None
    return verdict.model_copy(update={"weak": weak})
