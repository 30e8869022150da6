"""Tree of thoughts: several ways are looked at side by side, the most promising ones are followed."""

from collections.abc import Sequence
from typing import Any

from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, StepFailed
from theseus.contracts.messages import UserMessage
from theseus.contracts.verdict import Thought, Thoughts
from theseus.domain.conversation import Conversation
from theseus.roles.role import Role
from theseus.roles.thinking import EXPLORER
from theseus.workflows.answer import Outcome
from theseus.workflows.run import Run
from theseus.workflows.together import together

DEPTH = 3
BEAM = 2
"""So many ways are followed at each depth."""

Way = tuple[Thought, ...]


async def tree_of_thoughts(run: Run, talk: Conversation, role: Role[Any], tools: Sequence[str]) -> Outcome:
    """At most `DEPTH` levels of `BEAM` ways, then the role answers from the best.

    Raises:
        BudgetExhausted: not even the answer fits.
        StepFailed: no model could answer.
        AnswerInvalid: the model gave no text.
    """
    del tools
    run.enter("looking for ways")
    problem = "\n\n".join(message.text for message in talk.messages if isinstance(message, UserMessage))
    ways: list[Way] = [()]
    calls = 0
    for _ in range(DEPTH):
        open_ways = [way for way in ways if not (way and way[-1].is_final)]
        if not open_ways:
            break
        found = await together(_next(run, problem, way) for way in open_ways)
        calls += len(open_ways)
        grown = [(*way, thought) for way, more in zip(open_ways, found, strict=True) for thought in more]
        if not grown:
            break
        closed = [way for way in ways if way and way[-1].is_final]
        ways = sorted(closed + grown, key=lambda way: way[-1].promise, reverse=True)[:BEAM]
    steps = "\n".join(f"{number}. {thought.text}" for number, thought in enumerate(ways[0], start=1))
    if steps:
        talk.say(UserMessage(text=f"The most promising way to go about it:\n{steps}\nCheck it, then answer fully."))
    reply = await run.complete(talk, role, closing=True)
    if not reply.message.text.strip():
        raise AnswerInvalid(f"{reply.route}: the model's answer is empty ({reply.finish_reason})")
    return Outcome(reply.message.text, "answer", turns=calls + 1, cut_short=reply.finish_reason == "length")


async def _next(run: Run, problem: str, way: Way) -> Sequence[Thought]:
    so_far = "\n".join(f"{number}. {thought.text}" for number, thought in enumerate(way, start=1)) or "nothing yet"
    try:
        made: Thoughts = await run.ask(EXPLORER, f"The problem:\n{problem}\n\nThe reasoning so far:\n{so_far}")
    except (AnswerInvalid, StepFailed, BudgetExhausted):
        # a way that cannot be followed is one way less
        return ()
    return made.thoughts
