"""A task whose input was accepted: every twin key resolved, every default filled in. Inner contract."""

from theseus.contracts.attachments import AttachmentRef
from theseus.contracts.inner import Sparse
from theseus.contracts.session import SessionKey
from theseus.contracts.task import Limits, Mode, ModelTier, ResearchStrategy, TaskContext


class AcceptedTask(Sparse):
    """What the modes work from.

    `mode` is None when the router has to decide; `asks_for_agents` says that `max_concurrent_agents` was given,
    `asks_for_iterations` that `max_iterations` was; `fallback_mode` is the mode of a task whose template is not there,
    None when the router decides that. `attachments` are those of the context once they are kept; the context has them
    no more then.
    """

    task_id: str
    session: SessionKey
    new_session: bool
    query: str
    mode: Mode | None
    role: str
    model_tier: ModelTier | None
    model_override: str | None
    provider_override: str | None
    max_iterations: int
    asks_for_iterations: bool = False
    max_concurrent_agents: int = 5
    asks_for_agents: bool = False
    research_strategy: ResearchStrategy | None = None
    enable_verification: bool | None = None
    require_approval: bool = False
    tools: tuple[str, ...] | None = None
    skill: str | None = None
    template: str | None = None
    template_version: str | None = None
    fallback_mode: Mode | None = None
    limits: Limits
    context: TaskContext
    attachments: tuple[AttachmentRef, ...] = ()
