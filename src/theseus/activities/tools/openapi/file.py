"""The file of OpenAPI documents (THESEUS_OPENAPI_FILE): a list of APIs whose operations become tools."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, TypeAdapter, ValidationError, model_validator

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
from theseus.activities.tools.egress import Egress
from theseus.contracts.tools import Effect


class Auth(Declared):
    """How an API is told who calls: `env` names the variable with the key, or with `user:password` for `basic`.

    `name` is the name of the header or of the query parameter that carries it.
    """

    type: Literal["bearer", "header", "query", "basic"]
    env: str
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.type in ("header", "query") and self.name is None:
            raise ValueError(f"auth of type {self.type} needs a `name`")
        return self


class ApiEntry(Declared):
    """One API as the file has it. `operations` and `effects` go by operationId or `METHOD /path`, also with `*`.

    `document` is a path, from the file's own folder on, or a web address. `allow` names hosts and networks that may be
    reached though they are private, as THESEUS_FETCH_ALLOW does for all. `timeout` is for one call, in seconds.
    """

    name: SourceName
    document: str
    base_url: str | None = None
    auth: Auth | None = None
    operations: tuple[str, ...] | None = None
    effects: dict[str, Effect] = Field(default_factory=dict)
    allow: tuple[str, ...] = ()
    timeout: Annotated[float, Field(gt=0, le=600)] = 30


@dataclass(frozen=True)
class Credentials:
    """What goes with every request of an API."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)

    @property
    def names(self) -> frozenset[str]:
        """The names of headers and query parameters that they take, in lower case."""
        return frozenset(name.lower() for name in (*self.headers, *(name for name, _ in self.query)))


@dataclass(frozen=True)
class Api:
    """One API, with its key filled in. `file` and `place` say where it is named."""

    name: str
    document: str
    base_url: str | None
    credentials: Credentials
    choice: Choice
    egress: Egress
    secrets: Secrets = field(repr=False)
    timeout: timedelta = timedelta(seconds=30)

    @property
    def is_remote(self) -> bool:
        """Whether the document has to be fetched."""
        return is_web_address(self.document)


_ENTRIES = TypeAdapter(tuple[ApiEntry, ...])


def load_apis(path: Path | None, environ: Mapping[str, str], allow: Sequence[str] = ()) -> tuple[Api, ...]:
    """The APIs that a file names; none without a file.

    Args:
        path: the file.
        environ: where keys are found.
        allow: what may be reached though it is private, whatever the entry says.

    Raises:
        ToolFileError: the file is wrong, or names a variable that is not set.
    """
    if path is None:
        return ()
    try:
        entries = _ENTRIES.validate_python(read_data(path))
    except ValidationError as error:
        raise ToolFileError(f"{path}: {problems(error)}") from error
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ToolFileError(f"{path}: two entries are named {twice[0]!r}")
    return tuple(_filled(entry, path, Variables(environ, str(path)), allow) for entry in entries)


def is_web_address(text: str) -> bool:
    """Whether the text begins like an http or https address."""
    return text.lower().startswith(("http://", "https://"))


def base_address(text: str) -> str | None:
    """The address without its last slash, when requests can be built upon it; else None."""
    try:
        parts = urlsplit(text)
        usable = is_web_address(text) and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return None
    return text.rstrip("/") if usable and not parts.query and not parts.fragment else None


def _filled(entry: ApiEntry, path: Path, variables: Variables, allow: Sequence[str]) -> Api:
    if entry.base_url is not None and base_address(entry.base_url) is None:
        raise ToolFileError(f"{path}: {entry.name}.base_url: no web address that requests can be built upon")
    try:
        egress = Egress([*allow, *entry.allow])
    except ValueError as error:
        raise ToolFileError(f"{path}: {entry.name}.allow: {error}") from error
    key = variables.value(entry.auth.env, f"{entry.name}.auth.env") if entry.auth is not None else ""
    if not key.isprintable():
        raise ToolFileError(f"{path}: {entry.name}.auth.env: the value of the variable has characters that no key has")
    return Api(
        name=entry.name,
        document=entry.document if is_web_address(entry.document) else str(path.parent / entry.document),
        base_url=base_address(entry.base_url) if entry.base_url is not None else None,
        credentials=_credentials(entry.auth, key) if entry.auth is not None else Credentials(),
        choice=Choice(tools=entry.operations, effects=entry.effects),
        egress=egress,
        secrets=Secrets([key, quote(key, safe=""), _basic(key), key.partition(":")[2]]),
        timeout=timedelta(seconds=entry.timeout),
    )


def _credentials(auth: Auth, key: str) -> Credentials:
    match auth.type:
        case "bearer":
            return Credentials(headers={"Authorization": f"Bearer {key}"})
        case "basic":
            return Credentials(headers={"Authorization": f"Basic {_basic(key)}"})
        case "header":
            return Credentials(headers={auth.name or "": key})
        case "query":
            return Credentials(query=((auth.name or "", key),))


def _basic(key: str) -> str:
    return base64.b64encode(key.encode()).decode()
