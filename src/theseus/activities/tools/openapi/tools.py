"""The tools of OpenAPI documents: reads the documents of a file, and calls operations within caps.

The caps are on where a request goes, how long it takes, and how much of an answer is read.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import httpx2
from pydantic import JsonValue

from theseus.activities.tools import readable
from theseus.activities.tools.declarations import MAX_FILE_BYTES, ToolFileError, parsed, read_data
from theseus.activities.tools.declared import (
    MAX_DESCRIPTION_CHARS,
    UnusableSchemaError,
    declared_tool,
    plain_text,
    shown_schema,
    tool_name,
)
from theseus.activities.tools.egress import EgressRefused
from theseus.activities.tools.openapi.document import Document
from theseus.activities.tools.openapi.file import Api
from theseus.activities.tools.openapi.operations import Operation, operations_of, without
from theseus.activities.tools.openapi.requests import Sent, request
from theseus.activities.tools.registry import Tool, ToolContext, ToolError
from theseus.activities.tools.web_fetch import Fetcher, FetchError
from theseus.contracts.tools import Effect, ToolSpec

_log = logging.getLogger("theseus.tools.openapi")

MAX_RESPONSE_BYTES = 2 * 1024 * 1024
ERROR_CHARS = 2_000
"""So much of an error's body is told."""
MARGIN = timedelta(seconds=5)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)

Put = Callable[[str, Sequence[Tool]], None]

_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml", "application/x-ndjson")
_SHOWN_HEADERS = ("content-type", "content-length", "etag", "last-modified", "location")


@asynccontextmanager
async def serving(apis: Sequence[Api], put: Put) -> AsyncGenerator[None]:
    """Gives the tools of each API to `put`; a document that cannot be fetched now is tried again while the context is open.

    Raises:
        ToolFileError: a document is broken.
    """
    late: list[Api] = []
    for api in apis:
        try:
            put(api.name, await tools_of(api))
        except FetchError as error:
            _log.warning("the document of API %s could not be fetched: %s", api.name, error)
            late.append(api)
    tries = [asyncio.create_task(_try_again(api, put)) for api in late]
    try:
        yield
    finally:
        for each in tries:
            each.cancel()
        await asyncio.gather(*tries, return_exceptions=True)


async def _try_again(api: Api, put: Put) -> None:
    pause = FIRST_PAUSE
    while True:
        await asyncio.sleep(pause.total_seconds())
        pause = min(2 * pause, LONGEST_PAUSE)
        try:
            put(api.name, await tools_of(api))
        except FetchError as error:
            _log.warning("the document of API %s could not be fetched: %s", api.name, error)
            continue
        except ToolFileError as error:
            _log.error("API %s has no tools: %s", api.name, error)
        return


async def tools_of(api: Api) -> list[Tool]:
    """The tools of an API.

    Raises:
        FetchError: its document cannot be fetched now.
        ToolFileError: its document is broken.
    """
    if api.is_remote:
        page = await Fetcher(api.egress, MAX_FILE_BYTES).fetch(api.document)
        if page.cut:
            raise ToolFileError(f"{api.document}: larger than {MAX_FILE_BYTES} bytes, which is the most that is read")
        data = await asyncio.to_thread(parsed, page.data, api.document)
    else:
        data = await asyncio.to_thread(read_data, Path(api.document))
    return await asyncio.to_thread(_made, api, Document(data, api.document))


def _made(api: Api, document: Document) -> list[Tool]:
    base_url = api.base_url or document.base_url(api.document if api.is_remote else None)
    made: dict[str, Tool] = {}
    for operation in operations_of(document, api.choice):
        try:
            tool = _tool(api, without(operation, api.credentials.names), base_url)
        except UnusableSchemaError as error:
            _log.warning("API %s: %s %s is left out: %s", api.name, operation.method, operation.path, error)
            continue
        made.setdefault(tool.spec.name, tool)
    return list(made.values())


def _tool(api: Api, operation: Operation, base_url: str) -> Tool:
    spec = ToolSpec(
        name=tool_name(api.name, operation.id),
        description=plain_text(operation.description, MAX_DESCRIPTION_CHARS),
        parameters=shown_schema(operation.schema),
        effect=api.choice.effect(operation.names, operation.effect),
        timeout=api.timeout + MARGIN,
    )

    async def call(arguments: dict[str, JsonValue], context: ToolContext) -> str:
        sent = request(operation, base_url, api.credentials, arguments, context.idempotency_key)
        return await _answer(api, sent, spec.effect)

    return declared_tool(spec, call)


async def _answer(api: Api, sent: Sent, effect: Effect) -> str:
    try:
        async with asyncio.timeout(api.timeout.total_seconds()):
            return api.secrets.hide(await _exchange(api, sent))
    except ToolError as error:
        raise ToolError(api.secrets.hide(str(error))) from None
    except EgressRefused as error:
        raise ToolError(f"{sent.shown} was not sent: {error.reason}") from error
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise ToolError(f"{sent.shown} was not sent: the server cannot be reached") from error
    except TimeoutError as error:
        seconds = api.timeout.total_seconds()
        raise ToolError(f"{sent.shown} did not answer within {seconds:g} s. {_unsure(effect)}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        told = api.secrets.hide(f"{type(error).__name__}: {str(error)[:200]}".rstrip(": "))
        raise ToolError(f"{sent.shown} failed: {told}. {_unsure(effect)}") from error


def _unsure(effect: Effect) -> str:
    if effect is Effect.WRITE:
        return "Whether it had an effect is not known: check before you try again."
    return "Try again, or go on without it."


async def _exchange(api: Api, sent: Sent) -> str:
    # redirects are not followed: they could carry the key, or a change, to somewhere else
    async with (
        httpx2.AsyncClient(
            transport=api.egress.transport(), timeout=httpx2.Timeout(api.timeout.total_seconds()), trust_env=False
        ) as client,
        client.stream(
            sent.method, sent.url, headers={"Accept-Encoding": "identity", **sent.headers}, content=sent.body
        ) as response,
    ):
        status = f"{response.status_code} {response.reason_phrase}".rstrip()
        if response.is_redirect:
            to = api.secrets.hide(response.headers.get("location", "nowhere"))[:300]
            raise ToolError(f"{sent.shown} answered {status}: it leads to {to}, which is not followed.")
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise ToolError(f"{sent.shown} answered {status} in an encoding that was not asked for.")
        data, cut = await _read(response)
        # before anything is cut: half a key would not be known as one
        text = api.secrets.hide(_text(response, data))
        if response.status_code >= 400:
            after = response.headers.get("retry-after")
            wait = f"; it asks to wait {after[:40]}" if after else ""
            raise ToolError(f"{sent.shown} answered {status}{wait}\n{text[:ERROR_CHARS]}".rstrip())
        if sent.method == "HEAD" or not text.strip():
            return _without_body(response, status)
        return f"{text}\n[Left out: all after the first {MAX_RESPONSE_BYTES} bytes]" if cut else text


async def _read(response: httpx2.Response) -> tuple[bytes, bool]:
    data = bytearray()
    async for part in response.aiter_bytes():
        data += part[: MAX_RESPONSE_BYTES + 1 - len(data)]
        if len(data) > MAX_RESPONSE_BYTES:
            return bytes(data[:MAX_RESPONSE_BYTES]), True
    return bytes(data), False


def _text(response: httpx2.Response, data: bytes) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_text = kind.startswith(_TEXT_TYPES) or kind.endswith(("+json", "+xml")) or (not kind and b"\0" not in data)
    if not is_text and data:
        return f"[{kind[:100] or 'no type'}, {len(data)} bytes: it cannot be shown]"
    return readable.decode(data, response.charset_encoding or "utf-8")


def _without_body(response: httpx2.Response, status: str) -> str:
    found = cast("dict[str, str]", {name: response.headers.get(name) for name in _SHOWN_HEADERS})
    return "\n".join([status, *(f"{name}: {value[:300]}" for name, value in found.items() if value)])
