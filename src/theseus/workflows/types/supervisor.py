"""`SupervisorWorkflow`: a task in supervisor mode."""

from temporalio import workflow
from temporalio.common import RawValue

from theseus.contracts.task import Mode, TaskResult
from theseus.workflows.bugs import BUGS
from theseus.workflows.lifecycle import NOTHING, Lifecycle


@workflow.defn(name="SupervisorWorkflow", failure_exception_types=BUGS)
class SupervisorWorkflow:
    """A task in supervisor mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.SUPERVISOR)

    @workflow.run
    async def run(self, task: RawValue = NOTHING) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)
