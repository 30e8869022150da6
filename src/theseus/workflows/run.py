"""What a mode may see and do: its task, its budget, model calls, tool calls, milestones and checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, JsonValue

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.agent import AgentReport
from theseus.contracts.attachments import AttachmentRef
from theseus.contracts.carried import TeamState
from theseus.contracts.changes import PATCHES, Change
from theseus.contracts.control import Progress
from theseus.contracts.errors import ErrorType, NoModel, StepFailed
from theseus.contracts.events import BudgetThreshold, Progressed
from theseus.contracts.facts import Facts, ModelCard
from theseus.contracts.messages import Head, Route, TaskRef, UserMessage
from theseus.contracts.plan import Plan
from theseus.contracts.research import Card, ResearchCall, ResearchState
from theseus.contracts.session import Window
from theseus.contracts.skill import Skill
from theseus.contracts.task import AgentRecord, Mode, Usage
from theseus.contracts.template import LoadedTemplate, TemplateState
from theseus.contracts.tools import READ_ARTIFACT, RESEARCH_ONLY, SEND_MESSAGE, Effect, ToolFacts
from theseus.domain.budget import Ledger, Reserve
from theseus.domain.conversation import Conversation
from theseus.domain.details import details, spending, ticked
from theseus.domain.evidence import evidence
from theseus.domain.platforms import turned_off
from theseus.domain.recalling import shown
from theseus.domain.research.coverage import unseen, with_room
from theseus.domain.research.stopping import ResearcherWatch
from theseus.domain.shared import Shared, facts_of, shared, surroundings
from theseus.roles.presets import PRESETS, WORKERS
from theseus.roles.role import Plain, Role, filled
from theseus.workflows import steps
from theseus.workflows.approvals import Approvals
from theseus.workflows.control import Control
from theseus.workflows.crew import Crew
from theseus.workflows.milestones import Milestones
from theseus.workflows.reviews import Reviews

T = TypeVar("T", bound=BaseModel)


@dataclass
class RouteUse:
    """Calls and usage of one route."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass
class Count:
    """How many steps were taken, by a run and by all its parts."""

    steps: int = 0


@dataclass
class Run:
    """One task under way. Created by the lifecycle, handed to a mode, its patterns and nothing else."""

    task: AcceptedTask
    facts: Facts
    control: Control
    crew: Crew
    approvals: Approvals
    milestones: Milestones
    deadline: datetime
    ledger: Ledger
    reserve: Reserve | None = None
    reviews: Reviews | None = None
    agent: str = ""
    in_team: bool = False
    mode: Mode | None = None
    window: Window | None = None
    window_tokens: int = 0
    needs_tools: bool = True
    complexity: float | None = None
    phase: str = "opening"
    degraded: list[str] = field(default_factory=list[str])
    failovers: list[str] = field(default_factory=list[str])
    routes: dict[Route, RouteUse] = field(default_factory=dict[Route, RouteUse])
    last_route: Route | None = None
    agents: list[str] = field(default_factory=list[str])
    plan: Plan | None = None
    reports: list[AgentReport] = field(default_factory=list[AgentReport])
    is_read_only: bool = False
    research: ResearchCall | None = None
    research_state: ResearchState | None = None
    watch: ResearcherWatch | None = None
    evidence: dict[str, Card] = field(default_factory=dict[str, Card])
    changed: str = ""
    question: str = ""
    is_on_hold: bool = False
    ending: str = ""
    team_state: TeamState = field(default_factory=TeamState)
    browser_queue: str = ""
    counted: Count = field(default_factory=Count)
    talks: list[Conversation] = field(default_factory=list[Conversation])
    left: set[Route] = field(default_factory=set[Route])
    unfit: set[Route] = field(default_factory=set[Route])
    failures: list[ErrorType] = field(default_factory=list[ErrorType])
    kept: tuple[str, ...] = ()
    memory_problem: str = ""
    _shared: Shared | None = None
    template: LoadedTemplate | None = None
    skill: Skill | None = None
    template_state: TemplateState | None = None
    whole: "Run | None" = None
    parts: list["Run"] = field(default_factory=list["Run"])
    _warned: set[str] = field(default_factory=set[str])

    def enter(self, phase: str) -> None:
        """Names the phase that begins, for people."""
        self.phase = phase
        self.show()

    def note_unseen(self, route: Route, images: Sequence[str]) -> None:
        """Records, once, that a model was not shown images."""
        reason = f"{route}: images that it could not be shown: {', '.join(images)}"
        if reason not in self.degraded:
            self.note_degraded(reason)

    def note_degraded(self, reason: str) -> None:
        """Records a fallback; the task's status will be `degraded`."""
        self.degraded.append(reason)
        self.milestones.tell(Progressed, type="WARNING", message=reason)

    def cards(self, role: Role[T]) -> tuple[ModelCard, ...]:
        """The models that may answer for a role, best first, those that see before others where there are images; routes
        that failed before come last.

        Raises:
            NoModel: none can.
        """
        tier = role.tier if role.keeps_tier else self.task.model_tier or role.tier
        cards = self.facts.models.get(tier, ())
        if not cards:
            raise NoModel(self.facts.refusal or f"no model of tier {tier} is configured")
        blind_last = any(each.is_image for each in self.task.attachments)
        return tuple(sorted(cards, key=lambda card: (card.route in self.left, blind_last and not card.vision)))

    def tools_of(self, role: Role[T]) -> tuple[str, ...]:
        """Names of the role's tools that this worker has and this task may use."""
        return self._tools_of(role) if self.needs_tools else ()

    def tools_of_roles(self) -> dict[str, tuple[str, ...]]:
        """The tools that a plan may give to subtasks of each role."""
        return {name: self._tools_of(role) for name, role in self.roles_there.items()}

    @property
    def roles_there(self) -> dict[str, Plain]:
        """The presets that can work with the tools that this worker has and this task may use."""
        tools = [tool for tool in self.facts.tools if self._may_use(tool)]
        return {name: role for name, role in PRESETS.items() if role.can_work_with(tools)}

    def roles_to_recruit(self) -> dict[str, Plain]:
        """The roles that a lead may take into its team: the one that the caller named, else all that are there."""
        named = self.task.context.role
        if named is not None and self.has(Change.NAMED_ROLE):
            return {named: PRESETS[named]}
        return self.roles_there

    def _tools_of(self, role: Role[T]) -> tuple[str, ...]:
        also = self.readers
        return tuple(t.name for t in self.facts.tools if self._may_use(t) and (role.has(t) or t.name in also))

    @property
    def readers(self) -> tuple[str, ...]:
        """The tool that every agent needs for what came with the task; none where there is nothing to read."""
        return (READ_ARTIFACT,) if any(not each.is_image for each in self.task.attachments) else ()

    @property
    def tools_there(self) -> tuple[str, ...]:
        """Names of all tools that this worker has and this task's tenant may use, whoever may call them."""
        return tuple(t.name for t in self.facts.tools)

    def tools_named(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the named tools that this worker has and this task may use."""
        return tuple(t.name for t in self.facts.tools if self._may_use(t) and t.name in names)

    def _may_use(self, tool: ToolFacts) -> bool:
        if tool.name == SEND_MESSAGE:
            return self.in_team
        if tool.name in RESEARCH_ONLY and self.research is None:
            return False
        if tool.name in turned_off(self.task.context.platforms):
            return False
        return tool.effect is Effect.READ or not self.is_read_only

    def talk(self, role: Role[T], *, window: bool = True, facts: Mapping[str, JsonValue] | None = None) -> Conversation:
        """Opens a conversation of a role: in the task's session window, with the given facts or the task's own."""
        own: dict[str, JsonValue] = {"current_date": self.today}
        head = Head(
            role=role.name,
            facts=own | dict(facts if facts is not None else self.task_facts()),
            window=self.window if window else None,
            images=self._images if facts is None and role.name in WORKERS else (),
        )
        made = Conversation(head, window_tokens=self.window_tokens if window else 0)
        self.talks.append(made)
        return made

    @property
    def _images(self) -> tuple[AttachmentRef, ...]:
        return tuple(each for each in self.task.attachments if each.is_image)

    @property
    def today(self) -> str:
        """The day, as in 2026-01-31."""
        return steps.now().date().isoformat()

    @property
    def place(self) -> str:
        """Where this run is: the task's id, with the agent's path if it is one's."""
        return f"{self.task.task_id}/{self.agent}" if self.agent else self.task.task_id

    def hear(self, talk: Conversation) -> bool:
        """Puts what people said meanwhile into the conversation; whether there was anything."""
        said = self.control.take_messages()
        talk.say(*(UserMessage(text=message.text) for message in said))
        return bool(said)

    @property
    def request(self) -> str:
        """What is to be done: the caller's query, as a person changed it, with what people said to the whole team."""
        return self.with_said(self.changed or self.task.query)

    def with_said(self, words: str, known: int = 0) -> str:
        """The words, and what people said to the whole team, but for so much that is known: for an agent that starts now."""
        said = "\n".join(f"- {text}" for text in self.control.said[known:])
        return f"{words}\n\nSaid since by the user:\n{said}" if said else words

    def progress(self) -> Progress:
        """Where the task stands."""
        return Progress(
            phase=self.phase,
            mode=self.mode,
            agents=self.agents,
            usage=self.ledger.spent,
            budget=self.task.limits,
            plan=self.plan,
            waiting_for=self.waiting_for,
        )

    def show(self) -> None:
        """Writes the live details that the Temporal UI shows."""
        if self.whole is not None:
            self.whole.show()
            return
        heading = self.phase if self.mode is None or self.agent else f"{self.phase}** · **mode {self.mode}"
        steps.show(
            details(
                heading,
                self.control.state,
                f"Waiting for {self.waiting_for}" if self.waiting_for else self.ending,
                self.ledger.spent,
                self.task.limits if not self.agent else self.ledger.limits,
                ticked(self.plan),
                [f"agent {agent}" for each in (self, *self.parts) for agent in each.agents],
                spending(
                    {str(route): use.calls for route, use in self.routes.items()},
                    {str(route): use.usage.total_tokens for route, use in self.routes.items()},
                ),
                [f"degraded: {reason}" for reason in self.degraded],
            )
        )

    @property
    def waiting_for(self) -> str:
        """What the task waits for besides its own work."""
        question = next((each.question for each in (self, *self.parts) if each.question), "")
        return question or ("a person's approval" if self.approvals.is_waiting else "")

    @property
    def is_history_long(self) -> bool:
        """Whether the server suggests to go on in a new history."""
        return steps.is_history_long()

    def absorb(self, report: AgentReport) -> None:
        """Takes over what an agent of this task spent, used and had to do without."""
        self.reports.append(report)
        self.note(report.cards)
        for spent in report.routes:
            use = self.routes.setdefault(spent.route, RouteUse())
            use.calls += spent.calls
            use.usage += spent.usage
            self.last_route = spent.route
        self.degraded += [f"{report.agent}: {reason}" for reason in report.degraded]
        self.failovers += [f"{report.agent}: {reason}" for reason in report.failovers]
        self.warn_of_budget()
        self.show()

    def found(self) -> str:
        """What its own agent's conversations brought, for one that did not get to say it."""
        texts = [evidence(talk.messages) for talk in self.talks if talk.head.role in WORKERS]
        return "\n\n".join(text for text in texts if text)

    def note(self, cards: Iterable[Card]) -> None:
        """Keeps evidence that was admitted, once, and of one facet as much as a report can use."""
        new = unseen(self.evidence, cards)
        kept = with_room(self.evidence, new)
        self.evidence |= kept if len(kept) == len(new) or self.has(Change.FACET_ROOM) else new

    @property
    def seconds_left(self) -> float:
        """Until the wall-clock limit."""
        return (self.deadline - steps.now()).total_seconds()

    @property
    def time_reserved(self) -> timedelta:
        """So much of the wall clock the work at hand leaves for what comes after it."""
        percent = self.reserve.time if self.reserve is not None else 0
        return timedelta(seconds=self.task.limits.wall_clock_seconds * percent / 100)

    def limit_in_words(self) -> str:
        """The wall-clock limit, for people whose task passed it."""
        seconds = self.task.limits.wall_clock_seconds
        return f"the wall-clock limit passed (limits.wall_clock_seconds={seconds:g})"

    def leave(self, route: Route, error: StepFailed) -> None:
        """Tries this route last from now on, and says so."""
        self.left.add(route)
        self.failovers.append(f"{route}: {error.type}: {error.message[:200]}")
        self.milestones.tell(
            Progressed,
            type="ERROR_RECOVERY",
            message=f"{route} does not answer ({error.type}); going on with another model",
        )

    def charge(self, route: Route, usage: Usage) -> None:
        """Notes what one call on a route took; the ledger has it already."""
        use = self.routes.setdefault(route, RouteUse())
        use.calls += 1
        use.usage += usage
        self.last_route = route
        self.warn_of_budget()
        self.show()

    def records(self) -> list[AgentRecord]:
        """The rows of all agents that have ended, in the order in which they were started."""
        number = {report.agent: int(report.agent.rpartition("/")[2]) for report in self.reports}
        return [report.record() for report in sorted(self.reports, key=lambda report: number[report.agent])]

    def warn_of_budget(self) -> None:
        """Says once that most of a limit is used."""
        if self.whole is not None:
            return
        for facts in self.ledger.crossed():
            kind = facts.budget_type
            if kind not in self._warned:
                self._warned.add(kind)
                words = f"{facts.usage_percent} % of the {kind} budget is used"
                self.milestones.tell(BudgetThreshold, message=words, payload=facts)

    def task_facts(self) -> dict[str, JsonValue]:
        """What prompts are rendered from: the caller's prompt, its parameters, and what all roles are shown."""
        return facts_of(self.task, self.skill.body if self.skill is not None else "") | self.memory_facts()

    def shared_facts(self) -> dict[str, JsonValue]:
        """What each role that plans or answers is shown: the task's surroundings, and what is known of the user."""
        return surroundings(self.task) | self.memory_facts()

    def memory_facts(self) -> dict[str, JsonValue]:
        """What is known of the user from earlier tasks, as prompts show it; empty without any."""
        recalled = self.facts.recalled
        return {"memory": shown(recalled.facts)} if recalled is not None and recalled.facts else {}

    @property
    def shared(self) -> Shared:
        """What tools may know of the task's context."""
        if self._shared is None:
            self._shared = shared(self.task.context, self.task.attachments)
        return self._shared

    def wishes(self) -> dict[str, JsonValue]:
        """The same for roles whose own instructions must stand: the caller's prompt is a wish among the facts."""
        facts = self.task_facts()
        if prompt := facts.pop("system_prompt", None):
            facts["wishes"] = filled(str(prompt), self.task.context.prompt_params)
        return facts

    def has(self, change: Change) -> bool:
        """Whether a change of what workflows do was known when the task began."""
        return self.facts.changes >= change or (change in PATCHES and steps.has_patch(PATCHES[change]))

    def ref(self) -> TaskRef:
        """Which task and agent a call belongs to."""
        return TaskRef(task_id=self.task.task_id, session=self.task.session, agent=self.agent)

    def next_step(self) -> int:
        """The number of the next call, the same in every replay."""
        self.counted.steps += 1
        return self.counted.steps
