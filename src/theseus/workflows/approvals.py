"""Approvals: what of a task waits for a person's yes, for how long, and what silence means.

A task keeps the approvals of its agents too: people know its id, not theirs.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import workflow

from theseus.contracts.control import (
    QUERY_PENDING_APPROVALS,
    SIGNAL_AGENT_ASKS,
    SIGNAL_APPROVAL_DECIDED,
    UPDATE_DECIDE_APPROVAL,
    ApprovalDecision,
    ApprovalRules,
    PendingApproval,
    UpdateReceipt,
)
from theseus.contracts.events import AnyFacts, Progressed
from theseus.workflows import children, steps
from theseus.workflows.control import refused, told_as, valid
from theseus.workflows.milestones import Milestones

REMINDERS = 3
"""So many times a waiting task says again that it waits."""
NOBODY = "nobody"
"""`approved_by` of a decision that the deadline made."""

Tell = Callable[[str, str, BaseModel], Awaitable[bool]]
Check = Callable[[PendingApproval, ApprovalDecision], str]


class Approvals:
    """Built in a workflow's constructor. `tell` signals an agent of the task; `check` says what is wrong with a decision."""

    def __init__(self, milestones: Milestones, tell: Tell | None = None) -> None:
        self.check: Check = _arguments_are_an_object
        self._milestones = milestones
        self._tell = tell
        self._pending: dict[str, PendingApproval] = {}
        self._decided: dict[str, ApprovalDecision] = {}
        self._is_open = True
        workflow.set_query_handler(QUERY_PENDING_APPROVALS, lambda: list(self._pending.values()))
        workflow.set_update_handler(UPDATE_DECIDE_APPROVAL, self._decide, validator=self._check)
        if tell is None:
            workflow.set_signal_handler(SIGNAL_APPROVAL_DECIDED, self._hear)
        else:
            workflow.set_signal_handler(SIGNAL_AGENT_ASKS, self._agent_asks)

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for a person."""
        return bool(self._pending)

    def forget(self, agent: str) -> None:
        """An agent is over: nobody needs to decide for it any more."""
        for approval_id in [key for key, each in self._pending.items() if each.agent_id == agent]:
            self._decided[approval_id] = ApprovalDecision(
                approval_id=approval_id, approved=False, feedback="its agent is over", approved_by=NOBODY
            )

    def close(self) -> None:
        """The task, or the agent, ends: what still waits is refused."""
        self._is_open = False
        self._pending.clear()

    async def ask(self, wanted: PendingApproval, rules: ApprovalRules) -> ApprovalDecision:
        """Waits until a person, or the deadline, has decided."""
        if self._tell is not None:
            return await self._await_person(wanted, rules.policy)
        self._pending[wanted.approval_id] = wanted
        asked = wanted.model_copy(update={"is_escalated": rules.policy == "escalate"})
        await children.signal_parent(SIGNAL_AGENT_ASKS, AgentAsks(wanted=asked, policy=rules.policy))
        await workflow.wait_condition(lambda: wanted.approval_id in self._decided)
        self._pending.pop(wanted.approval_id, None)
        return self._decided[wanted.approval_id]

    async def _await_person(self, wanted: PendingApproval, policy: str) -> ApprovalDecision:
        self._pending[wanted.approval_id] = wanted
        facts = wanted.model_dump(mode="json")
        self._milestones.tell(
            Progressed,
            type="APPROVAL_REQUESTED",
            agent_id=wanted.agent_id,
            message=wanted.reason,
            payload=AnyFacts.model_validate(facts),
        )
        await self._milestones.flush()
        patience = wanted.deadline - wanted.requested_at
        decision = await self._until(wanted, patience)
        if decision is None and policy == "escalate":
            self._pending[wanted.approval_id] = wanted.model_copy(update={"is_escalated": True})
            self._remind(wanted, "nobody has decided in time: escalated, and asked for the last time")
            await self._milestones.flush()
            decision = await self._until(wanted, patience)
        decision = decision or _by_deadline(wanted, policy)
        self._decided[wanted.approval_id] = decision
        self._pending.pop(wanted.approval_id, None)
        self._milestones.tell(
            Progressed,
            type="APPROVAL_DECISION",
            agent_id=wanted.agent_id,
            message="approved" if decision.approved else "denied",
            payload=AnyFacts.model_validate(decision.model_dump(mode="json")),
        )
        await self._milestones.flush()
        return decision

    async def _until(self, wanted: PendingApproval, patience: timedelta) -> ApprovalDecision | None:
        part = patience / REMINDERS
        for turn in range(1, REMINDERS + 1):
            try:
                await workflow.wait_condition(
                    lambda: wanted.approval_id in self._decided or not self._is_open,
                    timeout=part,
                    timeout_summary=f"waits for a yes: {wanted.reason}"[:120],
                )
            except TimeoutError:
                if turn < REMINDERS:
                    self._remind(wanted, f"still waits for approval: {wanted.reason}")
                    await self._milestones.flush()
                continue
            break
        return self._decided.get(wanted.approval_id)

    def _remind(self, wanted: PendingApproval, words: str) -> None:
        facts = AnyFacts.model_validate({"approval_id": wanted.approval_id, "deadline": wanted.deadline.isoformat()})
        self._milestones.tell(Progressed, type="WAITING", agent_id=wanted.agent_id, message=words, payload=facts)

    async def _agent_asks(self, payload: Any = None) -> None:
        asked = told_as(AgentAsks, payload)
        if asked is None:
            return
        decision = await self._await_person(asked.wanted, asked.policy)
        if self._tell is not None:
            await self._tell(asked.wanted.agent_id, SIGNAL_APPROVAL_DECIDED, decision)

    def _hear(self, payload: Any = None) -> None:
        decision = told_as(ApprovalDecision, payload)
        if decision is not None:
            self._decided[decision.approval_id] = decision

    def _check(self, payload: Any = None) -> None:
        decision = valid(ApprovalDecision, payload)
        made = self._decided.get(decision.approval_id)
        if made is not None and made.approved == decision.approved and made.approved_by != NOBODY:
            return
        if made is not None:
            how = "approved" if made.approved else "denied"
            when = "its deadline passed" if made.approved_by == NOBODY else f"by {made.approved_by or 'someone'}"
            raise refused("LateDecision", f"approval {decision.approval_id!r} was {how} already: {when}")
        pending = self._pending.get(decision.approval_id)
        if pending is None or not self._is_open:
            waiting = ", ".join(self._pending) or "none"
            raise refused(
                "UnknownApproval", f"no approval {decision.approval_id!r} is pending in this task; pending: {waiting}"
            )
        if problem := self.check(pending, decision):
            raise refused("InvalidUpdate", f"modified_action: {problem}")

    async def _decide(self, payload: Any = None) -> UpdateReceipt:
        decision = ApprovalDecision.model_validate(payload)
        if decision.approval_id in self._decided:
            return UpdateReceipt(accepted=True, detail="received before")
        self._decided[decision.approval_id] = decision
        return UpdateReceipt(accepted=True, detail="approved" if decision.approved else "denied")


def _arguments_are_an_object(pending: PendingApproval, decision: ApprovalDecision) -> str:
    changed = decision.modified_action
    if pending.kind == "tool" and changed is not None and not isinstance(changed, dict):
        return "the arguments of a tool are a JSON object"
    return ""


class AgentAsks(BaseModel):
    """Payload of the signal by which an agent asks its task for an approval."""

    wanted: PendingApproval
    policy: str


def wanted(approval_id: str, rules: ApprovalRules, **fields: Any) -> PendingApproval:
    """An approval that is asked for now."""
    now = steps.now()
    until = now + timedelta(seconds=rules.timeout_seconds)
    return PendingApproval(approval_id=approval_id, requested_at=now, deadline=until, **fields)


def _by_deadline(wanted: PendingApproval, policy: str) -> ApprovalDecision:
    reads = policy == "approve_reads" and wanted.kind == "task"
    words = "approved without tools that write" if reads else "denied"
    return ApprovalDecision(
        approval_id=wanted.approval_id,
        approved=reads,
        feedback=f"nobody decided until {wanted.deadline.isoformat(timespec='seconds')}: {words}",
        approved_by=NOBODY,
    )
