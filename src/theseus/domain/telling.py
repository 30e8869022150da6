"""How model calls and tool calls are told: the same way, whoever gets to tell it, and without what may be a secret."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from theseus.contracts.events import LLMOutput, OutputFacts, ToolObservation, ToolResultFacts
from theseus.contracts.messages import LLMReply, TaskRef, ToolCall
from theseus.contracts.tools import UNTOLD, ToolRequest, ToolResult

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


def shown_arguments(call: ToolCall) -> str:
    """The arguments of a call as they may be told: a text that may be a secret is only counted."""
    hidden = UNTOLD.get(call.name)
    if hidden is None:
        return call.arguments
    given = _object(call.arguments)
    if given is None:
        return f"[{len(call.arguments)} characters that are no JSON object]"
    return json.dumps({name: _counted(value) if name in hidden else value for name, value in given.items()})


def meant_arguments(call: ToolCall, changed: Mapping[str, Any]) -> str:
    """The arguments as a person changed them, who was told `shown_arguments`: what was hidden and left stays as it was."""
    hidden = UNTOLD.get(call.name, frozenset[str]())
    given = _object(call.arguments) or {}
    kept = {name for name in hidden & given.keys() if changed.get(name) == _counted(given[name])}
    return json.dumps({name: given[name] if name in kept else value for name, value in changed.items()})


def _object(arguments: str) -> dict[str, Any] | None:
    try:
        found: Any = json.loads(arguments or "{}")
    except ValueError:
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None


def _counted(value: object) -> str:
    return f"[{len(str(value))} characters]"
