"""A session's messages as the store keeps them and as a workflow sees them. Inner contract."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from theseus.contracts.inner import Sparse


class SessionKey(Sparse):
    """A session belongs to its tenant and user; for anyone else it does not exist. Absent ids are the empty string."""

    session_id: str
    tenant_id: str = ""
    user_id: str = ""


class SessionMessage(Sparse):
    """One message of a session. `seq` counts from 1 and never changes, also when older messages are trimmed."""

    seq: int = 0
    role: Literal["user", "assistant"]
    text: str
    tokens: int = Field(description="Estimated by domain/tokens.py when it was stored.")
    task_id: str = ""
    at: datetime | None = None


class MessageHead(Sparse):
    """A session message without its text: enough to fit a window, small enough for a history."""

    seq: int
    role: Literal["user", "assistant"]
    tokens: int


class SessionSummary(Sparse):
    """A stored summary of the session's messages up to and including `through_seq`. PII is redacted."""

    text: str
    tokens: int
    through_seq: int


class SessionView(Sparse):
    """What `session.load` gives: the last messages' heads, oldest first, and the stored summary."""

    heads: tuple[MessageHead, ...] = ()
    summary: SessionSummary | None = None


class Window(Sparse):
    """Which of a session's messages a model sees: by number, the texts stay in the store. `summary` stands in the gap."""

    session: SessionKey
    before: tuple[int, ...] = ()
    summary: str = ""
    after: tuple[int, ...] = ()


class Turn(Sparse):
    """A user's turn and its answer, appended together once per task. Tokens are estimated by domain/tokens.py."""

    key: SessionKey
    task_id: str
    user_text: str
    user_tokens: int
    answer_text: str
    answer_tokens: int


class LoadSession(Sparse):
    """Asks for a session's last `last` messages."""

    key: SessionKey
    last: int


class SaveSummary(Sparse):
    """Asks the store to keep a summary; an older one (smaller through_seq) never replaces a newer."""

    key: SessionKey
    summary: SessionSummary
