"""A supervised team at work: who is in it, what is under way, the post between agents, and news for the lead."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow

from theseus.contracts.carried import TeamState
from theseus.contracts.control import SIGNAL_TOLD, AgentMessage, MessageToTask
from theseus.contracts.errors import Denied, DomainError
from theseus.contracts.events import AnyFacts, Progressed
from theseus.contracts.messages import Message
from theseus.contracts.plan import Plan, Subtask, SubtaskState
from theseus.contracts.supervision import (
    LEAD,
    AnyAction,
    AskHuman,
    Assign,
    Decision,
    Finding,
    Finish,
    Member,
    Recruit,
    Retire,
    Tell,
    Wait,
)
from theseus.domain.supervision import MOST_MESSAGES, cannot_assign, cannot_recruit, has_failed, roster, told, welcome
from theseus.workflows.run import Run
from theseus.workflows.team import Errand, delegate
from theseus.workflows.together import stopped

SHARES_TO_COME = 3
"""Besides those of one decision, so many more assignments are reckoned with: nobody knows how many will follow."""


class Supervised:
    """The team of one task."""

    def __init__(self, run: Run, state: TeamState) -> None:
        self.members = {member.name: member.model_copy() for member in state.members}
        self.findings = list(state.findings)
        self.messages = state.messages
        self._run = run
        self._running: dict[str, asyncio.Task[None]] = {}
        self._to_assign = 0
        self._delivering = False
        self._news: list[str] = []
        self._refused: Denied | None = None
        self._question = state.question
        self._run.question = _wanted(state.question)
        self._post = asyncio.create_task(self._carry_post())

    @property
    def is_busy(self) -> bool:
        """Whether an agent is at work, or its words are under way."""
        return bool(self._running) or self._run.crew.has_mail or self._delivering

    @property
    def is_hopeless(self) -> bool:
        """Whether so many assignments failed that the team is given up."""
        return has_failed(self.findings, len(self._running))

    def state(self, talk: Sequence[Message], rounds: int, idle_rounds: int) -> TeamState:
        """What the next run needs, when nobody is at work."""
        return TeamState(
            members=tuple(self.members.values()),
            findings=tuple(self.findings),
            talk=tuple(talk),
            rounds=rounds,
            messages=self.messages,
            idle_rounds=idle_rounds,
            question=self._question,
        )

    def tasks(self) -> list[asyncio.Task[None]]:
        """All that is under way."""
        return [self._post, *self._running.values()]

    async def close(self) -> None:
        """Stops all that is under way."""
        await stopped(self.tasks())
        self._running.clear()

    def news(self) -> str:
        """What the lead is told now: what happened since it was told last, and how the team stands."""
        self._hear_people()
        news, self._news = self._news, []
        return "\n\n".join([*news, roster(self.members)])

    async def carry_out(self, decision: Decision) -> Finish | None:
        """Does what the lead decided, in order; gives its `finish`, if it is there.

        Raises:
            Denied: a person refused what an agent wanted to do, while the lead decided.
        """
        self.check()
        kinds = [action.kind for action in decision.actions]
        facts = AnyFacts.model_validate({"actions": kinds})
        self._run.milestones.tell(
            Progressed, type="LEAD_DECISION", agent_id=LEAD, message=decision.thought[:500], payload=facts
        )
        self._to_assign = kinds.count("assign")
        for action in decision.actions:
            if isinstance(action, Finish):
                return action
            await self._do(action)
        self._show()
        return None

    async def until_something_happens(self, patience: timedelta) -> bool:
        """Waits for an agent's end, a message, or a person; False when nothing can happen any more.

        Raises:
            Denied: a person refused what an agent wanted to do.
        """
        if not self._has_news() and not self._running and not self._question:
            return False
        self._run.is_on_hold = bool(self._question) and not self._running
        try:
            await workflow.wait_condition(
                self._has_news,
                timeout=patience if self._run.is_on_hold else None,
                timeout_summary="answer of a person",
            )
        except TimeoutError:
            self._news.append("Nobody answered your question in time. Go on without the answer.")
            self._ask_for("")
        finally:
            self._run.is_on_hold = False
        self.check()
        return True

    async def until_all_are_done(self) -> None:
        """Waits for the agents at work, whose lead can say nothing any more.

        Raises:
            Denied: a person refused what one of them wanted to do.
        """
        await workflow.wait_condition(lambda: not self._running or self._is_broken())
        self.check()

    def check(self) -> None:
        """Stops a team in which a person refused something, or whose machinery failed.

        Raises:
            Denied: what a person said.
        """
        if self._refused is not None:
            raise self._refused
        for task in self.tasks():
            if task.done() and not task.cancelled():
                task.result()

    def _has_news(self) -> bool:
        return bool(self._news) or self._run.control.has_messages or self._is_broken()

    def _is_broken(self) -> bool:
        return self._refused is not None or any(task.done() for task in self.tasks())

    async def _do(self, action: AnyAction) -> None:
        match action:
            case Recruit():
                self._recruit(action)
            case Assign():
                self._assign(action)
            case Tell():
                await self._tell(AgentMessage(message_id="", sender=LEAD, to=action.to, text=action.text))
            case Retire():
                await self._retire(action)
            case AskHuman():
                self._ask(action)
            case Wait() | Finish():
                pass

    def _recruit(self, action: Recruit) -> None:
        if problem := cannot_recruit(self.members, action.name, action.role, sorted(self._run.roles_to_recruit())):
            self._news.append(f"Nobody was recruited: {problem}.")
            return
        self.members[action.name] = Member(name=action.name, role=action.role)
        facts = AnyFacts.model_validate({"name": action.name, "role": action.role})
        self._run.milestones.tell(Progressed, type="TEAM_RECRUITED", message=action.name, payload=facts)

    def _assign(self, action: Assign) -> None:
        if problem := cannot_assign(self.members, action.agent):
            self._news.append(f"Nothing was assigned: {problem}.")
            return
        member = self.members[action.agent]
        member.state = "working"
        parts = max(self._to_assign, 1) + SHARES_TO_COME
        self._to_assign -= 1
        self._running[member.name] = asyncio.create_task(self._work(member, action.task, parts))

    async def _work(self, member: Member, task: str, parts: int) -> None:
        subtask = Subtask(
            id=f"{member.name}-{len(self.findings) + len(self._running)}", description=task, role=member.role
        )
        subtask.state = SubtaskState.RUNNING
        finding = Finding(agent_id="", name=member.name, task=task)
        try:
            share = self._run.ledger.share(parts)
            text = welcome(member.name, self.members, task)
            errand = Errand(subtask, text, share, name=member.name, in_team=True)
            report = await delegate(self._run, errand, on_start=lambda agent: _at(member, agent))
            finding.agent_id, finding.text = report.agent, report.text
            if report.error is not None:
                self._run.failures.append(report.error.type)
                finding.error = report.error.message
        except Denied as error:
            self._refused = error
            finding.error = error.message
        except DomainError as error:
            self._run.failures.append(error.type)
            finding.error = error.message
        # what it wrote before its end is told before its end
        await workflow.wait_condition(lambda: not self._run.crew.has_mail and not self._delivering)
        member.state, member.agent_id = ("failed" if finding.error else "idle"), ""
        self._running.pop(member.name, None)
        self.findings.append(finding)
        self._news.append(told(finding))
        self._show()

    async def _retire(self, action: Retire) -> None:
        member = self.members.get(action.agent)
        if member is None or member.state == "retired":
            self._news.append(f"Nobody was retired: there is no agent {action.agent!r} in the team.")
            return
        running = self._running.pop(action.agent, None)
        if running is not None:
            await stopped([running])
        member.state, member.agent_id = "retired", ""
        self._run.milestones.tell(Progressed, type="TEAM_RETIRED", message=action.agent)

    def _ask(self, action: AskHuman) -> None:
        self._ask_for(action.question)
        facts = AnyFacts.model_validate({"question": action.question})
        self._run.milestones.tell(Progressed, type="WAITING", agent_id=LEAD, message=action.question, payload=facts)

    def _hear_people(self) -> None:
        for said in self._run.control.take_messages():
            who = said.sent_by or "the user"
            self._news.append(f"{who} says: {said.text}")
            if self._question:
                self._ask_for("")
                self._run.milestones.tell(Progressed, type="HITL_RESPONSE", agent_id=LEAD, message=said.text[:500])

    def _ask_for(self, question: str) -> None:
        self._question, self._run.question = question, _wanted(question)

    async def _carry_post(self) -> None:
        while True:
            await workflow.wait_condition(lambda: self._run.crew.has_mail)
            self._delivering = True
            for message in self._run.crew.take_mail():
                await self._tell(message)
            self._delivering = False
            await self._run.milestones.flush()

    async def _tell(self, message: AgentMessage) -> None:
        sender = next((m.name for m in self.members.values() if m.agent_id == message.sender), message.sender)
        problem = await self._sent(message, sender)
        if not problem:
            return
        if sender == LEAD:
            self._news.append(f"Your message was not delivered: {problem}.")
            return
        words = MessageToTask(message_id=f"undelivered-{message.message_id}", text=f"Not delivered: {problem}.")
        await self._run.crew.tell(message.sender, SIGNAL_TOLD, words)

    async def _sent(self, message: AgentMessage, sender: str) -> str:
        """Why the message could not be delivered; empty when it was."""
        if self.messages >= MOST_MESSAGES:
            return f"the team has written {MOST_MESSAGES} messages, which is the most"
        self.messages += 1
        facts = AnyFacts.model_validate({"from": sender, "to": message.to})
        self._run.milestones.tell(
            Progressed, type="MESSAGE_SENT", agent_id=sender, message=message.text[:500], payload=facts
        )
        if message.to == LEAD:
            self._news.append(f"{sender} writes to you: {message.text}")
            return ""
        return await self._delivered(message, sender)

    async def _delivered(self, message: AgentMessage, sender: str) -> str:
        member = self.members.get(message.to)
        if member is None:
            return f"there is no agent {message.to!r}; agents: {', '.join(self.members)}"
        words = MessageToTask(
            message_id=message.message_id or f"lead-{self.messages}",
            text=f"Message from {sender}: {message.text}",
            sent_by=sender,
        )
        if not member.agent_id or not await self._run.crew.tell(member.agent_id, SIGNAL_TOLD, words):
            return f"{message.to} is not at work"
        facts = AnyFacts.model_validate({"from": sender, "to": member.name})
        self._run.milestones.tell(Progressed, type="MESSAGE_RECEIVED", agent_id=member.name, payload=facts)
        return ""

    def _show(self) -> None:
        self._run.agents = [f"{m.name} ({m.role}): {m.state}" for m in self.members.values()]
        self._run.show()


def _wanted(question: str) -> str:
    return f"an answer of a person: {question}" if question else ""


def _at(member: Member, agent: str) -> None:
    member.agent_id = agent


def as_plan(findings: Sequence[Finding], members: dict[str, Member]) -> Plan:
    """The assignments as a plan, for a result's metadata."""
    return Plan(
        subtasks=[
            Subtask(
                id=f"{finding.name}-{number}"[:64],
                description=finding.task,
                role=members[finding.name].role if finding.name in members else "generalist",
                state=SubtaskState.FAILED if finding.error else SubtaskState.DONE,
                agent_id=finding.agent_id or None,
                note=finding.error[:200],
            )
            for number, finding in enumerate(findings, start=1)
        ]
    )
