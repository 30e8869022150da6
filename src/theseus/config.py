"""Settings: the only reader of the environment. A workflow never sees them; activities get them as plain values."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic.functional_validators import AfterValidator, BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from theseus.contracts.control import TASK_QUEUE, ApprovalRules


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _seconds(value: object) -> object:
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def _something(value: object) -> object:
    return None if value == "" else value


def _redis_address(value: str) -> str:
    # what the parser says may hold a part of the password
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "unix" or (parts.scheme in ("redis", "rediss") and (parts.port or 1) > 0)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(
            "not an address such as redis://HOST:6379/0 (escape special characters of a password: / is %2F)"
        )
    return value


def _host_and_port(value: str) -> str:
    _, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > MOST_PORT:
        raise ValueError("not an address such as 127.0.0.1:9090")
    return value


MOST_PORT = 65535
SECRET_BYTES = 32
Address = Annotated[str, AfterValidator(_host_and_port)]
"""host:port."""
Duration = Annotated[timedelta, BeforeValidator(_seconds)]
"""A number of seconds, or an ISO 8601 duration such as PT25S."""
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A comma-separated list."""
Key = Annotated[SecretStr | None, BeforeValidator(_something)]
"""A key; empty is none."""
File = Annotated[Path | None, BeforeValidator(_something)]
"""A path; empty is none."""
SearchProviders = Annotated[
    tuple[Literal["searxng", "brave", "tavily", "exa", "serpapi", "corpus"], ...], NoDecode, BeforeValidator(_split)
]


def _long_enough(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and len(secret.get_secret_value().encode()) < SECRET_BYTES:
        raise ValueError(
            f"too short to sign with: at least {SECRET_BYTES} bytes, as `openssl rand -base64 48` makes them"
        )
    return secret


class Settings(BaseSettings):
    """All settings of Theseus, read once from the environment (`THESEUS_*` unless an alias says otherwise)."""

    model_config = SettingsConfigDict(env_prefix="THESEUS_", frozen=True, extra="ignore", populate_by_name=True)

    redis_url: Annotated[str, AfterValidator(_redis_address)] = Field(
        default="redis://127.0.0.1:6379/0", validation_alias="REDIS_URL"
    )
    database_url: Annotated[SecretStr | None, BeforeValidator(_something)] = Field(
        default=None, validation_alias="DATABASE_URL", description="Of the archive; absent: SQLite in the data folder."
    )
    archive: bool | None = Field(
        default=None, description="Workers keep ended tasks in the archive; absent: where DATABASE_URL is set."
    )
    task_queue: str = TASK_QUEUE
    data_dir: Path = Path(".theseus")
    models_file: File = Field(default=None, description="Replaces the shipped models.yaml.")

    temporal_ui: Annotated[str | None, BeforeValidator(_something)] = Field(
        default=None, description="Address of Temporal's web UI, for links to it; absent: no links."
    )
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_address: Address | None = Field(
        default=None, description="host:port of the Prometheus endpoint; absent: none."
    )
    health_address: Address | None = Field(default=None, description="host:port of the health endpoint; absent: none.")

    max_activities: int = Field(default=100, ge=1, description="Activities that one worker runs at the same time.")
    max_workflow_tasks: int = Field(
        default=10,
        ge=2,
        description="Workflow tasks that one worker works on at the same time; they share one interpreter.",
    )
    max_cached_workflows: int = Field(default=1000, ge=0)
    shutdown_grace: Duration = Field(default=timedelta(seconds=25), description="Seconds a stopping worker may finish.")

    skip_auth: bool = Field(
        default=False,
        validation_alias="GATEWAY_SKIP_AUTH",
        description="Whoever calls the gateway may do all; for trying out.",
    )
    jwt_secret: Annotated[SecretStr | None, BeforeValidator(_something), AfterValidator(_long_enough)] = Field(
        default=None,
        validation_alias="GATEWAY_JWT_SECRET",
        description="Signs the tokens of those who log in; absent: nobody logs in, API keys alone open the gateway.",
    )
    registration: bool = Field(
        default=False, validation_alias="GATEWAY_REGISTRATION", description="Whoever calls the gateway may register."
    )

    rate_limit: int = Field(
        default=60,
        ge=0,
        le=100_000,
        validation_alias="GATEWAY_RATE_LIMIT",
        description="Requests a minute of one key or login; 0: as many as it likes.",
    )

    cors_origins: Annotated[Names | None, NoDecode, BeforeValidator(_something)] = Field(
        default=None,
        validation_alias="GATEWAY_CORS_ORIGINS",
        description="Hosts whose pages may call the gateway, * for all; absent: all where GATEWAY_SKIP_AUTH is on, else none.",
    )

    session_ttl: Duration = timedelta(days=30)
    session_messages: int = Field(default=500, ge=2)
    transcript_ttl: Duration = timedelta(days=2)
    memory: bool = Field(default=False, description="Tasks with a user remember, unless they say otherwise.")
    memory_facts: int = Field(default=500, ge=1, description="Facts kept of one user.")
    embedding_model: Annotated[str | None, BeforeValidator(_something)] = Field(
        default=None, description="Compares facts by their meaning, too; provider/model, see docs/memory.md."
    )
    memory_ttl: Duration = Field(default=timedelta(days=365), description="Kept so long after the last use.")
    evidence_ttl: Duration = timedelta(days=7)
    event_ttl: Duration = timedelta(hours=24)
    event_cap: int = Field(default=20_000, ge=1_000, description="Events kept of one task, about.")

    fetch_allow: Names = Field(default=(), description="Hosts and networks that tools may reach though private.")
    fetch_max_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    workspace_quota_bytes: int = Field(default=100 * 1024 * 1024, ge=1024, description="Bytes one session may write.")

    searxng_url: Annotated[str | None, BeforeValidator(_something)] = Field(
        default=None, validation_alias="SEARXNG_URL", description="A SearXNG that answers in JSON; may be private."
    )
    brave_api_key: Key = Field(default=None, validation_alias="BRAVE_API_KEY")
    tavily_api_key: Key = Field(default=None, validation_alias="TAVILY_API_KEY")
    exa_api_key: Key = Field(default=None, validation_alias="EXA_API_KEY")
    serpapi_api_key: Key = Field(default=None, validation_alias="SERPAPI_API_KEY")
    corpus_dir: File = Field(
        default=None, description="Folder of documents (txt, md, html, pdf) that web_search finds things in."
    )
    search_providers: SearchProviders = Field(
        default=(), description="The search providers to ask, in this order; absent: all that are configured."
    )
    templates: Names = Field(default=(), description="Folders of templates, beside the shipped ones.")
    skills: Names = Field(default=(), description="Folders of skills, beside the shipped ones.")
    template_fallback: bool = Field(
        default=True, description="A task whose template is unknown goes on without it, degraded; 0: it is refused."
    )
    bash: bool = Field(
        default=False, description="Agents may run commands, contained by the kernel; see docs/tools.md."
    )

    browser: File = Field(
        default=None, description="The browser that agents use; absent: chromium, chromium-browser or google-chrome."
    )
    browser_sandbox: bool = Field(default=True, description="The browser shuts pages in; see docs/tools.md.")

    mcp_file: File = Field(default=None, description="MCP servers whose tools agents get; see docs/tools.md.")
    openapi_file: File = Field(default=None, description="OpenAPI documents whose operations become tools.")
    tenant_tools: Annotated[str | None, BeforeValidator(_something)] = Field(
        default=None, description="Which tenant may use which tools: a file, or JSON itself; absent: all may use all."
    )

    adapters: Annotated[Names | None, NoDecode, BeforeValidator(_something)] = Field(
        default=None,
        description="Vendors' adapters to load, by the names of their entry points; absent: all installed.",
    )

    schedules_per_user: int = Field(default=50, ge=0, description="Schedules that one user may have.")
    schedule_min_interval: Duration = Field(
        default=timedelta(minutes=60), description="What has to lie between two runs of a schedule, on any day."
    )
    schedule_max_budget_usd: float = Field(
        default=10.0, gt=0, description="The most that one run of a schedule may be allowed to cost."
    )

    approval_tools: Names = Field(default=(), description="Tools that write and that a person has to approve, by name.")
    approval_above_complexity: Annotated[float | None, BeforeValidator(_something)] = Field(
        default=None, ge=0, le=1, description="A person has to approve tasks whose complexity is above it."
    )
    approval_timeout: Duration = Field(default=timedelta(minutes=30), description="How long an approval is waited for.")
    approval_policy: Literal["deny", "approve_reads", "escalate"] = Field(
        default="deny", description="What silence until the deadline means."
    )

    @property
    def approvals(self) -> ApprovalRules:
        """What needs a person's yes, as tasks record it."""
        return ApprovalRules(
            tools=self.approval_tools,
            above_complexity=self.approval_above_complexity,
            timeout_seconds=self.approval_timeout.total_seconds(),
            policy=self.approval_policy,
        )

    @property
    def search_keys(self) -> Mapping[str, str]:
        """The keys of search providers, by provider."""
        keys = {"brave": self.brave_api_key, "tavily": self.tavily_api_key, "exa": self.exa_api_key}
        given = {**keys, "serpapi": self.serpapi_api_key}
        return {name: key.get_secret_value() for name, key in given.items() if key is not None}

    @property
    def cors(self) -> tuple[str, ...]:
        """The hosts whose pages may call the gateway."""
        if self.cors_origins is not None:
            return self.cors_origins
        return ("*",) if self.skip_auth else ()

    @property
    def archives(self) -> bool:
        """Whether workers keep ended tasks."""
        return self.archive if self.archive is not None else self.database_url is not None

    @property
    def archive_url(self) -> str:
        """Where tasks are kept for good."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.absolute() / 'archive.db'}"

    @property
    def workspaces(self) -> Path:
        """Folder that holds one workspace per session."""
        return self.data_dir / "workspaces"


class SettingsError(Exception):
    """A setting of the environment is wrong; the message names it."""


def load() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a variable has a value that cannot be.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors(include_url=False))
        raise SettingsError(f"a setting in the environment is wrong: {wrong}") from error


def _variable(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else ""
    return name if name.isupper() else f"THESEUS_{name.upper()}"


def environment() -> Mapping[str, str]:
    """A snapshot of the process environment, for what reads variables by configured name (keys, base URLs)."""
    return dict(os.environ)
