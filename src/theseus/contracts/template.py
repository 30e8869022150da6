"""A template: work that runs as it is written down. What its file may say, and what goes between workflow and library.

Texts are Jinja: they see `params`, `task`, `context` and `results`, the results of nodes by id. They are rendered by an
activity; a workflow sees only what came out.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from theseus.contracts.inner import Inner
from theseus.contracts.plan import Plan, Strategy
from theseus.contracts.task import ModelTier, ToolName

MOST_NODES = 100
MOST_TASKS = 20
"""Agents of one `dag` node."""
MOST_RETRIES = 5
MOST_TEMPLATE_BYTES = 64 * 1024
"""A template with all that it extends, as JSON: it is recorded in the history of every task that runs it."""
OUTPUT = "output"
"""Id of the text that makes a template's answer."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
NodeId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""It is used as `results.<id>` in texts, so it has neither hyphens nor spaces."""
Version = Annotated[
    str, Field(pattern=r"^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.-]{1,40})?(\+[0-9A-Za-z.-]{1,40})?$", max_length=100)
]
Text = Annotated[str, Field(min_length=1, max_length=32_000)]


class Shape(BaseModel):
    """Part of a template's file: a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParameterKind(StrEnum):
    """What a parameter's value is."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"


class Parameter(Shape):
    """A value that a task gives in `context.prompt_params`; without a default it has to."""

    type: ParameterKind = ParameterKind.STRING
    description: str = Field(default="", max_length=500)
    required: bool = Field(default=True, description="Absent: true where there is no default.")
    default: JsonValue = None
    choices: tuple[JsonValue, ...] = Field(default=(), max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _required_without_default(cls, data: Any) -> Any:
        if isinstance(data, dict) and "required" not in data:
            return {**cast("dict[str, Any]", data), "required": "default" not in data}
        return cast("Any", data)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Parameter":
        if self.required and self.default is not None:
            raise ValueError("a required parameter has no default: leave one of them out")
        return self


class OnFail(Shape):
    """What is tried when a node fails, in this order; the task is degraded by whatever helped but `retry`."""

    retry: int = Field(default=0, ge=0, le=MOST_RETRIES, description="More tries, as it is.")
    degrade_to: Strategy | Literal["simple"] | None = Field(default=None, description="A cheaper way to do it.")
    escalate_to: ModelTier | Literal["simple", "supervisor"] | None = Field(
        default=None, description="Better models, or a team; for a tool: an agent that has it."
    )
    text: Text | None = Field(default=None, description="Stands for its result when nothing helped.")


class _Node(Shape):
    id: NodeId
    description: str = Field(default="", max_length=500)
    depends_on: tuple[NodeId, ...] = Field(default=(), max_length=MOST_NODES)
    if_missing: Literal["required", "optional"] = Field(
        default="required", description="required: skipped when one it depends on fails; optional: done without it."
    )
    on_fail: OnFail = OnFail()
    require_approval: bool = Field(default=False, description="A person has to say yes before it starts.")


class RenderNode(_Node):
    """A text, filled in. No model."""

    type: Literal["render"]
    text: Text


class ToolNode(_Node):
    """One tool call. No model."""

    type: Literal["tool"]
    tool: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    arguments: dict[str, JsonValue] = Field(default={}, description="Strings in it are texts.")


class _AgentNode(_Node):
    prompt: Text | None = Field(default=None, description="Absent: the task's query and the results it depends on.")
    role: Name | None = None
    tools: tuple[ToolName, ...] | None = Field(default=None, max_length=128, description="Absent: those of its role.")
    tier: ModelTier | None = None
    budget_max: int | None = Field(default=None, ge=256, le=1_000_000_000, description="Tokens.")


class SimpleNode(_AgentNode):
    """One agent with its tools."""

    type: Literal["simple"]


class CognitiveNode(_AgentNode):
    """One agent that works by a named strategy."""

    type: Literal["cognitive"]
    strategy: Strategy


class NodeTask(Shape):
    """One agent of a `dag` node."""

    id: NodeId
    prompt: Text
    role: Name | None = None
    tools: tuple[ToolName, ...] | None = Field(default=None, max_length=128)
    tier: ModelTier | None = None
    strategy: Strategy = Strategy.REACT
    depends_on: tuple[NodeId, ...] = Field(default=(), max_length=MOST_TASKS)


class EachTask(Shape):
    """The agents of a `dag` node with one for each item of a list: in its prompt it is `item`, its number `index`."""

    prompt: Text
    role: Name | None = None
    tools: tuple[ToolName, ...] | None = Field(default=None, max_length=128)
    tier: ModelTier | None = None
    strategy: Strategy = Strategy.REACT


class DagNode(_Node):
    """Several agents: tasks with dependencies, or one agent for each item of a list. Its result has a part for each."""

    type: Literal["dag"]
    tasks: tuple[NodeTask, ...] = Field(default=(), max_length=MOST_TASKS)
    parallel_by: Text | None = Field(
        default=None, description="A text that gives a list, such as '{{ params.cities }}'."
    )
    each: EachTask | None = None
    max_concurrency: int | None = Field(default=None, ge=1, le=20)
    budget_max: int | None = Field(default=None, ge=256, le=1_000_000_000, description="Tokens of all its agents.")

    @model_validator(mode="after")
    def _one_kind(self) -> "DagNode":
        if (self.parallel_by is None) != (self.each is None):
            raise ValueError("parallel_by and each belong together: the list, and what is done for each item")
        if bool(self.tasks) == (self.parallel_by is not None):
            raise ValueError("give tasks, or parallel_by with each")
        return self


class SupervisorNode(_Node):
    """A lead that recruits a team."""

    type: Literal["supervisor"]
    prompt: Text | None = None
    budget_max: int | None = Field(default=None, ge=256, le=1_000_000_000, description="Tokens of the whole team.")


AgentNode = SimpleNode | CognitiveNode
Node = Annotated[
    RenderNode | ToolNode | SimpleNode | CognitiveNode | DagNode | SupervisorNode, Field(discriminator="type")
]


class Edge(Shape):
    """`to` depends on `from`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: NodeId = Field(alias="from")
    target: NodeId = Field(alias="to")


class Defaults(Shape):
    """What holds for all nodes that say nothing else."""

    model_tier: ModelTier | None = None
    budget_agent_max: int | None = Field(default=None, ge=256, le=1_000_000_000, description="Tokens of each node.")
    require_approval: bool = Field(default=False, description="A person has to say yes before the first node.")


class Template(Shape):
    """A template with all that it extends."""

    name: Name
    version: Version = "1.0.0"
    description: str = Field(default="", max_length=2000)
    defaults: Defaults = Defaults()
    parameters: dict[NodeId, Parameter] = Field(default={}, max_length=100)
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MOST_NODES)
    edges: tuple[Edge, ...] = Field(default=(), max_length=1000)
    output: Text | None = Field(default=None, description="The answer; absent: the results of the last nodes.")
    metadata: dict[str, JsonValue] = Field(default={}, description="For people and programs; nothing here reads it.")


class LoadTemplate(Inner):
    """Which template a task asks for; `version` absent: the newest."""

    name: str
    version: str | None = None
    tenant_id: str = ""


class LoadedTemplate(Inner):
    """The template, recorded as it is now, or why there is none.

    `falls_back` says that the worker lets a task whose template is unknown go on without it.
    """

    template: Template | None = None
    content_hash: str = ""
    problem: str = ""
    is_unknown: bool = False
    falls_back: bool = True


class TemplateState(Inner):
    """A template between two histories: nothing of it is at work."""

    loaded: LoadedTemplate
    plan: Plan
    results: dict[str, str]


class TextToRender(Inner):
    """One text, or a structure whose strings are texts.

    `is_result` makes it `results.<id>` for those after it; `native` keeps the value of a lone `{{ expression }}` as it
    is instead of making it a text, as is done within structures. `is_prompt`: it has to say something.
    """

    id: str
    source: JsonValue
    is_result: bool = False
    is_prompt: bool = False
    native: bool = False
    item: JsonValue = None
    index: int | None = None


class RenderRequest(Inner):
    """Texts to fill in, one after another, and what they see."""

    texts: tuple[TextToRender, ...]
    params: dict[str, JsonValue] = Field(default_factory=dict)
    results: dict[str, str] = Field(default_factory=dict)
    task: dict[str, JsonValue] = Field(default_factory=dict)
    context: dict[str, JsonValue] = Field(default_factory=dict)


class Rendered(Inner):
    """What came out, by id: a text, or the structure filled in; and what could not be rendered, with the reason."""

    values: dict[str, JsonValue] = Field(default_factory=dict)
    failed: dict[str, str] = Field(default_factory=dict)
