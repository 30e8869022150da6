"""Files that callers may look at: a session's workspace, and what is remembered of the caller as a file."""

import asyncio
from dataclasses import dataclass

from theseus.contracts.memory import Fact, Owner
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.sessions import Sessions, key_of
from theseus.stores.files import Entry, MissingFileError, TooLargeFileError, WorkspaceError, Workspaces
from theseus.stores.ports import MemoryStore

MOST_FILE_BYTES = 10 * 1024 * 1024
"""Largest file that is sent."""
MOST_ENTRIES = 10_000
"""So many entries of one folder are shown."""
MEMORY_FILE = "MEMORY.md"


@dataclass(frozen=True)
class Files:
    """What the gateway shows of files; a path that leads out of a workspace is refused where it is opened.

    Args:
        workspaces: the folders of sessions, as the workers see them.
        sessions: whose they are.
        memory: what is remembered of users.
    """

    workspaces: Workspaces
    sessions: Sessions
    memory: MemoryStore

    async def page(self, session_id: str, path: str, caller: Caller) -> list[Entry]:
        """What is in a folder of a session's workspace; nothing where no task wrote anything.

        Raises:
            Refusal: 404, there is no such session or folder; 400, the path leads elsewhere.
        """
        await self.sessions.get(session_id, caller)
        try:
            return await asyncio.to_thread(self.workspaces.list, key_of(session_id, caller), path)
        except WorkspaceError as error:
            raise _refused(error) from error

    async def read(self, session_id: str, path: str, caller: Caller) -> bytes:
        """A whole file of a session's workspace.

        Raises:
            Refusal: 404, there is no such session or file; 400, the path leads elsewhere; 413, it is too large.
        """
        await self.sessions.get(session_id, caller)
        key = key_of(session_id, caller)
        try:
            return await asyncio.to_thread(self.workspaces.read_bytes, key, path, MOST_FILE_BYTES)
        except WorkspaceError as error:
            raise _refused(error) from error

    async def memory_page(self, caller: Caller) -> list[Entry]:
        """What is remembered of the caller, as one file; nothing where nothing is."""
        text = await self._remembered(caller)
        return [Entry(MEMORY_FILE, "file", len(text))] if text else []

    async def memory_read(self, path: str, caller: Caller) -> bytes:
        """That file.

        Raises:
            Refusal: 404, there is no such file.
        """
        text = await self._remembered(caller)
        if path != MEMORY_FILE or not text:
            raise Refusal(404, f"'{path[:200]}' does not exist: memory is one file, {MEMORY_FILE}, once there is any")
        return text

    async def _remembered(self, caller: Caller) -> bytes:
        known = await self.memory.load(Owner(tenant_id=caller.tenant_id, user_id=caller.user_id))
        return "".join(_line(fact) for fact in known.facts).encode()


def _line(fact: Fact) -> str:
    return f"- {' '.join(fact.text.split())} ({fact.kind}, {fact.day})\n"


def _refused(error: WorkspaceError) -> Refusal:
    match error:
        case MissingFileError():
            return Refusal(404, str(error))
        case TooLargeFileError():
            return Refusal(413, str(error))
        case _:
            return Refusal(400, str(error))
