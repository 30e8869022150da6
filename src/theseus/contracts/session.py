"""A session's messages as the store keeps them and as a workflow sees them. Inner contract."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SessionKey(BaseModel):
    """A session belongs to its tenant and user; for anyone else it does not exist. Absent ids are the empty string."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    tenant_id: str = ""
    user_id: str = ""


class SessionMessage(BaseModel):
    """One message of a session. `seq` counts from 1 and never changes, also when older messages are trimmed."""

    model_config = ConfigDict(frozen=True)

    seq: int = 0
    role: Literal["user", "assistant"]
    text: str
    tokens: int = Field(description="Estimated by domain/tokens.py when it was stored.")
    task_id: str = ""
    at: datetime | None = None


class MessageHead(BaseModel):
    """A session message without its text: enough to fit a window, small enough for a history."""

    model_config = ConfigDict(frozen=True)

    seq: int
    role: Literal["user", "assistant"]
    tokens: int


class SessionSummary(BaseModel):
    """A stored summary of the session's messages up to and including `through_seq`. PII is redacted."""

    model_config = ConfigDict(frozen=True)

    text: str
    tokens: int
    through_seq: int


class SessionView(BaseModel):
    """What `session.load` gives: the last messages' heads, oldest first, and the stored summary."""

    model_config = ConfigDict(frozen=True)

    heads: tuple[MessageHead, ...] = ()
    summary: SessionSummary | None = None


class Window(BaseModel):
    """Which of a session's messages a model sees: by number, the texts stay in the store. `summary` stands in the gap."""

    model_config = ConfigDict(frozen=True)

    session: SessionKey
    before: tuple[int, ...] = ()
    summary: str = ""
    after: tuple[int, ...] = ()


class Turn(BaseModel):
    """A user's turn and its answer, appended together once per task. Tokens are estimated by domain/tokens.py."""

    model_config = ConfigDict(frozen=True)

    key: SessionKey
    task_id: str
    user_text: str
    user_tokens: int
    answer_text: str
    answer_tokens: int


class LoadSession(BaseModel):
    """Asks for a session's last `last` messages."""

    model_config = ConfigDict(frozen=True)

    key: SessionKey
    last: int


class SaveSummary(BaseModel):
    """Asks the store to keep a summary; an older one (smaller through_seq) never replaces a newer."""

    model_config = ConfigDict(frozen=True)

    key: SessionKey
    summary: SessionSummary
