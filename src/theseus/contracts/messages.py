"""What goes to a model and what comes back, free of any provider's wire. Inner contract.

A conversation is a `Head` (who speaks, with which facts) and messages. It is kept by content in the transcript store
(`domain/transcript.py` has the hashes); a request names the prefix by hash and carries only what is new.
"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from theseus.contracts.attachments import AttachmentRef
from theseus.contracts.inner import Sparse
from theseus.contracts.session import SessionKey, Window
from theseus.contracts.task import Usage


class ToolCall(Sparse):
    """A model's wish to call a tool. `arguments` is the JSON text as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str


class UserMessage(Sparse):
    """Words of the user, or of the program to the model."""

    role: Literal["user"] = "user"
    text: str


class AssistantMessage(Sparse):
    """A model's answer: text, tool calls, or both."""

    role: Literal["assistant"] = "assistant"
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


class ToolMessage(Sparse):
    """What one tool call gave."""

    role: Literal["tool"] = "tool"
    call_id: str
    name: str
    text: str
    is_error: bool = False


Message = Annotated[UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class Head(Sparse):
    """How a conversation begins: the role, the facts its prompt is rendered from, the session's window, and images."""

    role: str
    facts: dict[str, JsonValue] = Field(default={})
    window: Window | None = None
    images: tuple[AttachmentRef, ...] = ()


class TaskRef(Sparse):
    """Which task and which agent of it a call belongs to. `agent` is "" for the task itself, else its path ("agent/2")."""

    task_id: str
    session: SessionKey
    agent: str = ""


class Route(Sparse):
    """One model of one provider, as the catalogue names them."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class LLMRequest(Sparse):
    """One model call.

    `prefix` is the hash of all that came before, None when the conversation starts here (then `head` is set).
    `step` is stable over retries of the workflow: it numbers the task's calls and makes its events idempotent.
    `routes_before` counts the routes that failed at this step; this one is not retried any more when it has failed for
    `retry_seconds`, None being as long as Temporal lets it, or when its attempts have spent more than is `spare`.
    """

    ref: TaskRef
    step: int
    route: Route
    head: Head | None = None
    prefix: str | None = None
    delta: tuple[Message, ...] = ()
    tools: tuple[str, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    max_output_tokens: int
    stream: bool = True
    routes_before: int = 0
    retry_seconds: float | None = None
    spare_tokens: int | None = None
    spare_microusd: int | None = None


class LLMReply(Sparse):
    """What a model call gave. `prefix` is the hash of the conversation with this answer in it.

    `answer` is the parsed structure when the role has one; `invalid` says in words why it could not be read.
    `partial` marks a call that was cancelled: text and usage are what there was until then.
    `window_lost` says that the session's earlier turns could not be read any more; `untold` that the event log was down
    when the answer came, so that the workflow has to tell of it. `wasted` is what earlier attempts of this call spent.
    `unseen` are names of images that the model was not shown.
    """

    message: AssistantMessage
    answer: JsonValue = None
    invalid: str | None = None
    usage: Usage
    route: Route
    prefix: str
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "cancelled"] = "stop"
    partial: bool = False
    window_lost: bool = False
    untold: bool = False
    wasted: Usage | None = None
    unseen: tuple[str, ...] = ()


class TranscriptPart(Sparse):
    """A slice of one transcript node on its way back to a store that lost it; `part` counts from 0."""

    conversation: str
    hash: str
    part: int
    parts: int
    text: str
