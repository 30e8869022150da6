"""The tools of MCP servers: connects the servers of a file while a worker runs, and makes tools of what they list."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

from mcp_types import RequestParamsMeta
from mcp_types import Tool as ListedTool
from pydantic import JsonValue

from theseus.activities.tools.declared import (
    MAX_DESCRIPTION_CHARS,
    UnusableSchemaError,
    declared_tool,
    plain_text,
    shown_schema,
    tool_name,
)
from theseus.activities.tools.mcp.connection import Connection, McpFailure
from theseus.activities.tools.mcp.file import McpServer
from theseus.activities.tools.mcp.results import text_of
from theseus.activities.tools.registry import Tool, ToolContext, ToolError
from theseus.contracts.tools import Effect, ToolSpec

_log = logging.getLogger("theseus.tools.mcp")

MAX_TOOLS = 128
"""More tools of one server are left out: no provider takes more in one request."""
MARGIN = timedelta(seconds=5)
IDEMPOTENCY_KEY = "theseus/idempotency-key"
"""Where a call's metadata has the key that is the same for every try of it."""

Put = Callable[[str, Sequence[Tool]], None]


@asynccontextmanager
async def serving(servers: Sequence[McpServer], put: Put) -> AsyncGenerator[None]:
    """Keeps servers connected while the context is open.

    It opens when each has been reached, or could not be within its time; one that could not is tried again, and its
    tools come late. No process that was started outlives the context.

    Args:
        servers: which ones.
        put: is given a server's name and all its tools, each time that it was connected.
    """
    connections = [_connection(server, put) for server in servers]
    owners = [asyncio.create_task(connection.own()) for connection in connections]
    try:
        for connection in connections:
            await connection.tried.wait()
        yield
    finally:
        for connection in connections:
            connection.close()
        await _ended(owners)


async def _ended(owners: Sequence["asyncio.Task[None]"]) -> None:
    """Waits for the owners, which end within bounds; cancels them when it is cancelled itself, and waits still."""
    cancelled: asyncio.CancelledError | None = None
    while any(not owner.done() for owner in owners):
        try:
            await asyncio.wait(owners)
        except asyncio.CancelledError as error:
            cancelled = error
            for owner in owners:
                owner.cancel()
    for result in await asyncio.gather(*owners, return_exceptions=True):
        if isinstance(result, Exception):
            _log.warning("an MCP server was not closed in order: %s", type(result).__name__)
    if cancelled is not None:
        raise cancelled


def _connection(server: McpServer, put: Put) -> Connection:
    async def listed(found: list[ListedTool]) -> None:
        # a server may have many large schemas: nobody else waits while they are checked
        put(server.name, await asyncio.to_thread(tools_of, server, found, connection))

    connection = Connection(server, listed)
    return connection


def tools_of(server: McpServer, listed: Sequence[ListedTool], connection: Connection) -> list[Tool]:
    """The tools of a server that its entry takes, those left out that no model could be shown."""
    made: dict[str, Tool] = {}
    taken = [each for each in listed if server.choice.takes(each.name)]
    if len(taken) > MAX_TOOLS:
        _log.warning(
            "MCP server %s has %d tools; the first %d are taken: choose with `tools`",
            server.name,
            len(taken),
            MAX_TOOLS,
        )
    for each in taken[:MAX_TOOLS]:
        try:
            tool = _tool(server, each, connection)
        except UnusableSchemaError as error:
            _log.warning("MCP server %s: its tool %s is left out: %s", server.name, plain_text(each.name, 64), error)
            continue
        made.setdefault(tool.spec.name, tool)
    return list(made.values())


def _tool(server: McpServer, listed: ListedTool, connection: Connection) -> Tool:
    schema: dict[str, JsonValue] = listed.input_schema
    spec = ToolSpec(
        name=tool_name(server.name, listed.name),
        description=plain_text(listed.description or listed.title or listed.name, MAX_DESCRIPTION_CHARS),
        parameters=shown_schema(schema),
        effect=server.choice.effect([listed.name], _effect(listed)),
        timeout=server.timeout + server.start_timeout + MARGIN,
    )

    async def call(arguments: dict[str, JsonValue], context: ToolContext) -> str:
        meta = cast("RequestParamsMeta", {IDEMPOTENCY_KEY: context.idempotency_key})
        result = await connection.call(listed.name, arguments, meta)
        text = text_of(result)
        if result.is_error:
            raise ToolError(server.secrets.hide(text))
        return text

    return declared_tool(spec, call, schema=schema, failures=(McpFailure,))


def _effect(listed: ListedTool) -> Effect:
    hints = listed.annotations
    if hints is not None and hints.read_only_hint:
        return Effect.READ
    return Effect.IDEMPOTENT if hints is not None and hints.idempotent_hint else Effect.WRITE
