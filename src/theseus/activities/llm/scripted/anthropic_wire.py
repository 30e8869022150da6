"""Anthropic's messages, seen from the server's side."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

from theseus.activities.llm.scripted.answers import Given
from theseus.activities.llm.scripted.script import Asked

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def asked(body: dict[str, Any]) -> Asked:
    """What a request asks."""
    chosen: dict[str, Any] = body.get("tool_choice") or {}
    choice: str = chosen.get("type", "auto")
    offered: list[dict[str, Any]] = body.get("tools") or []
    tools: dict[str, JsonValue] = {tool["name"]: tool.get("input_schema") or {"type": "object"} for tool in offered}
    forced = chosen["name"] if choice == "tool" else None
    if forced is not None and forced not in tools:
        raise ValueError(f"tool_choice names {forced}, which is not among the tools")
    config: dict[str, Any] = body.get("output_config") or {}
    form: dict[str, Any] = config.get("format") or {}
    system = body.get("system") or ""
    return Asked(
        provider="anthropic",
        model=str(body.get("model", "")),
        system=system if isinstance(system, str) else "\n".join(part.get("text", "") for part in system),
        messages=[pair for message in body.get("messages", []) for pair in _pairs(message)],
        tools=tools,
        tool_choice={"any": "required", "tool": "required"}.get(choice, choice),
        schema_=form.get("schema"),
        answer_tool=forced,
        stream=bool(body.get("stream")),
        characters=len(json.dumps([system, body.get("messages"), body.get("tools")], ensure_ascii=False)),
    )


def whole(given: Given) -> dict[str, Any]:
    """The answer in one piece."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": given.text}] if given.text else []
    blocks += [
        {"type": "tool_use", "id": f"toolu_{c.id}_{n}", "name": c.name, "input": _input(c.arguments)}
        for n, c in enumerate(given.calls)
    ]
    return _message(given, blocks, _STOP[given.finish]) | {"usage": _usage(given, given.output_tokens)}


def chunks(given: Given, body: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
    """The answer as a stream: characters of text and arguments so far, and the bytes of an event."""
    del body
    yield 0, _event("message_start", {"message": _message(given, [], None) | {"usage": _usage(given, 1)}})
    sent, place = 0, 0
    if given.text:
        yield 0, _event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
        for sent, piece in given.pieces(given.text, 0):
            yield sent, _event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": piece}})
        yield sent, _event("content_block_stop", {"index": 0})
        place = 1
    for n, call in enumerate(given.calls):
        block: dict[str, Any] = {"type": "tool_use", "id": f"toolu_{call.id}_{n}", "name": call.name, "input": {}}
        yield sent, _event("content_block_start", {"index": place + n, "content_block": block})
        for so_far, piece in given.pieces(call.arguments, sent):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield so_far, _event("content_block_delta", {"index": place + n, "delta": delta})
        sent += len(call.arguments)
        yield sent, _event("content_block_stop", {"index": place + n})
    ending = {"delta": {"stop_reason": _STOP[given.finish], "stop_sequence": None}}
    yield sent, _event("message_delta", {**ending, "usage": {"output_tokens": given.output_tokens}})
    yield sent, _event("message_stop", {})


def error(status: int, words: str) -> dict[str, Any]:
    """An error's body."""
    kinds = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}
    kind = kinds.get(
        status, "overloaded_error" if status == 529 else "api_error" if status >= 500 else "invalid_request_error"
    )
    return {"type": "error", "error": {"type": kind, "message": words}}


def _pairs(message: dict[str, Any]) -> list[tuple[str, str]]:
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        return [(role, content)]
    results = [("tool", _text(block.get("content"))) for block in content if block["type"] == "tool_result"]
    texts = [block["text"] for block in content if block["type"] == "text"]
    if role == "assistant":
        return [(role, "\n".join(texts))]
    return results + ([(role, "\n".join(texts))] if texts else [])


def _input(arguments: str) -> JsonValue:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments  # a script may ask for arguments that are broken


def _text(content: str | list[dict[str, Any]] | None) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content or [])


def _message(given: Given, blocks: list[dict[str, Any]], stop: str | None) -> dict[str, Any]:
    return {
        "id": f"msg_{given.number}",
        "type": "message",
        "role": "assistant",
        "model": given.model,
        "content": blocks,
        "stop_reason": stop,
        "stop_sequence": None,
    }


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _usage(given: Given, output: int) -> dict[str, Any]:
    return {
        "input_tokens": max(0, given.input_tokens - given.cached_tokens - given.cache_write_tokens),
        "output_tokens": output,
        "cache_read_input_tokens": given.cached_tokens,
        "cache_creation_input_tokens": given.cache_write_tokens,
    }
