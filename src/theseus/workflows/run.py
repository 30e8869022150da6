"""What a mode may see and do: its task, its budget, model calls, tool calls, milestones and checkpoints."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.control import Progress
from theseus.contracts.errors import FAILOVER, AnswerInvalid, ErrorType, NoModel, StepFailed, TimedOut
from theseus.contracts.events import BudgetFacts, BudgetThreshold, Progressed
from theseus.contracts.facts import Facts, ModelCard
from theseus.contracts.messages import (
    Head,
    LLMReply,
    LLMRequest,
    Route,
    TaskRef,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from theseus.contracts.session import Window
from theseus.contracts.task import Mode, Usage
from theseus.contracts.tools import ToolRequest
from theseus.domain.budget import THRESHOLD_PERCENT, Ledger
from theseus.domain.conversation import Conversation
from theseus.roles.role import ALL_TOOLS, Role
from theseus.workflows import steps
from theseus.workflows.control import Control
from theseus.workflows.milestones import Milestones

T = TypeVar("T", bound=BaseModel)

ROUTE_PATIENCE = timedelta(seconds=60)
"""How long one route may fail before the next is tried, where there is a next."""
LAST_MARGIN = timedelta(seconds=3)
"""A last route gives up so long before the wall-clock limit, so that the task fails with the route's own error."""


@dataclass
class Answer:
    """What a mode ends with."""

    text: str
    stop_reason: str = "answer"
    budget_exhausted: bool = False
    metadata: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass
class RouteUse:
    """Calls and usage of one route."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass
class Run:
    """One task under way. Created by the lifecycle, handed to a mode, its patterns and nothing else."""

    task: AcceptedTask
    facts: Facts
    control: Control
    milestones: Milestones
    deadline: datetime
    ledger: Ledger
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
    waiting_for: str = ""
    _steps: int = 0
    _left: set[Route] = field(default_factory=set[Route])
    _warned: set[str] = field(default_factory=set[str])

    def enter(self, phase: str) -> None:
        """Names the phase that begins, for people."""
        self.phase = phase
        self.show()

    def note_degraded(self, reason: str) -> None:
        """Records a fallback; the task's status will be `degraded`."""
        self.degraded.append(reason)
        self.milestones.tell(Progressed, type="WARNING", message=reason)

    def cards(self, role: Role[T]) -> tuple[ModelCard, ...]:
        """The models that may answer for a role, best first; routes that failed before come last.

        Raises:
            NoModel: none can.
        """
        tier = self.task.model_tier or role.tier
        cards = self.facts.models.get(tier, ())
        if not cards:
            raise NoModel(self.facts.refusal or f"no model of tier {tier} is configured")
        return tuple(sorted(cards, key=lambda card: card.route in self._left))

    def tools_of(self, role: Role[T]) -> tuple[str, ...]:
        """Names of the role's tools that this worker has."""
        if not self.needs_tools:
            return ()
        return tuple(t.name for t in self.facts.tools if ALL_TOOLS in role.tools or t.name in role.tools)

    def talk(self, role: Role[T], *, window: bool = True, facts: Mapping[str, JsonValue] | None = None) -> Conversation:
        """Opens a conversation of a role: in the task's session window, with the given facts or the task's own."""
        own: dict[str, JsonValue] = {"current_date": steps.now().date().isoformat()}
        head = Head(
            role=role.name,
            facts=own | dict(facts if facts is not None else self._task_facts()),
            window=self.window if window else None,
        )
        return Conversation(head, window_tokens=self.window_tokens if window else 0)

    async def complete(
        self,
        talk: Conversation,
        role: Role[T],
        *,
        tools: Sequence[str] = (),
        closing: bool = False,
        stream: bool = True,
    ) -> LLMReply:
        """One model call: the conversation's new messages out, the answer in, both kept in `talk`.

        A closing call may not use tools and may spend what the budget keeps back. Routes are tried in order.

        Raises:
            BudgetExhausted: the call does not fit.
            StepFailed: no route could answer.
        """
        await self.control.checkpoint("llm.complete")
        await self.milestones.flush()
        cards = self.cards(role)
        step = self._next_step()
        for place, card in enumerate(cards, start=1):
            try:
                return await self._call(
                    talk, role, card, step, tools, closing=closing, stream=stream, last=place == len(cards)
                )
            except StepFailed as error:
                if place == len(cards) and error.type is ErrorType.TIMED_OUT:
                    raise TimedOut(f"{error.message}: {self.limit_in_words()}") from error
                if place == len(cards) or error.type not in FAILOVER:
                    raise
                self._leave(card.route, error)
        raise NoModel(f"no model of role {role.name} is configured")

    async def ask(
        self, role: Role[T], text: str, *, window: bool = False, facts: Mapping[str, JsonValue] | None = None
    ) -> T:
        """Asks a role for its typed answer; a wrong one is sent back once.

        Raises:
            AnswerInvalid: the second answer does not fit either.
        """
        if role.answer is None:
            raise TypeError(f"role {role.name} has no answer type")
        talk = self.talk(role, window=window, facts=facts or {})
        talk.say(UserMessage(text=text))
        problem = ""
        for _ in range(2):
            reply = await self.complete(talk, role, closing=True, stream=False)
            problem = reply.invalid or ""
            if not problem:
                try:
                    return role.answer.model_validate(reply.answer)
                except ValidationError as error:
                    problem = str(error)
            talk.say(
                UserMessage(text=f"That answer cannot be used: {problem}\nAnswer again, with the asked JSON only.")
            )
        raise AnswerInvalid(f"{role.name}: the model's answer does not fit, even after one repair: {problem[:500]}")

    async def use_tool(self, call: ToolCall, head: str) -> ToolMessage:
        """One tool call; whatever goes wrong with it is a value for the model."""
        await self.control.checkpoint("tool.run")
        step = self._next_step()
        facts = next((t for t in self.facts.tools if t.name == call.name), None)
        if facts is None:
            known = ", ".join(t.name for t in self.facts.tools)
            return _tool_error(call, f"There is no tool {call.name!r}. Tools: {known}")
        request = ToolRequest(
            ref=self._ref(), step=step, call=call, head=head, idempotency_key=f"{self.task.task_id}:{step}:{call.id}"
        )
        try:
            result = await steps.run_tool(request, facts, summary=_tool_summary(call))
        except StepFailed as error:
            return _tool_error(call, f"The call did not finish: {error.message}. Its effect is not known.")
        return ToolMessage(call_id=call.id, name=call.name, text=result.text, is_error=result.is_error)

    def hear(self, talk: Conversation) -> bool:
        """Puts what people said meanwhile into the conversation; whether there was anything."""
        said = self.control.take_messages()
        talk.say(*(UserMessage(text=message.text) for message in said))
        return bool(said)

    def progress(self) -> Progress:
        """Where the task stands."""
        return Progress(
            phase=self.phase,
            mode=self.mode,
            agents=self.agents,
            usage=self.ledger.spent,
            budget=self.task.limits,
            waiting_for=self.waiting_for,
        )

    def show(self) -> None:
        """Writes the live details that the Temporal UI shows."""
        spent, limits, state = self.ledger.spent, self.task.limits, self.control.state
        lines = [f"**{self.phase}**" + (f" · mode {self.mode}" if self.mode else "")]
        if state.is_paused:
            lines.append(f"**Paused**{_because(state.pause_reason, state.paused_by)}: held at `{state.checkpoint}`")
        if self.waiting_for:
            lines.append(f"Waiting for {self.waiting_for}")
        lines.append(
            f"- tokens {spent.total_tokens:,} of {limits.tokens:,}\n"
            f"- cost {spent.cost_microusd / 1e6:.6f} of {limits.cost_microusd / 1e6:.2f} USD"
        )
        lines += [f"- agent {agent}" for agent in self.agents]
        lines += [
            f"- {route}: {_counted(use.calls, 'call')}, {use.usage.total_tokens:,} tokens"
            for route, use in self.routes.items()
        ]
        lines += [f"- degraded: {reason}" for reason in self.degraded]
        steps.show("\n\n".join(lines[:-1]) + "\n" + lines[-1] if len(lines) > 1 else lines[0])

    async def _call(  # noqa: PLR0913 - one private place where all that a call depends on meets
        self,
        talk: Conversation,
        role: Role[T],
        card: ModelCard,
        step: int,
        tools: Sequence[str],
        *,
        closing: bool,
        stream: bool,
        last: bool,
    ) -> LLMReply:
        grant = self.ledger.grant(card, talk.input_tokens(len(tools)), role.max_output_tokens, closing=closing)
        self.ledger = self.ledger.reserve(grant)
        used = Usage()
        try:
            reply = await self._send(
                talk,
                LLMRequest(
                    ref=self._ref(),
                    step=step,
                    route=card.route,
                    tools=tuple(tools),
                    tool_choice="none" if closing else "auto",
                    max_output_tokens=grant.output_tokens,
                    stream=stream,
                ),
                patience=self._patience(last=last),
                summary=f"{card.route.model} · {role.name} · {self.phase}",
            )
            used = reply.usage
        finally:
            self.ledger = self.ledger.settle(grant, used)
        self._account(reply)
        if reply.partial:
            raise asyncio.CancelledError
        talk.took(reply.message, reply.prefix, reply.usage.total_tokens)
        return reply

    async def _send(self, talk: Conversation, request: LLMRequest, *, patience: timedelta, summary: str) -> LLMReply:
        # by hash; when the store lost the conversation, after giving it back; at last with everything in the request
        conversation = f"{request.ref.task_id}:{request.ref.agent}"
        if talk.is_large and not await steps.restore(talk.set_down(conversation)):
            talk.start_over()
        for attempt in range(3):
            whole = request.model_copy(
                update={
                    "head": talk.head if talk.tip is None else None,
                    "prefix": talk.tip,
                    "delta": talk.delta,
                }
            )
            try:
                return await steps.complete(whole, patience=patience, summary=summary)
            except StepFailed as error:
                if error.type is not ErrorType.TRANSCRIPT_MISSING or talk.tip is None:
                    raise
                if attempt > 0 or not await steps.restore(talk.parts(conversation)):
                    talk.start_over()
        raise StepFailed(ErrorType.TRANSCRIPT_MISSING, "the conversation could not be brought to the model")

    def limit_in_words(self) -> str:
        """The wall-clock limit, for people whose task passed it."""
        seconds = self.task.limits.wall_clock_seconds
        return f"the wall-clock limit passed (limits.wall_clock_seconds={seconds:g})"

    def _patience(self, *, last: bool) -> timedelta:
        margin = min(LAST_MARGIN, timedelta(seconds=self.task.limits.wall_clock_seconds / 10))
        left = max(self.deadline - steps.now() - margin, timedelta(seconds=1))
        return left if last else min(left, ROUTE_PATIENCE)

    def _leave(self, route: Route, error: StepFailed) -> None:
        self._left.add(route)
        self.failovers.append(f"{route}: {error.type}: {error.message[:200]}")
        self.milestones.tell(
            Progressed,
            type="ERROR_RECOVERY",
            message=f"{route} does not answer ({error.type}); going on with another model",
        )

    def _account(self, reply: LLMReply) -> None:
        use = self.routes.setdefault(reply.route, RouteUse())
        use.calls += 1
        use.usage += reply.usage
        self.last_route = reply.route
        if reply.window_lost:
            self.note_degraded("earlier turns of the session could not be read any more")
        tokens, cost = self.ledger.used_percent()
        for kind, percent, spent, limit in (
            ("tokens", tokens, self.ledger.spent.total_tokens, self.task.limits.tokens),
            ("cost", cost, self.ledger.spent.cost_microusd, self.task.limits.cost_microusd),
        ):
            if percent >= THRESHOLD_PERCENT and kind not in self._warned:
                self._warned.add(kind)
                facts = BudgetFacts(
                    usage_percent=percent,
                    threshold_percent=THRESHOLD_PERCENT,
                    budget_type="tokens" if kind == "tokens" else "cost",
                    used=spent,
                    budget=limit,
                )
                self.milestones.tell(
                    BudgetThreshold, message=f"{percent} % of the {kind} budget is used", payload=facts
                )
        self.show()

    def _task_facts(self) -> dict[str, JsonValue]:
        context = self.task.context
        facts: dict[str, JsonValue] = {}
        if context.system_prompt:
            facts["system_prompt"] = context.system_prompt
        if context.prompt_params:
            facts["prompt_params"] = context.prompt_params
        if context.model_extra:
            facts["context"] = dict(context.model_extra)
        return facts

    def _ref(self) -> TaskRef:
        return TaskRef(task_id=self.task.task_id, session=self.task.session)

    def _next_step(self) -> int:
        self._steps += 1
        return self._steps


def _tool_error(call: ToolCall, text: str) -> ToolMessage:
    return ToolMessage(call_id=call.id, name=call.name, text=text, is_error=True)


def _tool_summary(call: ToolCall) -> str:
    arguments = " ".join(call.arguments.split())
    return f"{call.name} {arguments}"[:120]


def _because(reason: str, who: str) -> str:
    parts = ([f"by {who}"] if who else []) + ([f"({reason})"] if reason else [])
    return " " + " ".join(parts) if parts else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
