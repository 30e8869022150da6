"""Answers of the OpenAI API."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from theseus.contracts.task import TaskResult, TaskStatus, Usage
from theseus.gateway.wire.events import Frame, shown

LAST = b"data: [DONE]\n\n"


class ModelAnswer(BaseModel):
    """One model."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str
    description: str


class ModelsAnswer(BaseModel):
    """GET /v1/models."""

    object: Literal["list"] = "list"
    data: list[ModelAnswer]


class TokensAnswer(BaseModel):
    """What an answer took, all model calls of its task together."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int] = {}

    @classmethod
    def of(cls, usage: Usage) -> "TokensAnswer":
        """From ours."""
        return cls(
            prompt_tokens=usage.input_tokens,
            completion_tokens=usage.output_tokens,
            total_tokens=usage.total_tokens,
            prompt_tokens_details={"cached_tokens": usage.cached_tokens},
        )


class SaidAnswer(BaseModel):
    """The assistant's message."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class ChoiceAnswer(BaseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: SaidAnswer
    logprobs: None = None
    finish_reason: str


class ChatAnswer(BaseModel):
    """POST /v1/chat/completions, not streamed."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChoiceAnswer]
    usage: TokensAnswer


class TextAnswer(BaseModel):
    """The only choice of a completion."""

    index: Literal[0] = 0
    text: str
    logprobs: None = None
    finish_reason: str


class CompletionAnswer(BaseModel):
    """POST /v1/completions, not streamed."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextAnswer]
    usage: TokensAnswer


def finish_reason(result: TaskResult) -> str:
    """Why the answer ends where it ends."""
    return "length" if result.status is TaskStatus.BUDGET_EXHAUSTED else "stop"


@dataclass(frozen=True)
class Shape:
    """How one answer looks on the wire, whole or in chunks; `created` is in seconds since 1970."""

    task_id: str
    model: str
    created: int
    is_chat: bool
    include_usage: bool = False

    def whole(self, result: TaskResult) -> ChatAnswer | CompletionAnswer:
        """The answer at once."""
        why, usage = finish_reason(result), TokensAnswer.of(result.usage)
        if self.is_chat:
            said = ChoiceAnswer(message=SaidAnswer(content=result.result), finish_reason=why)
            return ChatAnswer(id=self._id, created=self.created, model=self.model, choices=[said], usage=usage)
        text = TextAnswer(text=result.result, finish_reason=why)
        return CompletionAnswer(id=self._id, created=self.created, model=self.model, choices=[text], usage=usage)

    def first(self) -> bytes:
        """Who speaks."""
        return self._chunk({"role": "assistant", "content": ""} if self.is_chat else "")

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        return self._chunk({"content": text} if self.is_chat else text)

    def events(self, frames: Sequence[Frame]) -> bytes:
        """What happens meanwhile; a chunk without text, for clients that know `shannon_events`."""
        return self._chunk({} if self.is_chat else "", shannon_events=[_event(frame) for frame in frames])

    def last(self, result: TaskResult) -> bytes:
        """Why the answer ends, and what it took where that is asked."""
        ending = self._chunk({} if self.is_chat else "", finish_reason(result))
        if not self.include_usage:
            return ending
        usage = TokensAnswer.of(result.usage).model_dump()
        return ending + _line({**self._base, "choices": [], "usage": usage})

    @property
    def _id(self) -> str:
        return f"{'chatcmpl' if self.is_chat else 'cmpl'}-{self.task_id}"

    @property
    def _base(self) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.is_chat else "text_completion"
        return {"id": self._id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, said: dict[str, str] | str, why: str | None = None, **more: Any) -> bytes:
        name = "delta" if self.is_chat else "text"
        choice = {"index": 0, name: said, "logprobs": None, "finish_reason": why}
        usage: dict[str, Any] = {"usage": None} if self.include_usage else {}
        return _line({**self._base, "choices": [choice], **usage, **more})


def broken(body: dict[str, Any]) -> bytes:
    """An error in the middle of a stream."""
    return _line(body)


def _line(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode("ascii")


def _event(frame: Frame) -> dict[str, Any]:
    told = shown(frame.stored)
    return {
        "type": told["type"],
        "agent_id": told.get("agent_id", ""),
        "message": told.get("message", ""),
        "timestamp": int(frame.stored.event.timestamp.timestamp()),
        "payload": told.get("payload", {}),
    }
