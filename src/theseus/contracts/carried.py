"""What a task takes along when it continues as new: all that its next run cannot find out again. Inner contract."""

from datetime import datetime

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.agent import AgentReport, RouteSpent
from theseus.contracts.control import ControlMemory, ReviewState
from theseus.contracts.errors import ErrorType
from theseus.contracts.events import Event
from theseus.contracts.facts import Facts
from theseus.contracts.inner import Inner
from theseus.contracts.messages import Message
from theseus.contracts.plan import Plan
from theseus.contracts.research import ResearchState
from theseus.contracts.session import Window
from theseus.contracts.supervision import Finding, Member
from theseus.contracts.task import Mode, Usage
from theseus.contracts.template import TemplateState


class TeamState(Inner):
    """A supervised team between two runs: nobody is at work then."""

    members: tuple[Member, ...] = ()
    findings: tuple[Finding, ...] = ()
    talk: tuple[Message, ...] = ()
    rounds: int = 0
    messages: int = 0
    idle_rounds: int = 0
    question: str = ""


class CarriedTask(Inner):
    """A task between two runs."""

    task: AcceptedTask
    facts: Facts
    mode: Mode
    deadline: datetime
    spent: Usage
    routes: tuple[RouteSpent, ...] = ()
    reports: tuple[AgentReport, ...] = ()
    window: Window | None = None
    window_tokens: int = 0
    complexity: float | None = None
    degraded: tuple[str, ...] = ()
    failovers: tuple[str, ...] = ()
    steps: int = 0
    told: int = 0
    agents_started: int = 0
    control: ControlMemory = ControlMemory()
    waiting: tuple[Event, ...] = ()
    is_read_only: bool = False
    changed: str = ""
    failures: tuple[ErrorType, ...] = ()
    team: TeamState = TeamState()
    research: ResearchState | None = None
    plan: Plan | None = None
    review: ReviewState = ReviewState()
    template: TemplateState | None = None


class Continuation(Inner):
    """The argument of a task that continues as new."""

    carried: CarriedTask
