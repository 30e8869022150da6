"""Answers to what people ask of a running task."""

import json
from datetime import datetime

from pydantic import BaseModel, Field, JsonValue, field_validator

from theseus.contracts.control import ControlState, ReviewState
from theseus.gateway.bodies import Body


class Why(Body):
    """Body of pause, resume and cancel; all of it may be absent."""

    reason: str | None = Field(default=None, max_length=1_000)


class Done(BaseModel):
    """Whether it was done, in words too."""

    success: bool
    message: str
    task_id: str


class ControlAnswer(BaseModel):
    """GET /api/v1/tasks/{id}/control-state; a time that is not there is an empty string."""

    is_paused: bool
    is_cancelled: bool
    paused_at: datetime | str
    pause_reason: str
    paused_by: str
    cancel_reason: str
    cancelled_by: str
    checkpoint: str

    @classmethod
    def of(cls, state: ControlState) -> "ControlAnswer":
        """From ours."""
        return cls.model_validate(state.model_dump() | {"paused_at": state.paused_at or ""})


class DecisionBody(Body):
    """POST /api/v1/approvals/decision."""

    approval_id: str = Field(min_length=1, max_length=128)
    workflow_id: str = Field(min_length=1, max_length=128)
    run_id: str | None = Field(default=None, max_length=128, description="Taken and not needed: ids are used once.")
    approved: bool
    feedback: str | None = Field(default=None, max_length=10_000)
    modified_action: JsonValue = None
    approved_by: str | None = Field(default=None, max_length=128)

    @field_validator("modified_action")
    @classmethod
    def _arrives(cls, value: JsonValue) -> JsonValue:
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:
            raise ValueError("holds half a character, or a number that JSON has not, such as NaN") from error
        return value


class ReviewBody(Body):
    """POST /api/v1/tasks/{id}/review."""

    action: str = Field(pattern="^(feedback|approve|reject)$")
    message: str | None = Field(default=None, max_length=10_000)


class ReviewRound(BaseModel):
    """What was said of one version of the plan."""

    role: str
    message: str
    version: int


class ReviewAnswer(BaseModel):
    """GET /api/v1/tasks/{id}/review: the plan as text for people, and as it is."""

    status: str
    message: str = ""
    round: int
    version: int
    query: str = ""
    current_plan: str
    plan: JsonValue
    rounds_left: int
    deadline: datetime | None = None
    rounds: list[ReviewRound]

    @classmethod
    def of(cls, state: ReviewState, query: str = "") -> "ReviewAnswer":
        """From ours; `waiting` is `reviewing` on the wire."""
        assert state.plan is not None
        lines = [
            state.plan.idea,
            *(f"{number}. {each.question}" for number, each in enumerate(state.plan.questions, 1)),
        ]
        return cls(
            status="reviewing" if state.status == "waiting" else state.status,
            round=len(state.remarks),
            version=state.version,
            query=query,
            current_plan="\n".join(line for line in lines if line),
            plan=state.plan.model_dump(mode="json"),
            rounds_left=state.rounds_left,
            deadline=state.deadline,
            rounds=[
                ReviewRound(role=each.reviewed_by or "user", message=each.message, version=each.version)
                for each in state.remarks
            ],
        )


class MessageBody(Body):
    """POST /api/v1/swarm/{id}/message."""

    message: str = Field(min_length=1, max_length=10_000)
    message_id: str | None = Field(
        default=None, min_length=1, max_length=128, description="Sent twice, it counts once."
    )
