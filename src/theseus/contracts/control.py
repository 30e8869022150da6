"""Names and payloads of signals, queries and Updates, and the names of workflows and the default task queue."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from theseus.contracts.plan import Plan
from theseus.contracts.research import ResearchPlan
from theseus.contracts.task import Limits, Mode, TaskStatus, Usage

TASK_QUEUE = "theseus"

TASK_WORKFLOW = "TaskWorkflow"
AGENT_WORKFLOW = "AgentWorkflow"
WORKFLOW_OF_MODE: dict[Mode, str] = {
    Mode.SIMPLE: "SimpleWorkflow",
    Mode.STANDARD: "StandardWorkflow",
    Mode.COMPLEX: "ComplexWorkflow",
    Mode.SUPERVISOR: "SupervisorWorkflow",
    Mode.RESEARCH: "ResearchWorkflow",
    Mode.TEMPLATE: "TemplateWorkflow",
}

SIGNAL_PAUSE = "pause"
SIGNAL_RESUME = "resume"
SIGNAL_CANCEL = "cancel"
QUERY_CONTROL_STATE = "control_state"
QUERY_PROGRESS = "progress"
UPDATE_DECIDE_APPROVAL = "decide_approval"
UPDATE_REVIEW_PLAN = "review_plan"
UPDATE_SEND_MESSAGE = "send_message"
QUERY_REVIEW_STATE = "review_state"
QUERY_PENDING_APPROVALS = "pending_approvals"

SCHEDULED_BY = "TemporalScheduledById"
"""Search attribute by which Temporal itself says which schedule started a workflow."""

# between a task and its agents; no gateway sends these
SIGNAL_AGENT_STOPPED = "agent_stopped"
SIGNAL_AGENT_SAYS = "agent_says"
SIGNAL_AGENT_ASKS = "agent_asks"
SIGNAL_APPROVAL_DECIDED = "approval_decided"
SIGNAL_TOLD = "told"

SEARCH_ATTRIBUTES: dict[str, str] = {
    "TaskMode": "Keyword",
    "TaskStatus": "Keyword",
    "TaskTenant": "Keyword",
    "TaskUser": "Keyword",
    "TaskSession": "Keyword",
    "TaskTokens": "Int",
    "TaskCostUsd": "Double",
}
"""Search attribute to its Temporal type. No prompt text goes here: attributes are never encrypted."""

MessageId = Annotated[str, Field(min_length=1, max_length=128)]


class ControlReason(BaseModel):
    """Payload of the signals pause, resume and cancel; both parts may be absent."""

    reason: str = ""
    requested_by: str = ""


class ControlState(BaseModel):
    """Answer of the query `control_state`."""

    is_paused: bool = False
    paused_at: datetime | None = None
    pause_reason: str = ""
    paused_by: str = ""
    is_cancelled: bool = False
    cancel_reason: str = ""
    cancelled_by: str = ""
    checkpoint: str = Field(default="", description="Where the task last passed or is held.")


class Update(BaseModel):
    """Base of Update payloads: strict, and idempotent by the id each carries."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageToTask(Update):
    """Payload of the Update `send_message`: words of a person to the agent at work; idempotent by message_id."""

    message_id: MessageId
    text: str = Field(min_length=1, max_length=10_000)
    sent_by: str = Field(default="", max_length=128)


class ControlMemory(BaseModel):
    """What a workflow that continues as new keeps of what people asked of it."""

    state: ControlState = ControlState()
    inbox: tuple[MessageToTask, ...] = ()
    received: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


class Progress(BaseModel):
    """Answer of the query `progress`."""

    phase: str = ""
    status: TaskStatus | None = Field(default=None, description="Set when the task has ended.")
    mode: Mode | None = None
    plan: Plan | None = None
    agents: list[str] = []
    usage: Usage = Usage()
    budget: Limits = Limits()
    waiting_for: str = ""


class ApprovalDecision(Update):
    """Payload of the Update `decide_approval`; idempotent by approval_id."""

    approval_id: MessageId
    approved: bool
    feedback: str = Field(default="", max_length=10_000)
    modified_action: JsonValue = None
    approved_by: str = Field(default="", max_length=128)


class PendingApproval(BaseModel):
    """One row of the query `pending_approvals`: what waits for a person's yes."""

    approval_id: str
    kind: Literal["task", "tool"]
    agent_id: str = ""
    reason: str = ""
    action: JsonValue = Field(default=None, description="The plan, or the tool call with its arguments.")
    requested_at: datetime
    deadline: datetime
    is_escalated: bool = False


class ApprovalRules(BaseModel):
    """What needs a person's yes, recorded as facts of the task; durations in seconds.

    `policy` says what silence until the deadline means: `deny`; `approve_reads`: the task goes on without any tool that
    writes; `escalate`: ask once more, for as long again, then deny.
    """

    model_config = ConfigDict(frozen=True)

    tools: tuple[str, ...] = ()
    above_complexity: float | None = None
    timeout_seconds: float = 1800
    policy: Literal["deny", "approve_reads", "escalate"] = "deny"


class AgentMessage(BaseModel):
    """Words of one agent to another, or to the lead, on their way."""

    message_id: str
    sender: str
    to: str
    text: str


class ReviewDecision(Update):
    """Payload of the Update `review_plan`; refused when expected_version is not the plan's version."""

    action: Annotated[str, Field(pattern="^(feedback|approve|reject)$")]
    message: str = Field(default="", max_length=10_000)
    expected_version: int | None = Field(default=None, ge=1)
    reviewed_by: str = Field(default="", max_length=128)


class ReviewRemark(BaseModel):
    """What a person said about a version of a plan."""

    version: int
    message: str
    reviewed_by: str = ""


class ReviewState(BaseModel):
    """Answer of the query `review_state`: the plan that waits for a review, and what was said about it so far."""

    status: Literal["none", "waiting", "replanning", "approved", "rejected", "timed_out"] = "none"
    version: int = 0
    plan: ResearchPlan | None = None
    deadline: datetime | None = None
    rounds_left: int = 0
    remarks: list[ReviewRemark] = []


class UpdateReceipt(BaseModel):
    """Answer of an accepted Update."""

    accepted: bool
    detail: str = ""
