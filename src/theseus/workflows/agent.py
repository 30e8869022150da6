"""The life of one agent of a team: it works on its subtask in a history of its own and reports to its task."""

import asyncio
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from theseus.contracts.agent import AgentReport, Assignment, Carried, RouteSpent
from theseus.contracts.control import SIGNAL_AGENT_STOPPED, Progress
from theseus.contracts.errors import BudgetExhausted, DomainError, ErrorType, TaskError
from theseus.contracts.events import AgentEvent, AnyFacts
from theseus.contracts.plan import Plan
from theseus.contracts.task import TaskStatus, Usage
from theseus.domain.budget import Ledger
from theseus.workflows import children, steps
from theseus.workflows.answer import Overlong
from theseus.workflows.approvals import Approvals
from theseus.workflows.bugs import BUGS
from theseus.workflows.control import Control
from theseus.workflows.crew import Crew
from theseus.workflows.limits import Hold, undisturbed, within_limits
from theseus.workflows.milestones import Milestones
from theseus.workflows.run import RouteUse, Run
from theseus.workflows.strategies import Worked, find_evidence, tools_of, work_on

_SPENT = (BudgetExhausted,)
MOST_FOUND_CHARS = 10_000
"""So much of what it had found an agent that fails leaves behind."""


class Agent:
    """One agent from its assignment to its report. Built in a workflow's constructor; `live` is its `run`."""

    def __init__(self) -> None:
        self._milestones = Milestones()
        self._run: Run | None = None
        self._control = Control(self._milestones, self._progress)
        self._crew = Crew(self._control)
        self._approvals = Approvals(self._milestones)

    async def live(self, raw: Any) -> AgentReport:
        """Does the assignment.

        Raises:
            ApplicationError: there is no result; the first detail is the AgentReport.
            asyncio.CancelledError: the task stopped it; the task was told what was spent.
        """
        if not steps.is_agent_of_a_task():
            words = "agents are started by their tasks only; start a task: see contracts/schema/TaskInput.json"
            raise ApplicationError(words, type=ErrorType.INVALID_INPUT, non_retryable=True)
        assignment = Assignment.model_validate(raw)
        run = self._open(assignment)
        try:
            hold = Hold(lambda: self._control.state.is_paused or self._approvals.is_waiting)
            work = self._work(run, assignment)
            worked = await within_limits(work, lambda: self._run, hold, self._control.cancelled())
        except asyncio.CancelledError:
            await undisturbed(self._stopped(run))
            raise
        except Overlong as long:
            await undisturbed(self._pause_for_breath())
            if steps.is_cancel_requested():
                await undisturbed(self._stopped(run))
                raise asyncio.CancelledError from None
            worked = self._continue(run, assignment, long)
        except DomainError as error:
            return await undisturbed(self._failed(run, error))
        except (ValidationError, *BUGS) as error:
            workflow.logger.exception("a bug failed the agent")
            return await undisturbed(self._failed(run, DomainError(f"{type(error).__name__}: {error}")))
        return await undisturbed(self._done(run, worked))

    async def _pause_for_breath(self) -> None:
        await self._milestones.flush()
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _open(self, assignment: Assignment) -> Run:
        carried = assignment.carried
        self._milestones.of_agent(assignment.task.task_id, assignment.agent, carried.told if carried else 0)
        run = Run(
            task=assignment.task,
            facts=assignment.facts,
            control=self._control,
            crew=self._crew,
            approvals=self._approvals,
            milestones=self._milestones,
            deadline=assignment.deadline,
            ledger=Ledger(assignment.limits, spent=carried.spent if carried else Usage()),
            mode=assignment.task.mode,
            agent=assignment.agent,
            in_team=assignment.in_team,
            is_read_only=assignment.is_read_only,
            plan=Plan(subtasks=[assignment.subtask]),
            research=assignment.research.call if assignment.research is not None else None,
        )
        run.left.update(assignment.avoid)
        if carried is not None:
            run.counted.steps = carried.steps
            run.note(carried.cards)
            run.routes = {spent.route: RouteUse(spent.calls, spent.usage) for spent in carried.routes}
            run.degraded, run.failovers = list(carried.degraded), list(carried.failovers)
            self._control.remember(carried.control)
            for event in carried.waiting:
                self._milestones.pass_on(event)
        if assignment.is_paused and carried is None:
            self._control.hold()
        self._control.on_change(run.show)
        self._run = run
        return run

    async def _work(self, run: Run, assignment: Assignment) -> Worked:
        subtask = assignment.subtask
        if assignment.carried is None:
            facts = {
                "role": subtask.role,
                "subtask": subtask.id,
                "name": assignment.name,
                "tools": list(tools_of(run, subtask)),
            }
            run.milestones.tell(
                AgentEvent,
                type="AGENT_STARTED",
                message=subtask.description[:200],
                payload=AnyFacts.model_validate(facts),
            )
        run.enter(f"{subtask.id}: {subtask.role} at work")
        if assignment.research is not None:
            return await find_evidence(run, subtask, assignment.briefing, assignment.research, assignment.carried)
        return await work_on(run, subtask, assignment.briefing, window=False, before=assignment.carried)

    def _continue(self, run: Run, assignment: Assignment, long: Overlong) -> Worked:
        carried = Carried(
            messages=long.messages,
            turns=long.turns,
            tool_calls=long.tool_calls,
            cards=tuple(run.evidence.values()),
            fruitless=long.fruitless,
            steps=run.counted.steps,
            told=self._milestones.told,
            calls=long.calls,
            spent=run.ledger.spent,
            routes=_spent(run),
            degraded=tuple(run.degraded),
            failovers=tuple(run.failovers),
            control=self._control.memory(),
            waiting=self._milestones.waiting,
        )
        steps.continue_as_new(
            assignment.model_copy(
                update={
                    "carried": carried,
                    "deadline": run.deadline,
                    "avoid": tuple(sorted(run.left, key=str)),
                }
            )
        )

    async def _done(self, run: Run, worked: Worked) -> AgentReport:
        outcome = worked.outcome
        status = TaskStatus.BUDGET_EXHAUSTED if outcome.stop_reason == "budget" else TaskStatus.COMPLETED
        if outcome.stop_reason in ("max_iterations", "loop") and run.research is None:
            run.note_degraded(f"stopped by {outcome.stop_reason} after {outcome.turns} turns")
        if outcome.cut_short and outcome.stop_reason != "budget":
            run.note_degraded("its result was cut at the output limit of its model call")
        report = self._report(run, status).model_copy(
            update={
                "text": outcome.text,
                "stop_reason": outcome.stop_reason,
                "strategy": worked.strategy,
                "turns": outcome.turns,
                "tool_calls": outcome.tool_calls,
                "degraded": tuple(run.degraded),
            }
        )
        await self._end(run, "AGENT_COMPLETED", str(status), report)
        return report

    async def _failed(self, run: Run, error: DomainError) -> AgentReport:
        status = TaskStatus.BUDGET_EXHAUSTED if isinstance(error, _SPENT) else TaskStatus.FAILED
        told = TaskError(type=error.type, message=error.message, field=error.field)
        report = self._report(run, status).model_copy(update={"error": told, "text": run.found()[:MOST_FOUND_CHARS]})
        await self._end(run, "AGENT_FAILED", error.message, report)
        raise ApplicationError(error.message, report, type=error.type, non_retryable=True)

    async def _stopped(self, run: Run) -> None:
        report = self._report(run, TaskStatus.CANCELLED).model_copy(
            update={"error": TaskError(type=ErrorType.INTERNAL, message="the agent was stopped")}
        )
        await children.signal_parent(SIGNAL_AGENT_STOPPED, report)
        await self._end(run, "AGENT_FAILED", "stopped", report)

    async def _end(self, run: Run, kind: str, words: str, report: AgentReport) -> None:
        self._control.close()
        self._approvals.close()
        run.ending = words if report.error is not None else ""
        run.enter(str(report.status))
        facts = {"status": report.status, "role": report.role, "usage": report.usage.model_dump()}
        self._milestones.tell(AgentEvent, type=kind, message=words[:500], payload=AnyFacts.model_validate(facts))
        await self._milestones.close()
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _report(self, run: Run, status: TaskStatus) -> AgentReport:
        plan = run.plan
        assert plan is not None
        return AgentReport(
            agent=run.agent,
            role=plan.subtasks[0].role,
            status=status,
            usage=run.ledger.spent,
            routes=_spent(run),
            degraded=tuple(run.degraded),
            failovers=tuple(run.failovers),
            unfit=tuple(sorted(run.unfit, key=str)),
            cards=tuple(run.evidence.values()),
        )

    def _progress(self) -> Progress:
        return self._run.progress() if self._run is not None else Progress(phase="opening")


def _spent(run: Run) -> tuple[RouteSpent, ...]:
    return tuple(RouteSpent(route=route, calls=use.calls, usage=use.usage) for route, use in run.routes.items())
