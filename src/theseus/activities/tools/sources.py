"""Who serves further tools: the MCP servers and the OpenAPI documents that an operator's files name."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from theseus.activities.tools.declarations import ToolFileError
from theseus.activities.tools.mcp.file import McpServer, load_servers
from theseus.activities.tools.openapi import tools as openapi
from theseus.activities.tools.openapi.file import Api, load_apis
from theseus.activities.tools.registry import Tool

Put = Callable[[str, Sequence[Tool]], None]


@dataclass(frozen=True)
class Sources:
    """MCP servers and APIs; no two have the same name."""

    servers: tuple[McpServer, ...] = ()
    apis: tuple[Api, ...] = ()

    @staticmethod
    def load(
        mcp_file: Path | None, openapi_file: Path | None, environ: Mapping[str, str], allow: Sequence[str] = ()
    ) -> "Sources":
        """What the files name.

        Args:
            mcp_file: MCP servers; absent: none.
            openapi_file: OpenAPI documents; absent: none.
            environ: where keys are found, by the names that the files give.
            allow: hosts and networks that APIs may be at though they are private; see `Egress`.

        Raises:
            ToolFileError: a file is wrong, two sources have one name, or the extra `mcp` is not installed.
        """
        servers = load_servers(mcp_file, environ)
        if servers and find_spec("mcp") is None:
            raise ToolFileError(f"{mcp_file}: MCP servers need the extra `mcp`: pip install 'theseus-worker[mcp]'")
        apis = load_apis(openapi_file, environ, allow)
        if both := sorted({server.name for server in servers} & {api.name for api in apis}):
            raise ToolFileError(f"{openapi_file}: {both[0]!r} is the name of an MCP server, too: rename one of them")
        return Sources(servers, apis)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all sources; their tools are named `<source>__<tool>`."""
        return tuple(source.name for source in (*self.servers, *self.apis))

    @asynccontextmanager
    async def serving(self, put: Put) -> AsyncGenerator[None]:
        """Keeps all sources at hand while the context is open; one that is only down comes late.

        Args:
            put: is given a source's name and all its tools, each time that they are known anew.

        Raises:
            ToolFileError: an OpenAPI document is broken.
        """
        async with AsyncExitStack() as stack:
            if self.apis:
                await stack.enter_async_context(openapi.serving(self.apis, put))
            if self.servers:
                # the library is an extra, and slow to import
                from theseus.activities.tools.mcp import tools as mcp

                await stack.enter_async_context(mcp.serving(self.servers, put))
            yield
