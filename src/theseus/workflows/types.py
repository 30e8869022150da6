"""The workflow types: one per mode, and `TaskWorkflow` which routes. Each only names its mode."""

from typing import Any

from temporalio import workflow

from theseus.contracts.task import Mode, TaskResult
from theseus.workflows.lifecycle import BUGS, Lifecycle


@workflow.defn(name="TaskWorkflow", failure_exception_types=BUGS)
class TaskWorkflow:
    """A task whose mode is the input's, or the router's choice."""

    def __init__(self) -> None:
        self._life = Lifecycle(own_mode=None)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


@workflow.defn(name="SimpleWorkflow", failure_exception_types=BUGS)
class SimpleWorkflow:
    """A task in simple mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.SIMPLE)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


@workflow.defn(name="StandardWorkflow", failure_exception_types=BUGS)
class StandardWorkflow:
    """A task in standard mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.STANDARD)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


@workflow.defn(name="ComplexWorkflow", failure_exception_types=BUGS)
class ComplexWorkflow:
    """A task in complex mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.COMPLEX)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


@workflow.defn(name="SupervisorWorkflow", failure_exception_types=BUGS)
class SupervisorWorkflow:
    """A task in supervisor mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.SUPERVISOR)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


@workflow.defn(name="ResearchWorkflow", failure_exception_types=BUGS)
class ResearchWorkflow:
    """A task in research mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.RESEARCH)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


@workflow.defn(name="TemplateWorkflow", failure_exception_types=BUGS)
class TemplateWorkflow:
    """A task in template mode."""

    def __init__(self) -> None:
        self._life = Lifecycle(Mode.TEMPLATE)

    @workflow.run
    async def run(self, task: Any = None) -> TaskResult:
        """Runs the task; see `contracts.TaskInput` and `contracts.TaskResult`."""
        return await self._life.live(task)


WORKFLOWS = (
    TaskWorkflow,
    SimpleWorkflow,
    StandardWorkflow,
    ComplexWorkflow,
    SupervisorWorkflow,
    ResearchWorkflow,
    TemplateWorkflow,
)
"""All that a worker runs."""
