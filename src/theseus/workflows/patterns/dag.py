"""A plan carried out: every subtask starts as soon as what it depends on is done, several at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from theseus.contracts.agent import AgentReport
from theseus.contracts.errors import DomainError, ErrorType, StepFailed
from theseus.contracts.messages import Route
from theseus.contracts.plan import Plan, Subtask, SubtaskState
from theseus.contracts.task import TaskStatus
from theseus.domain.planning import ready, skip_hopeless, unserved
from theseus.workflows.control import Hearing
from theseus.workflows.run import Run
from theseus.workflows.together import Scope, first_done

MOST_ATTEMPTS = 2
"""A subtask that failed is tried once more, by another model where there is one."""

Work = Callable[[Subtask, Mapping[str, AgentReport], int, tuple[Route, ...]], Awaitable[AgentReport]]
"""Does one subtask: the results that it depends on by id, into how many parts the free budget goes, routes to avoid."""

_FATAL = frozenset({ErrorType.DENIED})


async def run_dag(
    run: Run, plan: Plan, work: Work, results: dict[str, AgentReport], *, at_once: int | None = None
) -> None:
    """Carries out what is pending of a plan; results are kept by the subtask's id, those of an earlier round too.

    `at_once` says how many agents work at the same time; absent: as many as the task allows.

    Raises:
        Denied: a person refused what an agent wanted to do; all agents are stopped then.
    """
    running: dict[asyncio.Task[None], str] = {}
    run.control.tell_all()
    async with Scope(lambda: running):
        while True:
            skip_hopeless(plan)
            room = (at_once or run.task.max_concurrent_agents) - len(running)
            for subtask in ready(plan)[: max(room, 0)]:
                subtask.state = SubtaskState.RUNNING
                task = asyncio.create_task(_one(run, plan, subtask, work, results))
                running[task] = subtask.id
            run.show()
            if not running:
                break
            for task in await first_done(list(running)):
                del running[task]
                task.result()
    run.control.hears = Hearing.NOBODY


async def _one(run: Run, plan: Plan, subtask: Subtask, work: Work, results: dict[str, AgentReport]) -> None:
    inputs = {name: results[name] for name in subtask.depends_on if name in results}
    avoid: tuple[Route, ...] = ()
    while True:
        subtask.attempts += 1
        subtask.agent_id = None
        try:
            report = await work(subtask, inputs, unserved(plan), avoid)
        except StepFailed as error:
            report, reason, note = None, error.type, error.message
        except DomainError as error:
            if error.type in _FATAL:
                raise
            subtask.state, subtask.note = SubtaskState.FAILED, error.message[:200]
            run.failures.append(error.type)
            return
        else:
            reason = report.error.type if report.error is not None else ErrorType.INTERNAL
            note = report.error.message if report.error is not None else "it gave no result"
        if report is not None and report.is_usable:
            results[subtask.id] = report
            subtask.state, subtask.note = SubtaskState.DONE, ""
            run.show()
            return
        if subtask.attempts >= MOST_ATTEMPTS or (report is not None and report.status is TaskStatus.BUDGET_EXHAUSTED):
            subtask.state, subtask.note = SubtaskState.FAILED, note[:200]
            run.failures.append(reason)
            return
        if report is not None:
            avoid = report.unfit or tuple(spent.route for spent in report.routes)
