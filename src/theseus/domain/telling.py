"""How the end of a model call and of a tool call is told: the same event, whoever gets to tell it."""

from datetime import datetime

from theseus.contracts.events import LLMOutput, OutputFacts, ToolObservation, ToolResultFacts
from theseus.contracts.messages import LLMReply, TaskRef
from theseus.contracts.tools import ToolRequest, ToolResult

SHOWN_CHARS = 10_000
"""So much of a model's answer goes into its event."""
OBSERVED_CHARS = 2_000
"""So much of a tool's output goes into its event."""


def output(ref: TaskRef, step: int, reply: LLMReply, at: datetime) -> LLMOutput:
    """A model's answer."""
    text = reply.message.text
    return LLMOutput(
        workflow_id=ref.task_id,
        agent_id=ref.agent,
        message=text[:SHOWN_CHARS],
        timestamp=at,
        key=f"{ref.agent}:{step}:output",
        payload=OutputFacts(
            usage=reply.usage,
            model_used=reply.route.model,
            provider=reply.route.provider,
            text_cut=len(text) > SHOWN_CHARS,
        ),
    )


def observed(request: ToolRequest, result: ToolResult, text: str, at: datetime) -> ToolObservation:
    """What a tool gave; `text` is all of it, or as much as is known."""
    return ToolObservation(
        type="TOOL_ERROR" if result.is_error else "TOOL_OBSERVATION",
        workflow_id=request.ref.task_id,
        agent_id=request.ref.agent,
        message=text[:OBSERVED_CHARS],
        timestamp=at,
        key=f"{request.ref.agent}:{request.step}:observed",
        payload=ToolResultFacts(
            tool=result.name,
            call_id=result.call_id,
            success=not result.is_error,
            duration_ms=result.duration_ms,
            artifact_id=result.artifact_id,
        ),
    )
