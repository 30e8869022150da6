"""Activities about the task itself: what its worker knows, and asking the server to cancel it."""

from collections.abc import Callable
from dataclasses import dataclass

from temporalio import activity
from temporalio.client import Client

from theseus.activities.llm.catalogue import Catalogue, UnusableError
from theseus.contracts.changes import NEWEST
from theseus.contracts.control import ApprovalRules
from theseus.contracts.facts import Facts, FactsRequest
from theseus.contracts.task import ModelTier
from theseus.contracts.tools import ToolFacts


@dataclass(frozen=True)
class WorkerSetting:
    """What tasks take from the settings of their worker.

    `approvals` says what needs a person's yes, `archives` whether ended tasks are kept, `memory` whether tasks remember
    their users where they do not say themselves.
    """

    approvals: ApprovalRules
    archives: bool = False
    memory: bool = False


class TaskActivities:
    """Facts and self-cancellation.

    Args:
        client: speaks to the server that runs the tasks.
        catalogue: the models.
        tools: gives what a workflow must know of each tool that a tenant may use.
        has_attributes: whether the namespace knows all search attributes, asked again until it does.
        setting: how this worker is set.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        tools: Callable[[str], tuple[ToolFacts, ...]],
        has_attributes: Callable[[], bool],
        setting: WorkerSetting,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._tools = tools
        self._has_attributes = has_attributes
        self._setting = setting

    @activity.defn(name="task.facts")
    async def facts(self, request: FactsRequest) -> Facts:
        """Models by tier for this task's overrides, the tools of its tenant, and whether search attributes may be written."""
        try:
            models = {
                tier: tuple(self._catalogue.cards(tier, request.model_override, request.provider_override))
                for tier in ModelTier
            }
        except UnusableError as error:
            return Facts(
                tools=self._tools(request.tenant_id),
                search_attributes=self._has_attributes(),
                approvals=self._setting.approvals,
                archives=self._setting.archives,
                refusal=str(error),
                changes=NEWEST,
            )
        return Facts(
            models=models,
            tools=self._tools(request.tenant_id),
            search_attributes=self._has_attributes(),
            approvals=self._setting.approvals,
            archives=self._setting.archives,
            memory=self._setting.memory,
            changes=NEWEST,
        )

    @activity.defn(name="task.cancel")
    async def cancel(self, reason: str) -> None:
        """Asks the server to cancel the workflow that runs this activity."""
        info = activity.info()
        assert info.workflow_id is not None
        await self._client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id).cancel(
            reason=reason or "cancelled by signal"
        )
