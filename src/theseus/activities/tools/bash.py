"""The tool bash: commands in a session's workspace, contained by the kernel. Only there when a worker turns it on."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from theseus.activities.tools.contained.box import Box, Broken, ContainmentError, Ended, Limits
from theseus.activities.tools.registry import Tool, ToolContext, ToolError, tool
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect

MAX_COMMAND_CHARS = 20_000
MAX_SECONDS = 120
TIMEOUT = timedelta(seconds=180)
"""Longer than any command may take, so that the wait for its turn and its end fit in."""

_SHELL = ("/bin/bash", "--norc", "--noprofile", "-c")


class Folders(Protocol):
    """Where the workspaces of sessions are."""

    def folder(self, key: SessionKey) -> Path:
        """A session's folder, made when it is not there. Blocks on the disk."""
        ...


def bash_tools(
    box: Box, folders: Folders, workspace_bytes: int, failures: tuple[type[Exception], ...] = ()
) -> list[Tool]:
    """The tool that runs commands.

    Args:
        box: what contains them; prove that it can before a worker offers the tool.
        folders: where the files of sessions are.
        workspace_bytes: so much a session may keep there.
        failures: what `folders` raises with a message that is meant for the model.
    """

    @tool(effect=Effect.WRITE, timeout=TIMEOUT, failures=failures)
    async def bash(
        command: Annotated[str, Field(min_length=1, max_length=MAX_COMMAND_CHARS)],
        context: ToolContext,
        timeout_seconds: Annotated[int, Field(ge=1, le=MAX_SECONDS)] = 30,
    ) -> str:
        """Runs a bash command in this conversation's workspace and gives its output and exit code.

        The workspace is the current folder, /workspace: what is written there stays, /tmp is emptied after each call.
        There is no network, nothing of the machine but its installed programs, and no process outlives the call.

        Args:
            command: a command or a script
            context: who asks
            timeout_seconds: the command is ended after so many seconds
        """
        if "\0" in command:
            raise ToolError("A command cannot hold the character NUL: leave it out.")
        folder = await asyncio.to_thread(folders.folder, context.session)
        limits = Limits(seconds=timeout_seconds, workspace_bytes=workspace_bytes)
        try:
            return told(await box.run([*_SHELL, command], folder, limits), limits)
        except ContainmentError as error:
            raise ToolError(f"The command was not run: {error}. Go on without bash.") from error

    return [bash]


def told(ended: Ended, limits: Limits) -> str:
    """How a command ended, for the model.

    Raises:
        ToolError: it was ended for a limit; with the output that it gave until then.
    """
    output = ended.output.decode(errors="replace").rstrip("\n")
    if ended.broken is not None:
        raise ToolError(f"{output}\n[Ended: {_broken(ended.broken, limits)}]".lstrip("\n"))
    lines = [output] if output else []
    if ended.left_running:
        lines.append(f"[Processes that it left running were ended: {ended.left_running}]")
    if ended.over is not None:
        lines.append(f"[Remove files first, or the next command is ended: {_broken(ended.over, limits)}]")
    lines.append(f"[Exit code {ended.code}]" if (ended.code or 0) >= 0 else f"[Ended by signal {-(ended.code or 0)}]")
    return "\n".join(lines)


def _broken(limit: Broken, limits: Limits) -> str:
    return {
        "time": f"it ran longer than {limits.seconds:g} s",
        "memory": f"it used more than {limits.memory_bytes >> 20} MiB of memory",
        "output": f"it wrote more than {limits.output_bytes} bytes; send output to a file and look at parts of it",
        "disk": f"the workspace holds more than {limits.workspace_bytes} bytes",
        "files": f"the workspace holds more than {limits.workspace_files} files and folders",
        "depth": "folders of the workspace are nested too deep",
    }[limit]
