"""The draft held to its evidence: the rules sentence by sentence, and what fails them mended, or taken out."""

from collections.abc import Sequence

from theseus.contracts.changes import Change
from theseus.contracts.errors import COSTS_A_PHASE
from theseus.contracts.research import Report, SentenceCheck, Support
from theseus.domain.research.budget import VERIFYING
from theseus.domain.research.citations import Bank, as_shown, check
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


Verdicts = dict[tuple[str, tuple[str, ...]], bool | None]
"""What a model said of sentences that the rules doubt, by their words and what they cite; None where it said nothing."""


class Verified:
    """A draft that was held to its evidence, before and after it was mended."""

    def __init__(self, draft: str, first: Report, last: Report) -> None:
        self.draft = draft
        self.first = first
        self.last = last


async def verify(run: Run, quest: Quest, draft: str) -> Verified:
    """The draft in which each sentence that claims something stands on what it cites.

    Citations are mended by rules; then, where a model may help, it is asked whether weak sentences are shown, and to
    rewrite those that are not; what is unsupported or denied still is taken out. Untouched sentences stay byte for byte.
    """
    run.reserve = VERIFYING
    quest.show("verifying")
    bank = Bank(quest.cards)
    verdicts: Verdicts = {}
    checks = check(draft, bank)
    first = score(checks)
    draft = _cited_anew(draft, checks)
    checks = check(draft, bank)
    if quest.controls.verifies:
        checks = await _asked(run, checks, verdicts)
        draft = mended(draft, await _rewritten(run, checks, verdicts))
        checks = check(draft, bank)
    draft = _cleared(draft, checks, verdicts if run.has(Change.DENIED_CLEARED) else {})
    last = check(draft, bank)
    if not any(each.claims and each.cites for each in last):
        run.note_degraded("nothing of the text stood on its evidence; the report holds the evidence as it was found")
        draft = compiled(quest.plan, Found(as_shown(bank)))
        draft = _cited_anew(draft, check(draft, bank))
        draft = _cleared(draft, check(draft, bank), {})
        last = check(draft, bank)
    return Verified(draft, first, score(await _asked(run, last, verdicts) if quest.controls.verifies else last))


def _cited_anew(draft: str, checks: Sequence[SentenceCheck]) -> str:
    failed = [each for each in checks if each.claims and each.support is not Support.SUPPORTED]
    return mended(draft, [repair for each in failed if (repair := cited_anew(draft, each)) is not None])


def _cleared(draft: str, checks: Sequence[SentenceCheck], verdicts: Verdicts) -> str:
    failed = [each for each in checks if each.support is Support.UNSUPPORTED or _is_denied(each, verdicts)]
    return mended(draft, [deleted(each) for each in failed if each.claims])


def _is_denied(check: SentenceCheck, verdicts: Verdicts) -> bool:
    return check.support is Support.WEAK and verdicts.get(_key(check)) is False


async def _asked(run: Run, checks: list[SentenceCheck], verdicts: Verdicts) -> list[SentenceCheck]:
    """The checks, weak sentences upgraded where a model agrees that their quotes show them; nothing is asked twice."""
    doubted = [number for number, each in enumerate(checks) if each.claims and each.support is Support.WEAK]
    new = {_key(checks[number]): number for number in reversed(doubted) if _key(checks[number]) not in verdicts}
    weak = sorted(new.values())[:MOST_DOUBTED]
    if weak:
        await _ask_about(run, checks, weak, verdicts)
    return upgraded(checks, {number: bool(verdicts.get(_key(checks[number]))) for number in doubted})


async def _ask_about(run: Run, checks: list[SentenceCheck], weak: Sequence[int], verdicts: Verdicts) -> None:
    run.enter("verifying: sentences that the rules doubt")
    lines = [
        f"{number}. {checks[number].text}\n{evidence_text([run.evidence[name] for name in checks[number].cites if name in run.evidence])}"
        for number in weak
    ]
    try:
        told = await ask(run, ENTAILER, "\n\n".join(lines))
    except COSTS_A_PHASE as error:
        run.note_degraded(f"no model could look at what the rules doubt ({error.message[:200]})")
        return
    verdicts.update({_key(checks[number]): None for number in weak})
    verdicts.update({_key(checks[each.number]): each.shown for each in told.sentences if each.number in weak})


def _key(check: SentenceCheck) -> tuple[str, tuple[str, ...]]:
    return check.text, check.cites


def _to_mend(run: Run, checks: Sequence[SentenceCheck], verdicts: Verdicts) -> list[SentenceCheck]:
    claims = [each for each in checks if each.claims]
    failed = [each for each in claims if each.support is Support.UNSUPPORTED]
    denied = [each for each in claims if _is_denied(each, verdicts)]
    return [*failed, *(denied if denied and run.has(Change.DENIED_MENDED) else ())][:MOST_REWRITTEN]


async def _rewritten(run: Run, checks: Sequence[SentenceCheck], verdicts: Verdicts) -> list[Repair]:
    failed = _to_mend(run, checks, verdicts)
    if not failed:
        return []
    run.enter(f"verifying: {len(failed)} sentences are mended")
    questions = [question for question in dict.fromkeys(_question(run, each) for each in failed) if question]
    sentences = await together(_mended(run, question) for question in questions)
    lost = sentences.count(None)
    if lost and run.has(Change.MENDER_TOLD):
        run.note_degraded(
            f"no model could mend {lost} of {len(questions)} sentences; what is unsupported was taken out"
        )
    found = {
        question: sentence for question, sentence in zip(questions, sentences, strict=True) if sentence is not None
    }
    return [rewritten(each, found[question]) for each in failed if (question := _question(run, each)) in found]


def _question(run: Run, failed: SentenceCheck) -> str:
    """What a model is asked about a sentence; empty where there is no evidence to mend it by."""
    names = [name for name in (*failed.cites, *failed.better) if name in run.evidence]
    if not names:
        return ""
    return (
        f"The sentence:\n{failed.text}\n\nWhat is wrong:\n{'; '.join(failed.reasons)}\n\n"
        f"Evidence:\n{evidence_text([run.evidence[name] for name in dict.fromkeys(names)])}"
    )


async def _mended(run: Run, question: str) -> str | None:
    try:
        return (await ask(run, MENDER, question)).sentence
    except COSTS_A_PHASE:
        return None
