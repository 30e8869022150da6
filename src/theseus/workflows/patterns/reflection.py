"""Reflection: a draft is reviewed and mended until it is good enough, or twice."""

from collections.abc import Sequence
from typing import Any

from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, StepFailed
from theseus.contracts.messages import UserMessage
from theseus.domain.conversation import Conversation
from theseus.roles.role import Role
from theseus.roles.thinking import REVIEWER
from theseus.workflows.answer import Outcome
from theseus.workflows.run import Run

MOST_ROUNDS = 2
GOOD_ENOUGH = 0.85


async def reflection(run: Run, talk: Conversation, role: Role[Any], tools: Sequence[str]) -> Outcome:
    """A draft, then at most `MOST_ROUNDS` of review and mending. A review that fails leaves the draft as it is.

    Raises:
        BudgetExhausted: the draft does not fit.
        StepFailed: no model could answer.
        AnswerInvalid: the model gave no text.
    """
    del tools
    run.enter("drafting")
    problem = "\n\n".join(message.text for message in talk.messages if isinstance(message, UserMessage))
    reply = await run.complete(talk, role, closing=True)
    draft, turns = reply.message.text, 1
    if not draft.strip():
        raise AnswerInvalid(f"{reply.route}: the model's answer is empty ({reply.finish_reason})")
    for _ in range(MOST_ROUNDS):
        run.enter("reviewing")
        try:
            critique = await run.ask(REVIEWER, f"The task:\n{problem}\n\nThe draft:\n{draft}")
            turns += 1
            if critique.score >= GOOD_ENOUGH or not critique.feedback.strip():
                break
            talk.say(UserMessage(text=f"A reviewer says:\n{critique.feedback}\nGive the mended version only."))
            reply = await run.complete(talk, role, closing=True)
        except (BudgetExhausted, StepFailed, AnswerInvalid) as error:
            run.note_degraded(f"the draft could not be reviewed or mended further ({error.message[:200]})")
            break
        turns += 1
        draft = reply.message.text if reply.message.text.strip() else draft
    return Outcome(draft, "answer", turns=turns, cut_short=reply.finish_reason == "length")
