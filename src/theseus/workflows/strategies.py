"""The strategies by name, and the work on one subtask by the strategy that its budget is enough for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from theseus.contracts.agent import NOTHING, Carried
from theseus.contracts.errors import BudgetExhausted, StepFailed
from theseus.contracts.messages import UserMessage
from theseus.contracts.plan import Strategy, Subtask
from theseus.contracts.research import ResearchBrief
from theseus.contracts.task import ModelTier
from theseus.contracts.tools import SEND_MESSAGE
from theseus.domain.conversation import Conversation
from theseus.domain.planning import affordable
from theseus.domain.research.stopping import ResearcherWatch
from theseus.roles.presets import WORKERS
from theseus.roles.role import Role
from theseus.workflows.answer import Outcome
from theseus.workflows.control import Hearing
from theseus.workflows.model_calls import complete
from theseus.workflows.patterns.chain_of_thought import chain_of_thought
from theseus.workflows.patterns.debate import debate
from theseus.workflows.patterns.react import react
from theseus.workflows.patterns.reflection import reflection
from theseus.workflows.patterns.tree_of_thoughts import tree_of_thoughts
from theseus.workflows.run import Run

Pattern = Callable[[Run, Conversation, Role[Any], Sequence[str]], Awaitable[Outcome]]

THINKING: dict[Strategy, Pattern] = {
    Strategy.CHAIN_OF_THOUGHT: chain_of_thought,
    Strategy.TREE_OF_THOUGHTS: tree_of_thoughts,
    Strategy.DEBATE: debate,
    Strategy.REFLECTION: reflection,
}
"""Strategies that use no tools; `react` is the one that does."""


_MEND = "People said something while you worked on the answer: it follows. Give the mended answer only."


@dataclass(frozen=True)
class Worked:
    """What came out, and by which strategy."""

    outcome: Outcome
    strategy: Strategy


async def work_on(run: Run, subtask: Subtask, text: str, *, window: bool, before: Carried | None = None) -> Worked:
    """Works on a subtask. `text` is what its agent is told; `window` shows it the session.

    Raises:
        DomainError: there is no result, for the reason it names.
        Overlong: the history is long; the agent goes on in a new one.
    """
    role = role_of(subtask)
    wanted = subtask.strategy
    strategy = affordable(wanted, run.ledger.free_tokens_on(run.cards(role)[0]))
    if strategy is not wanted:
        run.note_degraded(f"{subtask.id}: {wanted} became {strategy}: its share of the budget was too small")
    talk = run.talk(role, window=window)
    if before is not None:
        talk.say(*before.messages)
    else:
        talk.say(UserMessage(text=text))
    pattern = THINKING.get(strategy)
    if pattern is not None:
        outcome = await pattern(run, talk, role, ())
        return Worked(await _hear_out(run, talk, role, outcome), strategy)
    turns = run.task.max_iterations
    return Worked(await react(run, talk, role, tools_of(run, subtask), turns, before=before or NOTHING), strategy)


async def find_evidence(
    run: Run, subtask: Subtask, text: str, brief: ResearchBrief, before: Carried | None = None
) -> Worked:
    """Works on a sub-question of a research: what was noted as evidence is in `run.evidence`, the outcome is a digest.

    Raises:
        DomainError: there is no digest, for the reason it names; the evidence is kept all the same.
        Overlong: the history is long; the agent goes on in a new one.
    """
    role = role_of(subtask)
    talk = run.talk(role, window=False, facts=run.wishes())
    talk.say(*(before.messages if before is not None else (UserMessage(text=text),)))
    done = before or NOTHING
    run.watch = ResearcherWatch(brief.most_calls, calls=done.tool_calls, fruitless=done.fruitless)
    turns = brief.most_calls + 2
    if run.task.asks_for_iterations:
        turns = min(turns, run.task.max_iterations)
    outcome = await react(run, talk, role, run.tools_of(role), turns, before=done)
    return Worked(outcome, Strategy.REACT)


async def _hear_out(run: Run, talk: Conversation, role: Role[Any], outcome: Outcome) -> Outcome:
    """The answer, mended by what people said while it was thought out; what they say after that comes too late."""
    if run.control.has_messages:
        talk.say(UserMessage(text=f"{_MEND}\n\nThe answer so far:\n{outcome.text}"))
        run.hear(talk)
        run.control.hears = Hearing.NOBODY
        try:
            reply = await complete(run, talk, role, closing=True)
        except (BudgetExhausted, StepFailed) as error:
            run.note_degraded(f"what people said last was not heard ({error.message[:200]})")
            return outcome
        cut = reply.finish_reason == "length"
        text = reply.message.text.strip() or outcome.text
        outcome = replace(outcome, text=text, turns=outcome.turns + 1, cut_short=cut)
    run.control.hears = Hearing.NOBODY
    return outcome


def role_of(subtask: Subtask) -> Role[Any]:
    """The subtask's role, with the tier that the plan wants for it."""
    role = WORKERS[subtask.role]
    return role if subtask.tier is None else role.of_tier(ModelTier(subtask.tier))


def tools_of(run: Run, subtask: Subtask) -> tuple[str, ...]:
    """The tools that the plan gives the subtask, or those of its role; in a team, the one by which agents talk too."""
    role = WORKERS[subtask.role]
    own = run.tools_of(role) if subtask.tools is None else run.tools_named((*subtask.tools, *run.readers))
    if not run.in_team or SEND_MESSAGE in own:
        return own
    return (*own, *run.tools_named([SEND_MESSAGE]))
