"""Synthesis: the results of a team become one answer, which names what is missing."""

from collections.abc import Mapping, Sequence

from theseus.contracts.errors import BudgetExhausted, StepFailed
from theseus.contracts.messages import UserMessage
from theseus.domain.combining import compiled, material
from theseus.roles.synthesizer import SYNTHESIZER
from theseus.workflows.answer import Outcome
from theseus.workflows.model_calls import complete
from theseus.workflows.run import Run

ROOM_PERCENT = 50
"""So much of the model's context window the results may fill."""


async def synthesise(run: Run, results: Mapping[str, str], gaps: Sequence[str]) -> Outcome:
    """One answer from the results by subtask id. When no model can write it, the results themselves are the answer."""
    run.enter("synthesis")
    card = run.cards(SYNTHESIZER)[0]
    room_tokens = min(card.context_window_tokens, max(run.ledger.free_tokens, 0)) * ROOM_PERCENT // 100
    facts = run.task_facts()
    facts["wishes"] = facts.pop("system_prompt", "")
    talk = run.talk(SYNTHESIZER, facts=facts)
    talk.say(UserMessage(text=material(run.request, results, gaps, room_tokens)))
    try:
        reply = await complete(run, talk, SYNTHESIZER, closing=True)
    except BudgetExhausted:
        return Outcome(compiled(results), "budget")
    except StepFailed as error:
        run.note_degraded(f"no model could write the answer ({error.message[:200]}); it holds the results as they came")
        return Outcome(compiled(results), "answer", compiled=True)
    if not reply.message.text.strip():
        run.note_degraded("the model wrote no answer; it holds the results as they came")
        return Outcome(compiled(results), "answer", compiled=True)
    return Outcome(reply.message.text, "answer", cut_short=reply.finish_reason == "length")
