"""A small MCP server of our own for tests: tools of every effect, kind of result and way to fail.

Run as a program it speaks stdio; `made` gives the same server for HTTP.
"""

import asyncio
import os
import subprocess
import sys
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import Field

READ = ToolAnnotations(read_only_hint=True)
NOTES: list[str] = []


def made() -> MCPServer:
    """The server."""
    server = MCPServer("notes", log_level="ERROR")
    _add_good(server)
    _add_bad(server)
    return server


def _add_good(server: MCPServer) -> None:
    @server.tool(annotations=READ)
    async def echo(text: Annotated[str, Field(max_length=200, pattern="^[a-z ]*$")], times: int = 1) -> str:
        """Says a text again."""
        return " ".join([text] * times)

    @server.tool()
    async def note(text: str, ctx: Context[Any, Any]) -> str:
        """Keeps a note."""
        NOTES.append(text)
        meta: Any = ctx.request_context.meta or {}
        return f"kept {text!r} under {meta.get('theseus/idempotency-key')}"

    @server.tool(annotations=ToolAnnotations(idempotent_hint=True))
    async def set_title(title: str) -> str:
        """Sets the title."""
        return title

    @server.tool(annotations=READ)
    async def picture() -> CallToolResult:
        """Shows things that are no text."""
        blob = BlobResourceContents(uri="notes://blob", mime_type="application/zip", blob="AAAAAAAA")
        text = TextResourceContents(uri="notes://1", mime_type="text/plain", text="first note")
        return CallToolResult(
            content=[
                TextContent(text="a caption"),
                ImageContent(data="iVBORw0KGgo=", mime_type="image/png"),
                ResourceLink(name="all notes", uri="notes://all", description="every note"),
                EmbeddedResource(resource=text),
                EmbeddedResource(resource=blob),
            ]
        )


def _add_bad(server: MCPServer) -> None:
    @server.tool(annotations=READ)
    async def fail(secret: str = "") -> CallToolResult:
        """Says that it could not."""
        told = f"no such note; asked with {os.environ.get('NOTES_KEY', secret)}"
        return CallToolResult(content=[TextContent(text=told)], is_error=True)

    @server.tool(annotations=READ)
    async def slow(seconds: float) -> str:
        """Takes its time."""
        await asyncio.sleep(seconds)
        return "slept"

    @server.tool()
    async def die() -> str:
        """Ends the server."""
        os._exit(3)

    @server.tool(annotations=READ)
    async def big(size: int) -> str:
        """Says much."""
        return "x" * size

    @server.tool(annotations=READ)
    async def pids() -> str:
        """Starts a child that ignores SIGTERM; says the server's and the child's process id."""
        script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
        grandchild = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", script])
        return f"{os.getpid()} {grandchild.pid}"

    @server.tool(annotations=READ)
    async def environment() -> str:
        """Says the names of its variables, and its key to stderr."""
        print(f"the key is {os.environ.get('NOTES_KEY')}", file=sys.stderr, flush=True)
        return " ".join(sorted(os.environ))


if __name__ == "__main__":
    made().run()
