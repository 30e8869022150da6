"""What a worker knows and a workflow may not read by itself: recorded once, at the start of a task. Inner contract."""

from pydantic import Field

from theseus.contracts.control import ApprovalRules
from theseus.contracts.inner import Sparse
from theseus.contracts.memory import Recalled
from theseus.contracts.messages import Route
from theseus.contracts.task import ModelTier
from theseus.contracts.tools import ToolFacts


class ModelCard(Sparse):
    """One model as the catalogue has it; prices in millionths of a US dollar per million tokens; `vision`: it sees images."""

    route: Route
    tier: ModelTier
    context_window_tokens: int
    max_output_tokens: int
    input_price: int
    output_price: int
    cached_price: int
    cache_write_price: int
    vision: bool = False


class FactsRequest(Sparse):
    """Which facts a task asks for."""

    task_id: str
    tenant_id: str = ""
    model_override: str | None = None
    provider_override: str | None = None


class Facts(Sparse):
    """Recorded answers: the usable models of each tier in order of preference, the tools, the roles, the attributes.

    `archives` says that ended tasks are kept. `memory` is what the setting says of tasks that do not say themselves; `recalled` what the task's user is known for,
    None where the task has no memory. `refusal` is set when the wanted model or provider cannot be had, in words for the caller. `changes` is
    the number of the newest change (`contracts/changes.py`) that was known when the task began.
    """

    models: dict[ModelTier, tuple[ModelCard, ...]] = Field(default={})
    tools: tuple[ToolFacts, ...] = ()
    search_attributes: bool = False
    approvals: ApprovalRules = ApprovalRules()
    memory: bool = False
    archives: bool = False
    recalled: Recalled | None = None
    refusal: str | None = None
    changes: int = 0
