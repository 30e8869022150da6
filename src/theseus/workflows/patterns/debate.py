"""Debate: two sides argue a question, then the role weighs what was said and answers."""

from collections.abc import Sequence
from typing import Any

from theseus.contracts.errors import AnswerInvalid
from theseus.contracts.messages import UserMessage
from theseus.domain.conversation import Conversation
from theseus.roles.role import Role
from theseus.workflows.answer import Outcome
from theseus.workflows.run import Run
from theseus.workflows.together import together

ROUNDS = 2

_SIDES = {
    "A": "Argue for the answer that you think is right, with the strongest reasons and evidence.",
    "B": "Argue against the answer that most people would give: look for what speaks against it, and for a better one.",
}


async def debate(run: Run, talk: Conversation, role: Role[Any], tools: Sequence[str]) -> Outcome:
    """Two sides speak at the same time for `ROUNDS` rounds, each hearing the other's last words, then one call decides.

    Raises:
        BudgetExhausted: a call does not fit.
        StepFailed: no model could answer.
        AnswerInvalid: the model gave no text.
    """
    del tools
    run.enter("debating")
    problem = "\n\n".join(message.text for message in talk.messages if isinstance(message, UserMessage))
    sides = {name: run.talk(role) for name in _SIDES}
    for name, side in sides.items():
        side.say(UserMessage(text=f"{problem}\n\nThis is a debate. You are side {name}. {_SIDES[name]} Be brief."))
    said: dict[str, str] = {}
    turns = 0
    for _ in range(ROUNDS):
        replies = await together(run.complete(side, role, closing=True) for side in sides.values())
        turns += len(replies)
        said = {name: reply.message.text for name, reply in zip(sides, replies, strict=True)}
        for name, side in sides.items():
            other = next(words for each, words in said.items() if each != name)
            side.say(UserMessage(text=f"The other side says:\n{other}\nAnswer its strongest point, or concede it."))
    words = "\n\n".join(f"### Side {name}\n{text}" for name, text in said.items())
    talk.say(UserMessage(text=f"Two sides debated it. Their last words:\n{words}\n\nWeigh them and answer yourself."))
    reply = await run.complete(talk, role, closing=True)
    if not reply.message.text.strip():
        raise AnswerInvalid(f"{reply.route}: the model's answer is empty ({reply.finish_reason})")
    return Outcome(reply.message.text, "answer", turns=turns + 1, cut_short=reply.finish_reason == "length")
