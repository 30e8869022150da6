"""Chain of thought: the role reasons step by step, then answers from its reasoning."""

from collections.abc import Sequence
from typing import Any

from theseus.contracts.errors import AnswerInvalid
from theseus.contracts.messages import UserMessage
from theseus.domain.conversation import Conversation
from theseus.roles.role import Role
from theseus.workflows.answer import Outcome
from theseus.workflows.run import Run

_THINK = (
    "Think about it step by step before you answer: number the steps, say what follows from what, check each figure. "
    "Do not give the final answer yet."
)
_ANSWER = "Check the steps for mistakes, mend them, and now give only the final answer."


async def chain_of_thought(run: Run, talk: Conversation, role: Role[Any], tools: Sequence[str]) -> Outcome:
    """Two calls: the reasoning, then the answer.

    Raises:
        BudgetExhausted: the first call does not fit.
        StepFailed: no model could answer.
        AnswerInvalid: the model gave no text.
    """
    del tools
    run.enter("thinking step by step")
    talk.say(UserMessage(text=_THINK))
    thought = await run.complete(talk, role, closing=True)
    talk.say(UserMessage(text=_ANSWER))
    reply = await run.complete(talk, role, closing=True)
    text = reply.message.text.strip() or thought.message.text.strip()
    if not text:
        raise AnswerInvalid(f"{reply.route}: the model's answer is empty ({reply.finish_reason})")
    return Outcome(text, "answer", turns=2, cut_short=reply.finish_reason == "length")
