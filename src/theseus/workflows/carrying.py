"""A task that continues as new: what it takes along, and how its next run opens from that."""

from theseus.contracts.agent import MOST_CARRIED_BYTES, RouteSpent
from theseus.contracts.carried import CarriedTask
from theseus.contracts.control import ReviewState
from theseus.contracts.task import Mode
from theseus.domain.budget import Ledger
from theseus.domain.supervision import fitted
from theseus.workflows.answer import OverlongTask
from theseus.workflows.approvals import Approvals
from theseus.workflows.control import Control
from theseus.workflows.crew import Crew
from theseus.workflows.milestones import Milestones
from theseus.workflows.run import Count, RouteUse, Run


def carried_by(run: Run, long: OverlongTask) -> CarriedTask:
    """All that the next run of this task needs."""
    return CarriedTask(
        task=run.task,
        facts=run.facts,
        mode=run.mode or Mode.SUPERVISOR,
        deadline=run.deadline,
        spent=run.ledger.spent,
        routes=tuple(RouteSpent(route=route, calls=use.calls, usage=use.usage) for route, use in run.routes.items()),
        reports=tuple(report.model_copy(update={"text": "", "cards": ()}) for report in run.reports),
        window=run.window,
        window_tokens=run.window_tokens,
        complexity=run.complexity,
        degraded=tuple(run.degraded),
        failovers=tuple(run.failovers),
        steps=run.counted.steps,
        told=run.milestones.told,
        agents_started=run.crew.started,
        control=run.control.memory(),
        waiting=run.milestones.waiting,
        is_read_only=run.is_read_only,
        changed=run.changed,
        failures=tuple(run.failures),
        team=fitted(long.team, MOST_CARRIED_BYTES),
        research=long.research,
        review=run.reviews.memory if run.reviews is not None else ReviewState(),
        plan=run.plan if long.research is not None else None,
        template=long.template,
    )


def reopened(carried: CarriedTask, control: Control, crew: Crew, approvals: Approvals, milestones: Milestones) -> Run:
    """The run that goes on where the earlier one stopped."""
    milestones.of_agent(carried.task.task_id, "", carried.told)
    crew.count_from(carried.agents_started)
    control.remember(carried.control)
    for event in carried.waiting:
        milestones.pass_on(event)
    run = Run(
        task=carried.task,
        facts=carried.facts,
        control=control,
        crew=crew,
        approvals=approvals,
        milestones=milestones,
        deadline=carried.deadline,
        ledger=Ledger(carried.task.limits, spent=carried.spent),
        mode=carried.mode,
        window=carried.window,
        window_tokens=carried.window_tokens,
        complexity=carried.complexity,
        degraded=list(carried.degraded),
        failovers=list(carried.failovers),
        routes={spent.route: RouteUse(spent.calls, spent.usage) for spent in carried.routes},
        reports=list(carried.reports),
        team_state=carried.team,
        research_state=carried.research,
        plan=carried.plan,
        counted=Count(carried.steps),
        template_state=carried.template,
        is_read_only=carried.is_read_only,
        changed=carried.changed,
        failures=list(carried.failures),
    )
    if carried.routes:
        run.last_route = carried.routes[-1].route
    return run
