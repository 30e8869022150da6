"""Tools as data: what a model is told of them, what a call asks and gives. Inner contract."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from theseus.contracts.inner import Sparse
from theseus.contracts.messages import TaskRef, ToolCall
from theseus.contracts.research import Card, ResearchCall

SEND_MESSAGE = "send_message"
"""The tool by which agents of a team talk; their workflows carry it out themselves."""

PICK_EVIDENCE = "pick_evidence"
"""The tool by which a research itself looks for evidence; no model is told of it."""

RESEARCH_ONLY = frozenset({"note_evidence", "read_source", PICK_EVIDENCE})
"""Tools that make sense for researchers only."""

READ_ARTIFACT = "read_artifact"
"""The tool that pages through what was too long to be shown whole."""


BROWSER = "browser_"
"""So begin the names of the tools on an agent's browser: calls of one reply are made one after another there."""

UNTOLD: Mapping[str, frozenset[str]] = {"browser_type": frozenset({"text"})}
"""Arguments that may be a secret: no event and no log shows them."""


class SendMessage(BaseModel):
    """Arguments of `send_message`."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=8000)


class Effect(StrEnum):
    """What running a tool does to the world: read nothing changes, idempotent may be repeated, write may not."""

    READ = "read"
    IDEMPOTENT = "idempotent"
    WRITE = "write"


class ToolSpec(BaseModel):
    """A tool as a model sees it (name, description, JSON Schema of its parameters) and as a workflow runs it."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str
    parameters: dict[str, JsonValue]
    effect: Effect
    timeout: timedelta


class ToolFacts(Sparse):
    """The part of a spec that a workflow needs, recorded once per task; `roles` are those that an adapter brought it for."""

    name: str
    effect: Effect
    timeout: timedelta
    roles: tuple[str, ...] = ()


class ToolRequest(Sparse):
    """One tool call.

    `idempotency_key` is stable over retries; `research` says for which sub-question a researcher calls. `context` is what
    the task's caller gave; where it is too large to go with each call, it is to be read from the task's input.
    """

    ref: TaskRef
    step: int
    call: ToolCall
    idempotency_key: str
    research: ResearchCall | None = None
    context: dict[str, JsonValue] = Field(default={})
    is_context_in_input: bool = False


class ToolResult(Sparse):
    """What a tool call gave, small enough for a history: larger output is head and tail here, whole in the artifact store.

    `untold` says that the event log was down, so that the workflow has to tell of it. `cards` is the evidence that was
    admitted. `queue` is the task queue of the worker that holds what the next call of this kind needs.
    """

    call_id: str
    name: str
    text: str
    is_error: bool = False
    artifact_id: str | None = None
    size_bytes: int = 0
    duration_ms: int = 0
    untold: bool = False
    cards: tuple[Card, ...] = ()
    queue: str = ""
