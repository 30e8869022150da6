"""The file of MCP servers (THESEUS_MCP_FILE), in the shape of the common `mcpServers` object."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from theseus.activities.tools.declarations import (
    Choice,
    Declared,
    Secrets,
    SourceName,
    ToolFileError,
    Variables,
    problems,
    read_data,
)

INHERITED = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER")
"""A server that we start sees these variables of the worker, and those that the file gives it: never the worker's keys."""

Seconds = Annotated[float, Field(gt=0, le=3600)]


class ServerEntry(Choice):
    """One server as the file has it: `command` starts one, `url` reaches one over streamable HTTP.

    In values of `env` and `headers`, `${NAME}` stands for a variable of the worker's environment. `timeout` is for one
    call and `start_timeout` for connecting with the list of tools, in seconds.
    """

    type: Literal["stdio", "http", "streamable-http"] | None = None
    command: Annotated[str, Field(min_length=1)] | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    cwd: Path | None = None
    url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    timeout: Seconds = 60
    start_timeout: Seconds = 30

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("give either `command` or `url`")
        if self.url is not None and not _is_web_address(self.url):
            raise ValueError("`url` is no http:// or https:// address; a key belongs into `headers`")
        if self.url is not None and (self.args or self.env or self.cwd):
            raise ValueError("`args`, `env` and `cwd` are of a `command`, not of a `url`")
        if self.command is not None and self.headers:
            raise ValueError("`headers` are of a `url`, not of a `command`")
        return self


class _File(Declared):
    mcpServers: dict[SourceName, ServerEntry]  # noqa: N815 - the key that every client of MCP uses


@dataclass(frozen=True)
class Program:
    """A server that is started as a child of the worker; `env` is all of its environment."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path | None = None


@dataclass(frozen=True)
class Address:
    """A server that is reached over streamable HTTP."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class McpServer:
    """One server, with every variable filled in."""

    name: str
    at: Program | Address
    choice: Choice
    secrets: Secrets = field(repr=False)
    timeout: timedelta = timedelta(seconds=60)
    start_timeout: timedelta = timedelta(seconds=30)


def load_servers(path: Path | None, environ: Mapping[str, str]) -> tuple[McpServer, ...]:
    """The servers that a file names; none without a file.

    Raises:
        ToolFileError: the file is wrong, or names a variable that is not set.
    """
    if path is None:
        return ()
    try:
        file = _File.model_validate(read_data(path))
    except ValidationError as error:
        raise ToolFileError(f"{path}: {problems(error)}") from error
    variables = Variables(environ, str(path))
    return tuple(_filled(name, entry, variables, environ) for name, entry in file.mcpServers.items())


def _filled(name: str, entry: ServerEntry, variables: Variables, environ: Mapping[str, str]) -> McpServer:
    given = entry.env if entry.url is None else entry.headers
    key = "env" if entry.url is None else "headers"
    values = {part: variables.filled(text, f"mcpServers.{name}.{key}.{part}") for part, text in given.items()}
    if bad := [part for part, text in values.items() if key == "headers" and not _fits_header(text)]:
        # what sends it would show the whole value in its error
        raise variables.wrong(f"mcpServers.{name}.{key}.{bad[0]}", "its value has characters that no header may have")
    inherited = {part: environ[part] for part in INHERITED if part in environ}
    at: Program | Address
    if entry.url is not None:
        at = Address(entry.url, values)
    else:
        at = Program(entry.command or "", entry.args, {**inherited, **values}, entry.cwd)
    return McpServer(
        name=name,
        at=at,
        choice=entry,
        secrets=Secrets(variables.secrets(given.values())),
        timeout=timedelta(seconds=entry.timeout),
        start_timeout=timedelta(seconds=entry.start_timeout),
    )


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
