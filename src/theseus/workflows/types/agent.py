"""`AgentWorkflow`: one agent of a team, started by its task."""

from typing import Any

from temporalio import workflow

from theseus.contracts.agent import AgentReport
from theseus.workflows.agent import Agent
from theseus.workflows.bugs import BUGS


@workflow.defn(name="AgentWorkflow", failure_exception_types=BUGS)
class AgentWorkflow:
    """One agent of a team, with a history of its own."""

    def __init__(self) -> None:
        self._agent = Agent()

    @workflow.run
    async def run(self, assignment: Any) -> AgentReport:
        """Does the assignment; see `contracts.agent`."""
        return await self._agent.live(assignment)
