"""The outer half of the contracts: all that a gateway, in any language, may rely on. Data only."""

from theseus.contracts.control import (
    ApprovalDecision,
    ControlReason,
    ControlState,
    MessageToTask,
    PendingApproval,
    Progress,
    ReviewDecision,
    UpdateReceipt,
)
from theseus.contracts.errors import ErrorType, TaskError
from theseus.contracts.events import Event, StoredEvent
from theseus.contracts.task import (
    Attachment,
    Limits,
    Mode,
    ModelTier,
    TaskContext,
    TaskInput,
    TaskMetadata,
    TaskResult,
    TaskStatus,
    Usage,
)

__all__ = [
    "ApprovalDecision",
    "Attachment",
    "ControlReason",
    "ControlState",
    "ErrorType",
    "Event",
    "Limits",
    "MessageToTask",
    "Mode",
    "ModelTier",
    "PendingApproval",
    "Progress",
    "ReviewDecision",
    "StoredEvent",
    "TaskContext",
    "TaskError",
    "TaskInput",
    "TaskMetadata",
    "TaskResult",
    "TaskStatus",
    "UpdateReceipt",
    "Usage",
]
