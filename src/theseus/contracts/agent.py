"""One agent of a team: what it is started with, and what it comes back with. Inner contract."""

from datetime import datetime

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.control import ControlMemory
from theseus.contracts.errors import TaskError
from theseus.contracts.events import Event
from theseus.contracts.facts import Facts
from theseus.contracts.inner import Sparse
from theseus.contracts.messages import Message, Route
from theseus.contracts.plan import Strategy, Subtask
from theseus.contracts.research import Card, ResearchBrief
from theseus.contracts.task import AgentRecord, Limits, TaskStatus, Usage

MOST_CONTEXT_BYTES = 32 * 1024
"""Agents get the task's context in their inputs, several at once; a larger one would not fit into one workflow task."""
MOST_CARRIED_BYTES = 1024 * 1024


class RouteSpent(Sparse):
    """Calls and usage of one route."""

    route: Route
    calls: int
    usage: Usage


class Carried(Sparse):
    """What an agent takes along when it continues as new."""

    messages: tuple[Message, ...] = ()
    turns: int = 0
    tool_calls: int = 0
    cards: tuple[Card, ...] = ()
    fruitless: int = 0
    steps: int = 0
    told: int = 0
    calls: tuple[str, ...] = ()
    spent: Usage = Usage()
    routes: tuple[RouteSpent, ...] = ()
    degraded: tuple[str, ...] = ()
    failovers: tuple[str, ...] = ()
    control: ControlMemory = ControlMemory()
    waiting: tuple[Event, ...] = ()


NOTHING = Carried()


class Assignment(Sparse):
    """What an AgentWorkflow is started with.

    `agent` is its path within the task ("agent/2"); `briefing` its first message; `limits` its share of the task's
    budget; `avoid` routes that failed before; `in_team` says that its parent takes messages to other agents; `research`
    what a researcher is to find evidence for.
    """

    task: AcceptedTask
    agent: str
    name: str = ""
    subtask: Subtask
    briefing: str
    facts: Facts
    limits: Limits
    deadline: datetime
    is_paused: bool = False
    in_team: bool = False
    is_read_only: bool = False
    avoid: tuple[Route, ...] = ()
    research: ResearchBrief | None = None
    carried: Carried | None = None


class AgentReport(Sparse):
    """What an agent comes back with.

    `text` is its result, or, where `error` is set, what it had found before; `cards` is the evidence that it noted, also
    when it failed; `unfit` are routes that failed it.
    """

    agent: str
    role: str
    status: TaskStatus
    text: str = ""
    stop_reason: str = ""
    strategy: Strategy = Strategy.REACT
    error: TaskError | None = None
    usage: Usage = Usage()
    routes: tuple[RouteSpent, ...] = ()
    turns: int = 0
    tool_calls: int = 0
    degraded: tuple[str, ...] = ()
    failovers: tuple[str, ...] = ()
    unfit: tuple[Route, ...] = ()
    cards: tuple[Card, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether there is a result."""
        return bool(self.text.strip()) and self.error is None

    def record(self) -> AgentRecord:
        """The agent's row in a result's metadata."""
        return AgentRecord(
            agent_id=self.agent,
            role=self.role,
            status=self.status,
            turns=self.turns,
            tool_calls=self.tool_calls,
            usage=self.usage,
        )
