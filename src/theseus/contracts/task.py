"""What a gateway sends to start a task, and what it gets back. Outer contract: strict on the way in, stable on the way out."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from theseus.contracts.errors import TaskError
from theseus.contracts.plan import Plan

MAX_INPUT_BYTES = 1024 * 1024
"""Largest task input, as JSON. Above it the task is refused (the server itself stops at 2 MiB)."""

MOST_DEPTH = 100
"""How deep the objects and arrays of an input may be nested: what carries them on is read to a depth of 200."""

MOST_ATTACHMENTS = 10
"""So many files may come with one task."""

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$")]
"""An id chosen by a caller: it names a workflow, a store key or a folder, so its letters are few."""

ToolName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_*-]+$")]
"""The name of a tool; `*` stands for any letters."""


class Mode(StrEnum):
    """How a task is worked on; one workflow type each."""

    SIMPLE = "simple"
    STANDARD = "standard"
    COMPLEX = "complex"
    SUPERVISOR = "supervisor"
    RESEARCH = "research"
    TEMPLATE = "template"


class ModelTier(StrEnum):
    """How large a model the caller wants; the catalogue says which models a tier holds."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class ResearchStrategy(StrEnum):
    """Depth preset of deep research."""

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"
    ACADEMIC = "academic"


class Outer(BaseModel):
    """Base of all that comes from outside: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(Outer):
    """What one task may spend. A limit is never passed by more than the output of one model call."""

    tokens: int = Field(
        default=10_000_000, ge=1, le=1_000_000_000, description="Input plus output tokens, cached ones too."
    )
    cost_microusd: int = Field(default=5_000_000, ge=1, description="Cost of model calls in millionths of a US dollar.")
    wall_clock_seconds: float = Field(
        default=3600, ge=1, le=2_592_000, description="Running time in seconds; time spent paused does not count."
    )


class AdsPlatforms(Outer):
    """Which ad platforms the role `ads_research` asks."""

    google: bool = True
    yahoo_jp: bool = True
    meta: bool = True
    meta_platform: Literal["facebook", "instagram", "messenger", "whatsapp", "all"] = "all"


class Attachment(Outer):
    """A file that comes with a task: its content as base64 or, for text types, as text; or one that is kept already."""

    name: str = Field(min_length=1, max_length=255, description="A file name; folders in it are left out.")
    media_type: Literal[
        "text/plain",
        "text/markdown",
        "text/csv",
        "application/json",
        "application/pdf",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
    ]
    data: str | None = Field(default=None, min_length=1, description="The file's bytes in base64.")
    text: str | None = Field(default=None, min_length=1, description="The content itself, of a text type.")
    artifact_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        default=None, description="An artifact of the same user, such as an attachment of an earlier task."
    )


class TaskContext(BaseModel):
    """Execution context. Known keys are typed; unknown keys are kept and handed to prompts and tools."""

    model_config = ConfigDict(extra="allow", frozen=True)

    role: str | None = Field(
        default=None, min_length=1, max_length=64, description="Role preset; it brings prompt, tools and tier."
    )
    system_prompt: str | None = Field(
        default=None, max_length=32_000, description="Replaces the role's prompt; ${var} is filled from prompt_params."
    )
    prompt_params: dict[str, JsonValue] = Field(default_factory=dict, description="Values for prompts and tools.")

    model_tier: ModelTier | None = None
    model_override: str | None = Field(default=None, min_length=1, max_length=200)
    provider_override: str | None = Field(default=None, min_length=1, max_length=64)
    research_strategy: ResearchStrategy | None = None
    skill: str | None = Field(default=None, min_length=1, max_length=200)

    template: str | None = Field(default=None, min_length=1, max_length=200)
    template_name: str | None = Field(default=None, min_length=1, max_length=200, description="Alias of template.")
    template_version: str | None = Field(default=None, min_length=1, max_length=64)
    disable_ai: bool = Field(default=False, description="No model call at all; only templates can run then.")

    history_window_size: int | None = Field(default=None, ge=5, le=200, description="Messages of the session in view.")
    use_case_preset: Literal["debugging"] | None = Field(default=None, description="debugging: a window of 75.")
    primers_count: int | None = Field(default=None, ge=0, le=200, description="First messages that always stay.")
    recents_count: int | None = Field(default=None, ge=0, le=200, description="Last messages that always stay.")
    compression_trigger_ratio: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Share of the model's context window above which the middle is summarised.",
    )
    compression_target_ratio: float | None = Field(
        default=None, gt=0, le=1, description="Share of the context window that the summarised session aims at."
    )

    force_research: bool = False
    iterative_research_enabled: bool | None = None
    iterative_max_iterations: int | None = Field(default=None, ge=1, le=5)
    enable_fact_extraction: bool | None = None
    enable_citations: bool | None = None
    enable_verification: bool | None = None
    max_concurrent_agents: int | None = Field(default=None, ge=1, le=20)
    synthesis_style: Literal["concise", "comprehensive"] | None = None
    review_plan: Literal["auto", "manual"] | None = None
    require_review: bool | None = None
    review_timeout: int | None = Field(default=None, ge=1, le=900, description="Seconds to wait for a plan review.")
    platforms: AdsPlatforms | None = None
    attachments: tuple[Attachment, ...] | None = Field(
        default=None, max_length=MOST_ATTACHMENTS, description="Files that come with the task, within its largest size."
    )
    memory: bool | None = Field(
        default=None,
        description="Use what is known of the user, and keep facts of this task for later ones; absent: as set.",
    )


class TaskInput(Outer):
    """The only argument of every task workflow. A top-level key wins over its twin in `context`."""

    query: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        min_length=1, max_length=10_000, description="What to do, in natural language."
    )
    task_id: Id | None = Field(default=None, description="Equal to the workflow id; absent means the workflow id.")
    session_id: Id | None = Field(default=None, description="Conversation to go on with; absent opens a new one.")
    user_id: Id | None = None
    tenant_id: Id | None = None
    mode: Literal["simple", "standard", "complex", "supervisor"] | None = Field(
        default=None, description="Absent: the router decides."
    )
    model_tier: ModelTier | None = None
    model_override: str | None = Field(default=None, min_length=1, max_length=200, description="A model's own name.")
    provider_override: str | None = Field(default=None, min_length=1, max_length=64, description="Pins the provider.")
    skill: str | None = Field(default=None, min_length=1, max_length=200)
    research_strategy: ResearchStrategy | None = None
    max_iterations: int | None = Field(default=None, ge=1, le=50, description="Model turns of one agent; default 10.")
    max_concurrent_agents: int | None = Field(default=None, ge=1, le=20)
    enable_verification: bool | None = None
    require_approval: bool | None = None
    tools: tuple[ToolName, ...] | None = Field(
        default=None, max_length=128, description="The tools it may use, by name or with `*`; absent: all of its roles."
    )
    limits: Limits = Limits()
    context: TaskContext = TaskContext()


class TaskStatus(StrEnum):
    """How a task ended. The first four close the workflow as Completed, `cancelled` as Canceled, the rest as Failed."""

    COMPLETED = "completed"
    PARTIAL = "partial"
    DEGRADED = "degraded"
    BUDGET_EXHAUSTED = "budget_exhausted"
    FAILED = "failed"
    DENIED = "denied"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class Usage(BaseModel):
    """Tokens and money spent. `input_tokens` counts cached tokens too; cost is in millionths of a US dollar."""

    model_config = ConfigDict(frozen=True)

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = Field(default=0, description="Part of input_tokens that the provider read from its cache.")
    cache_write_tokens: int = Field(default=0, description="Part of input_tokens that the provider wrote to its cache.")
    total_tokens: int = 0
    cost_microusd: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            cost_microusd=self.cost_microusd + other.cost_microusd,
        )


class ModelUse(BaseModel):
    """One row of the model breakdown: what one model of one provider cost this task."""

    model: str
    provider: str
    executions: int
    tokens: int
    cost_microusd: int
    percentage: int = Field(description="Share of the task's cost, of its tokens where nothing cost money; 0..100.")


class AgentRecord(BaseModel):
    """One agent's part in a task."""

    agent_id: str
    role: str
    status: TaskStatus
    turns: int = 0
    tool_calls: int = 0
    usage: Usage = Usage()


class Citation(BaseModel):
    """A source that a report cites."""

    number: int
    url: str
    title: str = ""
    quote: str = ""
    published: str | None = None


class MemoryUse(BaseModel):
    """What a task used of its user's memory and added to it: ids of facts."""

    recalled: list[str] = []
    kept: list[str] = []
    problem: str | None = Field(default=None, description="Why memory did less than it should have, in words.")


class TaskMetadata(BaseModel):
    """What else is known about a finished task. Absent parts did not happen."""

    model_config = ConfigDict(extra="allow")

    model_breakdown: list[ModelUse] = []
    agents: list[AgentRecord] = []
    plan: Plan | None = None
    citations: list[Citation] = []
    verification: dict[str, JsonValue] | None = None
    stop_reason: str | None = Field(default=None, description="answer, max_iterations, loop or budget.")
    degraded: list[str] = Field(default=[], description="Each fallback that was used, in words.")
    complexity: float | None = None
    window: dict[str, JsonValue] | None = Field(default=None, description="How the session was fitted.")
    memory: MemoryUse | None = None
    failovers: list[str] = Field(default=[], description="Routes left behind: provider/model and why.")


class TaskResult(BaseModel):
    """What a task ends with. A task that fails carries it in the details of its failure."""

    task_id: str
    status: TaskStatus
    result: str = ""
    response: JsonValue = Field(default=None, description="`result` parsed, when it is a JSON object or array.")
    session_id: str | None = None
    mode: Mode | None = None
    usage: Usage = Usage()
    model_used: str | None = None
    provider: str | None = None
    metadata: TaskMetadata = TaskMetadata()
    error: TaskError | None = None
