"""The tools file_read, file_list and file_write: a session's workspace, and nothing else of the disk."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import Field

from theseus.activities.tools.registry import Tool, ToolContext, tool
from theseus.contracts.session import SessionKey
from theseus.contracts.stored import ArtifactPage
from theseus.contracts.tools import Effect

MAX_PAGE_CHARS = 11_000
"""A page of this size is still shown whole: with its first line it stays below the cut of tool results."""
MAX_LISTED = 500
MAX_WRITTEN_CHARS = 1_000_000

Path = Annotated[str, Field(min_length=1, max_length=1024)]

_DISK = timedelta(seconds=30)


class FileEntry(Protocol):
    """One file or folder of a listing."""

    @property
    def name(self) -> str:
        """Its own name, without the folder's."""
        ...

    @property
    def kind(self) -> str:
        """Either "file" or "folder"."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes of a file."""
        ...


class WorkspaceStore(Protocol):
    """Workspaces of sessions. Every call blocks on the disk and stays inside the session's workspace."""

    def read(self, key: SessionKey, path: str, offset: int, limit: int) -> ArtifactPage:
        """Up to `limit` characters of a text file from character `offset`."""
        ...

    def list(self, key: SessionKey, path: str = "") -> Sequence[FileEntry]:
        """What is right in a folder, by name."""
        ...

    def write(self, key: SessionKey, path: str, text: str) -> int:
        """Makes or replaces a whole file; gives its size in bytes."""
        ...


def file_tools(workspaces: WorkspaceStore, failures: tuple[type[Exception], ...] = ()) -> list[Tool]:
    """The tools on files.

    Args:
        workspaces: where the files are.
        failures: what the workspaces raise for a path or text that cannot be; its message goes to the model.
    """

    @tool(effect=Effect.READ, timeout=_DISK, failures=failures)
    def file_read(
        path: Path,
        context: ToolContext,
        offset: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=1, le=MAX_PAGE_CHARS)] = 8000,
    ) -> str:
        """Reads a text file of this conversation's workspace, or a part of it.

        Args:
            path: the file, relative to the workspace, such as notes/plan.md
            context: who asks
            offset: the first character to read, counted from 0
            limit: how many characters to read
        """
        return _shown(workspaces.read(context.session, path, offset, limit))

    @tool(effect=Effect.READ, timeout=_DISK, failures=failures)
    def file_list(context: ToolContext, path: Annotated[str, Field(max_length=1024)] = "") -> str:
        """Lists the files and folders right in one folder of this conversation's workspace.

        Args:
            path: the folder, relative to the workspace; empty for the workspace itself
            context: who asks
        """
        return _listed(workspaces.list(context.session, path))

    @tool(effect=Effect.IDEMPOTENT, timeout=_DISK, failures=failures)
    def file_write(
        path: Path, content: Annotated[str, Field(max_length=MAX_WRITTEN_CHARS)], context: ToolContext
    ) -> str:
        """Makes a text file in this conversation's workspace, or replaces it whole; folders are made as needed.

        Args:
            path: the file, relative to the workspace, such as notes/plan.md
            context: who asks
            content: all that the file holds afterwards
        """
        size = workspaces.write(context.session, path, content)
        return f"{path} is written: {size} bytes"

    return [file_read, file_list, file_write]


def _shown(page: ArtifactPage) -> str:
    if page.next_offset is None and page.offset == 0:
        return page.text or "[The file is empty]"
    more = f"; read on at offset {page.next_offset}" if page.next_offset is not None else ", its end"
    return f"[Characters {page.offset} to {page.offset + len(page.text)} of {page.total_chars}{more}]\n{page.text}"


def _listed(entries: Sequence[FileEntry]) -> str:
    lines = [f"{e.name}/" if e.kind == "folder" else f"{e.name} ({e.size_bytes} bytes)" for e in entries[:MAX_LISTED]]
    if len(entries) > MAX_LISTED:
        lines.append(f"[{len(entries) - MAX_LISTED} more are not shown]")
    return "\n".join(lines) or "[There are no files]"
