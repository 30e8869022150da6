"""Tool calls of an agent: what it may use, what a person approves first, and messages within a team."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from theseus.contracts.control import SIGNAL_AGENT_SAYS, AgentMessage
from theseus.contracts.errors import Denied, StepFailed
from theseus.contracts.messages import ToolCall, ToolMessage
from theseus.contracts.research import Card, ResearchCall
from theseus.contracts.tools import BROWSER, SEND_MESSAGE, Effect, SendMessage, ToolRequest, ToolResult
from theseus.domain.telling import meant_arguments, observed, shown_arguments
from theseus.workflows import steps
from theseus.workflows.approvals import NOBODY, wanted
from theseus.workflows.children import signal_parent
from theseus.workflows.run import Run
from theseus.workflows.together import together


@dataclass(frozen=True)
class Used:
    """What came of a call: what its model is told, how much of the tool's words that leaves out, and evidence."""

    message: ToolMessage
    left_out_bytes: int = 0
    cards: Sequence[Card] = ()


async def use_tools(run: Run, calls: Sequence[ToolCall], allowed: Sequence[str]) -> list[ToolMessage]:
    """The calls of one reply, side by side; those on the agent's browser one after another, until one fails.

    Raises:
        Denied: a person had to approve one and did not.
    """
    places = range(len(calls))
    cards: dict[int, Sequence[Card]] = {}
    lanes = [[place] for place in places if not calls[place].name.startswith(BROWSER)]
    if in_turn := [place for place in places if calls[place].name.startswith(BROWSER)]:
        lanes.append(in_turn)
    try:
        said = await together(_lane(run, [(place, calls[place]) for place in lane], allowed, cards) for lane in lanes)
    finally:
        # in the order of the calls: which of them came back first is not to be seen in a report
        for place in sorted(cards):
            run.note(cards[place])
    answers = {
        place: each for lane, those in zip(lanes, said, strict=True) for place, each in zip(lane, those, strict=True)
    }
    return [answers[place] for place in places]


async def _lane(
    run: Run, calls: Sequence[tuple[int, ToolCall]], allowed: Sequence[str], cards: dict[int, Sequence[Card]]
) -> list[ToolMessage]:
    said: list[ToolMessage] = []
    for place, call in calls:
        if said and said[-1].is_error:
            said.append(_tool_error(call, "Not run: the call before it on the browser failed."))
        else:
            used = await _used(run, call, allowed, run.research)
            cards[place] = used.cards
            said.append(used.message)
    return said


async def use_tool(
    run: Run, call: ToolCall, allowed: Sequence[str], research: ResearchCall | None = None
) -> ToolMessage:
    """One tool call; whatever goes wrong with it is a value for the model. `research` says for which sub-question it is.

    Raises:
        Denied: a person had to approve it and did not.
    """
    used = await _used(run, call, allowed, research or run.research)
    run.note(used.cards)
    return used.message


async def use_tool_alone(run: Run, call: ToolCall) -> Used:
    """One tool call that no model made; what goes wrong with it is told in words, as for a model.

    Raises:
        Denied: a person had to approve it and did not.
    """
    return await _used(run, call, [call.name], None)


async def _used(run: Run, call: ToolCall, allowed: Sequence[str], research: ResearchCall | None) -> Used:
    await run.control.checkpoint("tool.run")
    step = run.next_step()
    facts = next((t for t in run.facts.tools if t.name == call.name and t.name in allowed), None)
    if facts is None:
        words = f"There is no tool {call.name!r} for you. Tools: {', '.join(allowed) or 'none'}"
        refused = ToolResult(call_id=call.id, name=call.name, text=words, is_error=True)
        run.milestones.pass_on(observed(_request(run, call, step), refused, words, steps.now()))
        return Used(_tool_error(call, words))
    if call.name == SEND_MESSAGE:
        return Used(await _send_message(run, call, step))
    if facts.effect is not Effect.READ and run.is_read_only:
        return Used(_tool_error(call, "It was not approved that this task writes. Only tools that read can be used."))
    if facts.effect is not Effect.READ and call.name in run.facts.approvals.tools:
        approved = await _approved(run, call, step)
        if approved is None:
            return Used(_tool_error(call, "Nobody approved it in time. Only tools that read can be used from now on."))
        call = approved
    request = _request(run, call, step, research)
    try:
        near = run.browser_queue if call.name.startswith(BROWSER) else ""
        result = await steps.run_tool(request, facts, summary=_tool_summary(call), queue=near)
    except StepFailed as error:
        return Used(_tool_error(call, f"The call did not finish: {error.message}. Its effect is not known."))
    run.browser_queue = result.queue or run.browser_queue
    if result.untold:
        run.milestones.pass_on(observed(request, result, result.text, steps.now()))
    message = ToolMessage(call_id=call.id, name=call.name, text=result.text, is_error=result.is_error)
    return Used(message, max(result.size_bytes - len(result.text.encode()), 0), result.cards)


def _request(run: Run, call: ToolCall, step: int, research: ResearchCall | None = None) -> ToolRequest:
    return ToolRequest(
        ref=run.ref(),
        step=step,
        call=call,
        idempotency_key=f"{run.place}:{step}:{call.id}",
        research=research,
        context=run.shared.values,
        is_context_in_input=run.shared.is_in_input,
    )


async def _approved(run: Run, call: ToolCall, step: int) -> ToolCall | None:
    """The call as it may be made; None when silence means that the agent may only read from now on."""
    rules = run.facts.approvals
    asked = wanted(
        f"{run.place}/{step}",
        rules,
        kind="tool",
        agent_id=run.agent,
        reason=f"the tool {call.name} writes",
        action={"tool": call.name, "arguments": shown_arguments(call)},
    )
    decision = await run.approvals.ask(asked, rules)
    if decision.approved_by == NOBODY and rules.policy == "approve_reads":
        run.is_read_only = True
        return None
    if not decision.approved:
        raise Denied(f"{call.name} was not approved: {decision.feedback or 'no reason was given'}")
    changed = decision.modified_action
    if not isinstance(changed, dict):
        return call
    return call.model_copy(update={"arguments": meant_arguments(call, changed)})


async def _send_message(run: Run, call: ToolCall, step: int) -> ToolMessage:
    try:
        said = SendMessage.model_validate_json(call.arguments or "{}")
    except ValidationError:
        return _tool_error(call, 'Call it with {"to": "<name of an agent, or lead>", "text": "..."}.')
    message = AgentMessage(message_id=f"{run.place}/{step}", sender=run.agent, to=said.to, text=said.text)
    if not await signal_parent(SIGNAL_AGENT_SAYS, message):
        return _tool_error(call, "The message could not be sent: the team is over.")
    return ToolMessage(call_id=call.id, name=call.name, text="sent; an answer, if any, comes as a message")


def _tool_error(call: ToolCall, text: str) -> ToolMessage:
    return ToolMessage(call_id=call.id, name=call.name, text=text, is_error=True)


def _tool_summary(call: ToolCall) -> str:
    arguments = " ".join(shown_arguments(call).split())
    return f"{call.name} {arguments}"[:120]
