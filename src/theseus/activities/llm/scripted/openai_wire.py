"""OpenAI's chat completions, seen from the server's side."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue

from theseus.activities.llm.scripted.answers import Given, GivenCall
from theseus.activities.llm.scripted.script import Asked


def asked(body: dict[str, Any]) -> Asked:
    """What a request asks."""
    messages = [(str(m.get("role")), content(m.get("content"))) for m in body.get("messages", [])]
    offered: list[dict[str, Any]] = body.get("tools") or []
    functions: list[dict[str, Any]] = [tool["function"] for tool in offered]
    tools: dict[str, JsonValue] = {made["name"]: made.get("parameters") or {"type": "object"} for made in functions}
    choice = body.get("tool_choice") or "auto"
    forced = None if isinstance(choice, str) else choice["function"]["name"]
    if forced is not None and forced not in tools:
        raise ValueError(f"tool_choice names {forced}, which is not among the tools")
    return Asked(
        provider="openai",
        model=str(body.get("model", "")),
        system="\n".join(text for role, text in messages if role in ("system", "developer")),
        messages=[(role, text) for role, text in messages if role not in ("system", "developer")],
        tools=tools,
        tool_choice=choice if isinstance(choice, str) else "required",
        schema_=_schema(body.get("response_format") or {}),
        answer_tool=forced,
        stream=bool(body.get("stream")),
        characters=len(json.dumps([body.get("messages"), body.get("tools")], ensure_ascii=False)),
    )


def _schema(form: dict[str, Any]) -> JsonValue:
    match form.get("type"):
        case "json_schema":
            return form["json_schema"]["schema"]
        case "json_object":
            return {"type": "object"}
        case _:
            return None


def content(value: str | list[dict[str, Any]] | None) -> str:
    """The text of a message's content, plain or in parts."""
    if isinstance(value, list):
        return "\n".join(str(part.get("text", "")) for part in value)
    return value or ""


def whole(given: Given) -> dict[str, Any]:
    """The answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": given.text or None}
    if given.calls:
        message["tool_calls"] = [_call(n, call) for n, call in enumerate(given.calls)]
    choice = {"index": 0, "message": message, "finish_reason": given.finish}
    return {**_base(given, "chat.completion"), "choices": [choice], "usage": _usage(given)}


def chunks(given: Given, body: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
    """The answer as a stream: characters of text and arguments so far, and the bytes of an event."""
    yield 0, _event(given, {"role": "assistant", "content": ""}, None)
    sent = 0
    for sent, piece in given.pieces(given.text, 0):
        yield sent, _event(given, {"content": piece}, None)
    for n, call in enumerate(given.calls):
        made = _call(n, call) | {"index": n}
        first = {**made, "function": {"name": call.name, "arguments": ""}}
        yield sent, _event(given, {"tool_calls": [first]}, None)
        for so_far, piece in given.pieces(call.arguments, sent):
            yield so_far, _event(given, {"tool_calls": [{"index": n, "function": {"arguments": piece}}]}, None)
        sent += len(call.arguments)
    yield sent, _event(given, {}, given.finish)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield sent, _data({**_base(given, "chat.completion.chunk"), "choices": [], "usage": _usage(given)})
    yield sent, b"data: [DONE]\n\n"


def error(status: int, words: str) -> dict[str, Any]:
    """An error's body."""
    kinds = {401: "authentication_error", 429: "rate_limit_exceeded"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": words, "type": kind, "param": None, "code": None}}


def _call(n: int, call: GivenCall) -> dict[str, Any]:
    return {
        "id": f"call_{call.id}_{n}",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _event(given: Given, delta: dict[str, Any], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({**_base(given, "chat.completion.chunk"), "choices": [choice]})


def _data(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _base(given: Given, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{given.number}", "object": kind, "created": 0, "model": given.model}


def _usage(given: Given) -> dict[str, Any]:
    return {
        "prompt_tokens": given.input_tokens,
        "completion_tokens": given.output_tokens,
        "total_tokens": given.input_tokens + given.output_tokens,
        "prompt_tokens_details": {"cached_tokens": given.cached_tokens},
    }
