"""Standard mode: a plan, agents that work on its parts at the same time, one answer."""

from collections.abc import Mapping

from theseus.contracts.agent import AgentReport
from theseus.contracts.messages import Route
from theseus.contracts.plan import Strategy, Subtask
from theseus.domain.planning import gaps
from theseus.workflows.answer import Answer
from theseus.workflows.conclusion import alone, of_team, texts
from theseus.workflows.consent import consent
from theseus.workflows.patterns.dag import run_dag
from theseus.workflows.patterns.planning import make_plan
from theseus.workflows.patterns.synthesis import synthesise
from theseus.workflows.run import Run
from theseus.workflows.team import Errand, brief, delegate

MOST_SUBTASKS = 5


async def standard(run: Run) -> Answer:
    """Plan, approval where one is due, the parts by agents, synthesis; a plan of one part needs no team."""
    plan = await make_plan(run, most=MOST_SUBTASKS)
    plan = await consent(run, plan, most=MOST_SUBTASKS)
    for subtask in plan.subtasks:
        subtask.strategy = Strategy.REACT
    if len(plan.subtasks) == 1:
        return await alone(run, plan)
    run.enter("agents at work")
    results: dict[str, AgentReport] = {}

    async def work(
        subtask: Subtask, inputs: Mapping[str, AgentReport], parts: int, avoid: tuple[Route, ...]
    ) -> AgentReport:
        return await delegate(run, Errand(subtask, brief(run, subtask, inputs), run.ledger.share(parts), avoid))

    await run_dag(run, plan, work, results)
    outcome = await synthesise(run, texts(results), gaps(plan))
    return of_team(run, plan, results, outcome)
