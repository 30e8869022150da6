"""One MCP server, kept by one task: connected when it is wanted, listed, and connected anew after it was lost.

The MCP library's contexts have to be closed by the task that opened them, so calls of many activities borrow what one
task owns.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from typing import Any, cast

import anyio
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, PARSE_ERROR, CallToolResult, RequestParamsMeta, Tool

from theseus.activities.tools.mcp.file import McpServer, Program
from theseus.activities.tools.mcp.http import http_client
from theseus.activities.tools.mcp.stdio import LINE_CHARS, child

_log = logging.getLogger("theseus.tools.mcp")

MAX_PAGES = 20
"""More pages of a server's list of tools are not asked for."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)
"""Between two tries to reach a server that was never there."""
REASON_CHARS = 400
CLOSING = 8.0
"""Seconds in which a connection is closed; a program needs at most three times its grace."""
SETTLING = 2.0
"""Seconds in which a lost connection says why."""


class McpFailure(Exception):
    """A call could not be done; the message says what happened, for the model, and holds no key."""


class Connection:
    """One server. `own` is the task that keeps it; `call` may be used by any other.

    Args:
        server: which one.
        listed: is given its tools, each time that it was connected.
    """

    def __init__(self, server: McpServer, listed: Callable[[list[Tool]], Awaitable[None]]) -> None:
        self._server = server
        self._listed = listed
        self._client: Client | None = None
        self._next: asyncio.Future[Client | str] | None = None
        self._wanted = asyncio.Event()
        self._lost = asyncio.Event()
        self._gone = asyncio.Event()
        self._explained = asyncio.Event()
        self._why = ""
        self._connecting: anyio.CancelScope | None = None
        self._under_way = 0
        self._closing = False
        self._was_there = False
        self.tried = asyncio.Event()
        """Set when it was reached, or could not be, for the first time."""

    async def own(self) -> None:
        """Keeps the connection until `close` is called."""
        pause = FIRST_PAUSE
        while not self._closing:
            for event in (self._wanted, self._lost, self._gone, self._explained):
                event.clear()
            self._why = ""
            if not await self._live():
                self._answer(self._why)
            for event in (self.tried, self._gone, self._explained):
                event.set()
            if not self._closing:
                await self._rest(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        self._answer("this worker stops")

    def close(self) -> None:
        """Lets `own` end."""
        self._closing = True
        self._lost.set()
        self._wanted.set()
        if self._connecting is not None:
            self._connecting.cancel()

    async def call(self, tool: str, arguments: dict[str, Any], meta: RequestParamsMeta) -> CallToolResult:
        """Calls a tool, after connecting again if the server was lost.

        Raises:
            McpFailure: it cannot be reached, does not answer in time, ends, or answers something else than a result.
        """
        try:
            return await self._call(tool, arguments, meta)
        except _SessionOver:
            # the server knows nothing of the session any more, so it did nothing either
            return await self._call(tool, arguments, meta)

    async def _call(self, tool: str, arguments: dict[str, Any], meta: RequestParamsMeta) -> CallToolResult:
        client = await self._connected()
        limit = asyncio.timeout(self._server.timeout.total_seconds())
        self._under_way += 1
        try:
            async with limit:
                return await client.call_tool(tool, arguments, meta=meta)
        except MCPError as error:
            raise await self._failed(error) from error
        except Exception as error:  # the boundary to a server of any author
            if limit.expired():
                self._lose_if_alone("it did not answer in time")
                seconds = self._server.timeout.total_seconds()
                raise self._failure(
                    f"did not answer within {seconds:g} s. Whether it did anything is not known"
                ) from None
            raise self._failure(f"gave something else than a result: {_reason(error)}") from error
        finally:
            self._under_way -= 1

    async def _failed(self, error: MCPError) -> Exception:
        if error.message == "Session terminated":
            self._lose("it ended the session")
            await self._gone.wait()
            return _SessionOver(f"MCP server {self._server.name} ended the session twice")
        if error.code == PARSE_ERROR:
            return self._failure(f"gave something else than a result: {error.message}")
        if error.code != CONNECTION_CLOSED:
            return self._failure(f"refused the call: {error.message}")
        self._lose("")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                await self._explained.wait()
        why = self._why or "the connection was lost"
        if why.startswith(("ConnectError", "ConnectTimeout")):
            return self._failure(f"cannot be reached now, and has not seen the call: {why}")
        return self._failure(f"was lost in the middle of the call: {why}. Whether it did anything is not known")

    async def _connected(self) -> Client:
        if self._closing:
            raise self._failure("is being closed: this worker stops")
        if self._client is not None and not self._lost.is_set():
            return self._client
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._wanted.set()
        found = await asyncio.shield(self._next)
        if isinstance(found, str):
            raise self._failure(f"cannot be reached now: {found}")
        return found

    async def _live(self) -> bool:
        """Connects, and stays so until the connection is lost; whether it could connect."""
        connected = False
        limit = self._server.start_timeout.total_seconds()
        scope = self._connecting = anyio.CancelScope(deadline=anyio.current_time() + limit)
        try:
            with scope:
                async with AsyncExitStack() as stack:
                    client = await stack.enter_async_context(Client(await self._transport(stack)))
                    await self._listed(await _tools_of(client))
                    scope.deadline = math.inf
                    self._connecting = None
                    connected = True
                    self._found(client)
                    await self._lost.wait()
                    self._client = None
                    scope.deadline = anyio.current_time() + CLOSING
        except Exception as error:  # noqa: BLE001 - the boundary to a server of any author
            self._note(_reason(error))
        finally:
            self._client = self._connecting = None
        if scope.cancelled_caught and not connected:
            # whatever came after that is only what ending it made it say
            self._why = ""
            self._note(f"it did not get ready within {limit:g} s")
        if self._why and not self._closing:
            _log.warning("MCP server %s: %s", self._server.name, self._why)
        return connected

    async def _transport(self, stack: AsyncExitStack) -> AbstractAsyncContextManager[Any]:
        at = self._server.at
        if isinstance(at, Program):
            return child(at, self._said, self._ended)
        client = await stack.enter_async_context(http_client(at, self._server.timeout))
        return streamable_http_client(at.url, http_client=client)

    def _found(self, client: Client) -> None:
        self._was_there = True
        self._client = client
        self._answer(client)
        self.tried.set()

    async def _rest(self, pause: timedelta) -> None:
        """Waits until a call wants the server; for one that was never there only so long, because it may come late."""
        if self._next is not None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._was_there else pause.total_seconds()):
                await self._wanted.wait()

    def _answer(self, found: Client | str) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(found)
        self._next = None

    def _lose_if_alone(self, why: str) -> None:
        # one slow tool must not end the calls of others
        if self._under_way == 1:
            self._lose(why)

    def _lose(self, why: str) -> None:
        if why:
            self._note(why)
        self._lost.set()

    def _note(self, why: str) -> None:
        self._why = self._why or self._server.secrets.hide(why)[:REASON_CHARS]
        self._explained.set()

    def _ended(self, why: str) -> None:
        self._note(why)
        self._lost.set()

    def _said(self, line: str) -> None:
        _log.info("MCP server %s: %s", self._server.name, self._server.secrets.hide(line)[:LINE_CHARS])

    def _failure(self, told: str) -> McpFailure:
        return McpFailure(f"MCP server {self._server.name} {self._server.secrets.hide(told)[: 2 * REASON_CHARS]}.")


class _SessionOver(McpFailure):
    """The server has ended the session, and has not seen the call."""


async def _tools_of(client: Client) -> list[Tool]:
    found: list[Tool] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _reason(error: BaseException) -> str:
    """The first plain error of a group, in words."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"there is no program {error.filename}"
    return f"{type(error).__name__}: {error}".rstrip(": ").split("\n", 1)[0]
