"""Model calls: within the budget, over the routes that the catalogue has, typed where a role answers with a type."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from theseus.contracts.errors import FAILOVER, AnswerInvalid, BudgetExhausted, ErrorType, NoModel, StepFailed, TimedOut
from theseus.contracts.facts import ModelCard
from theseus.contracts.messages import LLMReply, LLMRequest, UserMessage
from theseus.contracts.task import Usage
from theseus.domain.conversation import Conversation
from theseus.domain.telling import output
from theseus.roles.role import Role
from theseus.workflows import steps
from theseus.workflows.run import Run
from theseus.workflows.together import is_stopping

T = TypeVar("T", bound=BaseModel)

ROUTE_PATIENCE = timedelta(seconds=60)
"""How long one route may go on failing before the next is tried, where there is a next. A call that works may take longer."""
LAST_MARGIN = timedelta(seconds=3)
"""A last route gives up so long before the wall-clock limit, so that the task fails with the route's own error."""


async def complete(
    run: Run,
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
        TimedOut: there is no time left for it.
    """
    await run.control.checkpoint("llm.complete")
    await run.milestones.flush()
    cards = run.cards(role)
    step = run.next_step()
    for place, card in enumerate(cards):
        is_last = place == len(cards) - 1
        if place:
            await run.control.checkpoint("llm.complete")
        try:
            made = LLMRequest(
                ref=run.ref(),
                step=step,
                route=card.route,
                tools=tuple(tools),
                tool_choice="none" if closing else "auto",
                max_output_tokens=role.max_output_tokens,
                stream=stream,
                routes_before=place,
                retry_seconds=None if is_last else ROUTE_PATIENCE.total_seconds(),
            )
            return await _call(run, talk, role, card, made)
        except StepFailed as error:
            run.unfit.add(card.route)
            if is_last and error.type is ErrorType.TIMED_OUT:
                raise TimedOut(f"{error.message}: {run.limit_in_words()}") from error
            if is_last or error.type not in FAILOVER:
                raise
            run.leave(card.route, error)
    raise NoModel(f"no model of role {role.name} is configured")


async def ask(
    run: Run,
    role: Role[T],
    text: str,
    *,
    window: bool = False,
    facts: Mapping[str, JsonValue] | None = None,
    check: Callable[[T], str] | None = None,
) -> T:
    """Asks a role for its typed answer; a wrong one is sent back once. `check` says in words what is wrong with it.

    Raises:
        AnswerInvalid: the second answer does not fit either.
    """
    talk = run.talk(role, window=window, facts=facts or {})
    talk.say(UserMessage(text=text))
    return await ask_on(run, talk, role, check=check)


async def ask_on(run: Run, talk: Conversation, role: Role[T], *, check: Callable[[T], str] | None = None) -> T:
    """The same in a conversation that is under way: its last message is the question."""
    if role.answer is None:
        raise TypeError(f"role {role.name} has no answer type")
    problem = ""
    for _ in range(2):
        reply = await complete(run, talk, role, closing=True, stream=False)
        problem = reply.invalid or ""
        if not problem:
            try:
                answer = role.answer.model_validate(reply.answer)
            except ValidationError as error:
                problem = str(error)
            else:
                problem = check(answer) if check is not None else ""
                if not problem:
                    return answer
        talk.say(UserMessage(text=f"That answer cannot be used: {problem}\nAnswer again, with the asked JSON only."))
    raise AnswerInvalid(f"{role.name}: the model's answer does not fit, even after one repair: {problem[:500]}")


async def _call(run: Run, talk: Conversation, role: Role[T], card: ModelCard, request: LLMRequest) -> LLMReply:
    closing = request.tool_choice == "none"
    ledger = run.ledger if run.reserve is None else run.ledger.keeping(run.reserve.budget)
    grant = ledger.grant(card, talk.input_tokens(len(request.tools)), role.max_output_tokens, closing=closing)
    run.ledger = run.ledger.reserve(grant)
    used = Usage()
    summary = f"{card.route.model} · {role.name} · {run.phase}"
    granted = request.model_copy(
        update={
            "max_output_tokens": grant.output_tokens,
            "spare_tokens": max(run.ledger.free_tokens, 0),
            "spare_microusd": max(run.ledger.free_microusd, 0),
        }
    )
    try:
        reply = await _send(run, talk, granted, summary=summary)
        used = reply.usage + (reply.wasted or Usage())
    except StepFailed as error:
        used = Usage.model_validate(error.wasted)
        if error.type is ErrorType.BUDGET_EXHAUSTED:
            raise BudgetExhausted(error.message) from error
        raise
    finally:
        run.ledger = run.ledger.settle(grant, used)
        if used.total_tokens:
            run.charge(card.route, used)
    if reply.window_lost:
        run.note_degraded("earlier turns of the session could not be read any more")
    if reply.unseen:
        run.note_unseen(reply.route, reply.unseen)
    if reply.untold:
        run.milestones.pass_on(output(run.ref(), request.step, reply, steps.now()))
    if reply.partial or is_stopping():
        raise asyncio.CancelledError
    talk.took(reply.message, reply.prefix, reply.usage.total_tokens)
    return reply


async def _send(run: Run, talk: Conversation, request: LLMRequest, *, summary: str) -> LLMReply:
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
            return await steps.complete(whole, patience=_patience(run), summary=summary)
        except StepFailed as error:
            if error.type is not ErrorType.TRANSCRIPT_MISSING or talk.tip is None:
                raise
            if attempt > 0 or not await steps.restore(talk.parts(conversation)):
                talk.start_over()
    raise StepFailed(ErrorType.TRANSCRIPT_MISSING, "the conversation could not be brought to the model")


def _patience(run: Run) -> timedelta:
    margin = min(LAST_MARGIN, timedelta(seconds=run.task.limits.wall_clock_seconds / 10))
    left = run.deadline - steps.now() - max(margin, run.time_reserved)
    if run.reserve is not None and left <= timedelta():
        raise TimedOut(f"no time is left for it: {run.limit_in_words()}")
    return max(left, timedelta(seconds=1))
