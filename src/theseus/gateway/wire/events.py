"""Events as they go over SSE and WebSocket: one JSON object each, in ASCII, so that no line reader can split it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from theseus.contracts.events import LLMOutput, LLMPartial, StoredEvent, StreamEnd, WorkflowControl

MICROUSD = 1_000_000
DONE = "done"
FAULT = "error"

NAMES: dict[str, str] = {
    "LLM_PARTIAL": "thread.message.delta",
    "LLM_OUTPUT": "thread.message.completed",
    "ERROR_OCCURRED": FAULT,
    "STREAM_END": DONE,
    "WORKFLOW_PAUSING": "workflow.pausing",
    "WORKFLOW_PAUSED": "workflow.paused",
    "WORKFLOW_RESUMED": "workflow.resumed",
    "WORKFLOW_CANCELLING": "workflow.cancelling",
    "WORKFLOW_CANCELLED": "workflow.cancelled",
}
"""What a type is called on the wire, where that is not its own name."""

TYPES = {name: kind for kind, name in NAMES.items()}


@dataclass(frozen=True)
class Frame:
    """An event, and how it goes over the wire; made once for all who read it."""

    stored: StoredEvent

    @property
    def type(self) -> str:
        """The event's type, as we name it."""
        return self.stored.event.type

    @cached_property
    def data(self) -> str:
        """The JSON object."""
        return json.dumps(shown(self.stored))

    @cached_property
    def sse(self) -> bytes:
        """The block of an event stream."""
        name = NAMES.get(self.type, self.type)
        place = f"id: {self.stored.stream_id}\n" if self.stored.stream_id else ""
        return f"{place}event: {name}\ndata: {self.data}\n\n".encode("ascii")


def shown(stored: StoredEvent) -> dict[str, Any]:
    """An event as clients read it; a part of it that is not known is left out."""
    event = stored.event
    base = event.model_dump(mode="json", include={"type", "workflow_id", "agent_id", "message", "timestamp", "payload"})
    if stored.seq:
        base["seq"] = stored.seq
    if stored.stream_id:
        base["stream_id"] = stored.stream_id
    return base | _own(stored)


def _own(stored: StoredEvent) -> dict[str, Any]:
    """What one kind of event has beside the others."""
    match stored.event:
        case LLMPartial() as partial:
            return {"delta": partial.message}
        case LLMOutput() as output:
            return {"response": output.message, "metadata": _spent(output)}
        case WorkflowControl() as control:
            return {"type": NAMES[control.type], **control.payload.model_dump()}
        case StreamEnd() as end:
            return {"type": DONE, "message": "[DONE]", "status": end.payload.status}
        case _:
            return {}


def _spent(output: LLMOutput) -> dict[str, Any]:
    facts = output.payload
    return {
        "tokens_used": facts.usage.total_tokens,
        "input_tokens": facts.usage.input_tokens,
        "output_tokens": facts.usage.output_tokens,
        "cost_usd": facts.usage.cost_microusd / MICROUSD,
        "model_used": facts.model_used,
        "provider": facts.provider,
        "text_cut": facts.text_cut,
    }


def fault(task_id: str, message: str) -> str:
    """What is told when a stream cannot go on: not an event of the task, so it has neither place nor number."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": "ERROR_OCCURRED", "workflow_id": task_id, "message": message, "timestamp": now})


def comment(text: str) -> bytes:
    """A line that clients pass over, and people who look at the stream read."""
    return f": {text}\n\n".encode("ascii", "replace")
