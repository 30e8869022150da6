"""What prompts and tools may know of a task: the context that its caller gave, and what came with it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.attachments import AttachmentRef
from theseus.contracts.task import TaskContext
from theseus.domain.attachments import for_tools, listed

INLINE_BYTES = 1024
"""A larger context is not copied into each tool call: its activity reads it from the task's own input."""


@dataclass(frozen=True)
class Shared:
    """A context on its way to tools: the values themselves, or that they are in the task's input."""

    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    is_in_input: bool = False


def values_of(context: TaskContext) -> dict[str, JsonValue]:
    """What the caller gave, known keys and unknown ones, by key; without the system prompt, which is for models alone."""
    return context.model_dump(mode="json", exclude_defaults=True, exclude={"system_prompt", "attachments"})


def shared(context: TaskContext, attachments: Sequence[AttachmentRef] = ()) -> Shared:
    """How a context gets to tools, with the attachments that are kept."""
    values = values_of(context)
    is_large = len(json.dumps(values, ensure_ascii=False).encode(errors="replace")) > INLINE_BYTES
    kept: dict[str, JsonValue] = {"attachments": for_tools(attachments)} if attachments else {}
    return Shared(kept if is_large else values | kept, is_large)


def facts_of(task: AcceptedTask, skill: str = "") -> dict[str, JsonValue]:
    """What prompts are rendered from: the skill's or the caller's prompt, its parameters, unknown keys, attachments."""
    context = task.context
    facts: dict[str, JsonValue] = {}
    if prompt := skill or context.system_prompt:
        facts["system_prompt"] = prompt
    if context.prompt_params:
        facts["prompt_params"] = context.prompt_params
    if context.platforms is not None:
        facts["platforms"] = context.platforms.model_dump()
    return facts | surroundings(task)


def surroundings(task: AcceptedTask) -> dict[str, JsonValue]:
    """What also those are told who plan and lead: unknown keys of the context, and attachments."""
    facts: dict[str, JsonValue] = {}
    if task.context.model_extra:
        facts["context"] = dict(task.context.model_extra)
    if task.attachments:
        facts["attachments"] = listed(task.attachments)
    return facts
