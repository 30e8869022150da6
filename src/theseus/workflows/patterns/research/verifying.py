"""The draft held to its evidence: the rules sentence by sentence, and what fails them mended, or taken out."""

from collections.abc import Sequence

from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, StepFailed
from theseus.contracts.research import Report, SentenceCheck, Support
from theseus.domain.research.citations import Bank, check
from theseus.domain.research.repair import Repair, cited_anew, deleted, mended, rewritten, score, upgraded
from theseus.domain.research.report import Found, compiled
from theseus.domain.research.writing import evidence_text
from theseus.roles.researching import ENTAILER, MENDER
from theseus.workflows.model_calls import ask
from theseus.workflows.patterns.research.quest import Quest
from theseus.workflows.run import Run
from theseus.workflows.together import together

MOST_REWRITTEN = 24
"""Sentences of one draft that a model may rewrite; the rest of those that fail is taken out."""
MOST_DOUBTED = 30


class Verified:
    """A draft that was held to its evidence, before and after it was mended."""

    def __init__(self, draft: str, first: Report, last: Report) -> None:
        self.draft = draft
        self.first = first
        self.last = last


async def verify(run: Run, quest: Quest, draft: str) -> Verified:
    """The draft in which each sentence that claims something stands on what it cites.

    Citations are mended by rules; then, where a model may help, it is asked whether weak sentences are shown, and to
    rewrite single ones; what is unsupported still is taken out. Untouched sentences stay byte for byte.
    """
    quest.show("verifying")
    bank = Bank(quest.cards)
    checks = check(draft, bank)
    first = score(checks)
    draft = mended(draft, [repair for each in _failed(checks) if (repair := cited_anew(draft, each)) is not None])
    checks = check(draft, bank)
    if quest.controls.verifies:
        checks = await _asked(run, checks)
        draft = mended(draft, await _rewritten(run, checks))
        checks = check(draft, bank)
    draft = mended(draft, [deleted(each) for each in checks if each.claims and each.support is Support.UNSUPPORTED])
    last = check(draft, bank)
    if not any(each.claims and each.cites for each in last):
        run.note_degraded("nothing of the text stood on its evidence; the report holds the evidence as it was found")
        draft = compiled(quest.plan, Found(run.evidence))
        last = check(draft, bank)
    return Verified(draft, first, score(await _asked(run, last) if quest.controls.verifies else last))


def _failed(checks: Sequence[SentenceCheck]) -> list[SentenceCheck]:
    return [each for each in checks if each.claims and each.support is not Support.SUPPORTED]


async def _asked(run: Run, checks: list[SentenceCheck]) -> list[SentenceCheck]:
    """The checks, weak sentences upgraded where a model agrees that their quotes show them."""
    weak = [number for number, each in enumerate(checks) if each.claims and each.support is Support.WEAK][:MOST_DOUBTED]
    if not weak:
        return checks
    run.enter("verifying: sentences that the rules doubt")
    lines = [
        f"{number}. {checks[number].text}\n{evidence_text([run.evidence[name] for name in checks[number].cites if name in run.evidence])}"
        for number in weak
    ]
    try:
        told = await ask(run, ENTAILER, "\n\n".join(lines))
    except (StepFailed, AnswerInvalid, BudgetExhausted) as error:
        run.note_degraded(f"no model could look at what the rules doubt ({error.message[:200]})")
        return checks
    return upgraded(checks, {each.number: each.shown for each in told.sentences if each.number in weak})


async def _rewritten(run: Run, checks: Sequence[SentenceCheck]) -> list[Repair]:
    failed = [each for each in _failed(checks) if each.support is Support.UNSUPPORTED][:MOST_REWRITTEN]
    if not failed:
        return []
    run.enter(f"verifying: {len(failed)} sentences are mended")
    repairs = await together(_mended(run, each) for each in failed)
    return [repair for repair in repairs if repair is not None]


async def _mended(run: Run, failed: SentenceCheck) -> Repair | None:
    names = [name for name in (*failed.cites, *failed.better) if name in run.evidence]
    if not names:
        return None
    text = (
        f"The sentence:\n{failed.text}\n\nWhat is wrong:\n{'; '.join(failed.reasons)}\n\n"
        f"Evidence:\n{evidence_text([run.evidence[name] for name in dict.fromkeys(names)])}"
    )
    try:
        answer = await ask(run, MENDER, text)
    except (StepFailed, AnswerInvalid, BudgetExhausted):
        return None
    return rewritten(failed, answer.sentence)
