"""ReAct: a model thinks, calls tools, reads what they gave, until it answers or has to."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel

from theseus.contracts.agent import MOST_CARRIED_BYTES, NOTHING, Carried
from theseus.contracts.changes import Change
from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, DomainError, ErrorType, StepFailed
from theseus.contracts.messages import LLMReply, ToolCall, ToolMessage, UserMessage
from theseus.contracts.tools import BROWSER
from theseus.domain.conversation import Conversation
from theseus.domain.evidence import evidence
from theseus.domain.loops import LoopDetector
from theseus.domain.research.stopping import ResearcherWatch
from theseus.roles.role import Role
from theseus.workflows.answer import Outcome, Overlong
from theseus.workflows.control import Hearing
from theseus.workflows.model_calls import complete
from theseus.workflows.run import Run
from theseus.workflows.tool_calls import use_tools

T = TypeVar("T", bound=BaseModel)

CALLS_OF_ONE_REPLY = 16
"""Tool calls of one reply that are run; the rest are sent back."""

_CLOSE = {
    "max_iterations": "No turns are left: no tool can be called any more. Answer now from what you have.",
    "loop": "You have made the same tool call three times. No tool can be called any more. Answer from what you have.",
    "budget": "The budget is nearly spent: no tool can be called any more. Answer now, briefly, from what you have.",
    "calls": "You have made all the tool calls that you may make. Answer now from what you have.",
    "fruitless": "Your last turns brought no evidence: no tool can be called any more. Answer now from what you have.",
}


async def react(
    run: Run,
    talk: Conversation,
    role: Role[T],
    tools: Sequence[str],
    max_turns: int,
    *,
    before: Carried = NOTHING,
) -> Outcome:
    """Works until there is an answer. `before` is what was done in an earlier history; its messages are in `talk`.

    The last turn, the third same tool call and the last of the budget each close the work: one more call, without
    tools, answers from what there is. Without tools the first call is the only one. A researcher's watch shows it
    after each turn what is left, and may close the work, too.

    Raises:
        BudgetExhausted: not even the first call fits.
        StepFailed: no model could answer.
        AnswerInvalid: the model gave no text.
        Denied: a person did not approve a tool call.
        Overlong: the history is long; the agent goes on in a new one.
    """
    loops, calls, turn = LoopDetector(before.calls), before.tool_calls, before.turns
    stop = ""
    while True:
        _go_on_elsewhere(run, talk, turn, calls, loops)
        turn += 1
        if turn == max_turns and tools and not stop:
            stop = "max_iterations"
            if turn > 1:
                talk.say(UserMessage(text=_CLOSE[stop]))
        run.hear(talk)
        is_last = bool(stop) or turn == max_turns
        run.control.hears = Hearing.NOBODY if is_last else Hearing.ONE
        try:
            reply = await complete(run, talk, role, tools=tools, closing=bool(stop) or not tools)
        except (BudgetExhausted, StepFailed) as error:
            if isinstance(error, BudgetExhausted) and tools and not stop:
                stop = _close(talk, "budget")
                continue
            return _what_there_is(run, talk, error, turn - 1, calls)
        wanted = reply.message.tool_calls if not stop else ()
        if not wanted:
            if run.control.has_messages and not is_last:
                continue
            return _outcome(talk, reply, stop, turn, calls)
        calls += len(wanted)
        known = len(run.evidence)
        observed = await _observe(run, wanted, tools)
        talk.say(*observed)
        if any([loops.is_loop(call, _saw(call, seen)) for call, seen in zip(wanted, observed, strict=True)]):
            stop = _close(talk, "loop")
        elif run.watch is not None:
            stop = _watched(run, talk, run.watch, len(wanted), len(run.evidence) - known)


def _go_on_elsewhere(run: Run, talk: Conversation, turn: int, calls: int, loops: LoopDetector) -> None:
    if run.agent and run.is_history_long and talk.size_bytes <= MOST_CARRIED_BYTES:
        raise Overlong(talk.messages, turn, calls, loops.seen, run.watch.fruitless if run.watch is not None else 0)


def _saw(call: ToolCall, seen: ToolMessage) -> str:
    # the same call on another page is another call
    return seen.text if call.name.startswith(BROWSER) else ""


def _watched(run: Run, talk: Conversation, watch: ResearcherWatch, calls: int, admitted: int) -> str:
    stop = watch.saw(calls, admitted)
    if stop:
        return _close(talk, stop)
    talk.say(UserMessage(text=watch.line(run.ledger.free_tokens, run.ledger.free_microusd)))
    return ""


async def _observe(run: Run, calls: Sequence[ToolCall], tools: Sequence[str]) -> list[ToolMessage]:
    run.enter(f"tools: {', '.join(dict.fromkeys(call.name for call in calls))}"[:80])
    most = _most_calls(run, len(calls))
    seen = await use_tools(run, calls[:most], tools)
    refused = f"Not run: one reply may hold at most {most} tool calls."
    rest = [ToolMessage(call_id=c.id, name=c.name, text=refused, is_error=True) for c in calls[most:]]
    run.enter("thinking")
    return [*seen, *rest]


def _most_calls(run: Run, wanted: int) -> int:
    """So many calls of one reply are run: a researcher makes no more than it has left."""
    left = run.watch.left if run.watch is not None else CALLS_OF_ONE_REPLY
    return left if left < min(wanted, CALLS_OF_ONE_REPLY) and run.has(Change.CAPPED_CALLS) else CALLS_OF_ONE_REPLY


def _close(talk: Conversation, reason: str) -> str:
    talk.say(UserMessage(text=_CLOSE[reason]))
    return reason


def _what_there_is(run: Run, talk: Conversation, error: DomainError, turns: int, calls: int) -> Outcome:
    """What was found, for an agent whose last call cannot be made: it costs too much, or is too long for any model."""
    found = evidence(talk.messages)
    if not found or error.type not in (ErrorType.BUDGET_EXHAUSTED, ErrorType.CONTEXT_TOO_LONG):
        raise error
    if error.type is ErrorType.CONTEXT_TOO_LONG:
        run.note_degraded(f"no model has room for all that was found ({error.message[:200]})")
        return Outcome(found, "answer", turns, calls, compiled=True)
    return Outcome(found, "budget", turns, calls, compiled=True)


def _outcome(talk: Conversation, reply: LLMReply, stop: str, turns: int, calls: int) -> Outcome:
    text = reply.message.text if reply.message.text.strip() else evidence(talk.messages)
    if not text:
        if reply.finish_reason == "content_filter":
            raise StepFailed(ErrorType.CONTENT_POLICY, f"{reply.route}: the provider's content filter took the answer")
        raise AnswerInvalid(f"{reply.route}: the model's answer is empty ({reply.finish_reason})")
    return Outcome(
        text,
        stop or "answer",
        turns,
        calls,
        cut_short=reply.finish_reason == "length",
        compiled=not reply.message.text.strip(),
    )
