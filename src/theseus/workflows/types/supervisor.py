"""`SupervisorWorkflow`: a task in supervisor mode."""

from typing import Any

from temporalio import workflow

from theseus.contracts.task import Mode, TaskResult
from theseus.workflows.bugs import BUGS
from theseus.workflows.lifecycle import Lifecycle


@workflow.defn(name="SupervisorWorkflow", failure_exception_types=BUGS)
class SupervisorWorkflow:
    """A task in supervisor mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.SUPERVISOR)

    @workflow.run
    async def run(self, task: Any = None, carried: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`. `carried` comes from an earlier run."""
        return await self._life.live(task, carried)
