"""What a task tells while it runs: one union of events, discriminated by `type`. Outer contract.

Two planes share one stream: milestones are durable and carry a `key`, by which they are published once; token deltas
(`LLM_PARTIAL`) carry (agent_id, attempt, index) instead, and a `reset` when a retry starts over.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from theseus.contracts.task import Usage

FINAL_OUTPUT = "final_output"
"""`agent_id` of the LLM_OUTPUT that is the task's answer."""


class EventBase(BaseModel):
    """What every event has."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str = Field(description="The task's id; events of child agents carry it too.")
    agent_id: str = ""
    message: str = ""
    timestamp: datetime
    key: str | None = Field(default=None, description="Identity of a milestone within its task; absent on deltas.")


class Facts(BaseModel):
    """Base of payloads."""

    model_config = ConfigDict(frozen=True)


class PartialFacts(Facts):
    """Place of a token delta: `index` counts from 0 within one attempt of one model call (`step`)."""

    step: int
    attempt: int
    index: int
    reset: bool = Field(default=False, description="Drop what earlier attempts of this step showed.")


class OutputFacts(Facts):
    """What a model call cost and who made it. `text_cut` says that `message` holds only the first 10,000 characters."""

    usage: Usage = Usage()
    model_used: str = ""
    provider: str = ""
    text_cut: bool = False


class ToolCallFacts(Facts):
    """A tool call about to run. Parameters are cut to 2,000 characters as JSON."""

    tool: str
    call_id: str
    params: JsonValue = None


class ToolResultFacts(Facts):
    """How a tool call went."""

    tool: str
    call_id: str
    success: bool
    duration_ms: int
    artifact_id: str | None = None


class PausedFacts(Facts):
    """Where a task is held or stopped."""

    checkpoint: str = ""
    reason: str = ""
    requested_by: str = ""


class BudgetFacts(Facts):
    """How much of a limit is used."""

    usage_percent: int
    threshold_percent: int
    budget_type: Literal["tokens", "cost"]
    used: int
    budget: int


class FailureFacts(Facts):
    """Why something failed."""

    error_type: str
    field: str | None = None


class EndFacts(Facts):
    """How the task ended."""

    status: str
    usage: Usage = Usage()


class AnyFacts(Facts):
    """Facts of an event whose shape belongs to the mode that emits it."""

    model_config = ConfigDict(extra="allow", frozen=True)


class WorkflowStarted(EventBase):
    """The task was accepted; first event of every task that passes validation."""

    type: Literal["WORKFLOW_STARTED"] = "WORKFLOW_STARTED"
    payload: AnyFacts = AnyFacts()


class WorkflowCompleted(EventBase):
    """The task ended with an answer."""

    type: Literal["WORKFLOW_COMPLETED"] = "WORKFLOW_COMPLETED"
    payload: EndFacts


class WorkflowFailed(EventBase):
    """The task ended without an answer: failed, denied or timed out."""

    type: Literal["WORKFLOW_FAILED"] = "WORKFLOW_FAILED"
    payload: FailureFacts


class WorkflowControl(EventBase):
    """The task was asked to pause, resume or cancel, or did so."""

    type: Literal[
        "WORKFLOW_PAUSING",
        "WORKFLOW_PAUSED",
        "WORKFLOW_RESUMED",
        "WORKFLOW_CANCELLING",
        "WORKFLOW_CANCELLED",
    ]
    payload: PausedFacts = PausedFacts()


class StreamEnd(EventBase):
    """The last event of every task, whatever its end; exactly one."""

    type: Literal["STREAM_END"] = "STREAM_END"
    payload: EndFacts


class AgentEvent(EventBase):
    """An agent started, thinks, ended."""

    type: Literal["AGENT_STARTED", "AGENT_THINKING", "AGENT_COMPLETED", "AGENT_FAILED", "ROLE_ASSIGNED", "DELEGATION"]
    payload: AnyFacts = AnyFacts()


class LLMPrompt(EventBase):
    """A model call is about to be made. Carries no prompt text."""

    type: Literal["LLM_PROMPT"] = "LLM_PROMPT"
    payload: AnyFacts = AnyFacts()


class LLMPartial(EventBase):
    """A piece of a model's answer while it streams; `message` is the text to append."""

    type: Literal["LLM_PARTIAL"] = "LLM_PARTIAL"
    payload: PartialFacts


class LLMOutput(EventBase):
    """The whole answer of one model call; with agent_id `final_output`, the task's answer."""

    type: Literal["LLM_OUTPUT"] = "LLM_OUTPUT"
    payload: OutputFacts = OutputFacts()


class ToolInvoked(EventBase):
    """A tool call starts."""

    type: Literal["TOOL_INVOKED"] = "TOOL_INVOKED"
    payload: ToolCallFacts


class ToolObservation(EventBase):
    """A tool call ended; `message` is the head of what it gave, at most 2,000 characters."""

    type: Literal["TOOL_OBSERVATION", "TOOL_ERROR"] = "TOOL_OBSERVATION"
    payload: ToolResultFacts


class BudgetThreshold(EventBase):
    """More than 80 % of a limit is used."""

    type: Literal["BUDGET_THRESHOLD"] = "BUDGET_THRESHOLD"
    payload: BudgetFacts


class Progressed(EventBase):
    """The task moved on, or something happened that a person may want to know."""

    type: Literal[
        "PROGRESS",
        "DATA_PROCESSING",
        "WAITING",
        "WARNING",
        "ERROR_OCCURRED",
        "ERROR_RECOVERY",
        "SCREENSHOT_SAVED",
        "TEAM_STATUS",
        "TEAM_RECRUITED",
        "TEAM_RETIRED",
        "TASKLIST_UPDATED",
        "LEAD_DECISION",
        "LEAD_TOOL_CALL",
        "HITL_RESPONSE",
        "DEPENDENCY_SATISFIED",
        "MESSAGE_SENT",
        "MESSAGE_RECEIVED",
        "WORKSPACE_UPDATED",
        "APPROVAL_REQUESTED",
        "APPROVAL_DECISION",
        "RESEARCH_PLAN_READY",
        "RESEARCH_PLAN_UPDATED",
        "RESEARCH_PLAN_APPROVED",
        "REVIEW_USER_FEEDBACK",
    ]
    payload: AnyFacts = AnyFacts()


Event = Annotated[
    WorkflowStarted
    | WorkflowCompleted
    | WorkflowFailed
    | WorkflowControl
    | StreamEnd
    | AgentEvent
    | LLMPrompt
    | LLMPartial
    | LLMOutput
    | ToolInvoked
    | ToolObservation
    | BudgetThreshold
    | Progressed,
    Field(discriminator="type"),
]


class StoredEvent(BaseModel):
    """An event as a reader gets it: `stream_id` is where to resume from, `seq` counts the task's events from 1."""

    stream_id: str
    seq: int
    event: Event


class EventBatch(BaseModel):
    """Milestones that go to the stream in one call, in order."""

    events: list[Event]
