"""`TaskWorkflow`: a task whose mode is the input's, or the router's choice."""

from temporalio import workflow
from temporalio.common import RawValue

from theseus.contracts.task import TaskResult
from theseus.workflows.bugs import BUGS
from theseus.workflows.lifecycle import NOTHING, Lifecycle


@workflow.defn(name="TaskWorkflow", failure_exception_types=BUGS)
class TaskWorkflow:
    """A task whose mode is the input's, or the router's choice."""

    def __init__(self) -> None:
        self._life = Lifecycle(own_mode=None)

    @workflow.run
    async def run(self, task: RawValue = NOTHING) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)
