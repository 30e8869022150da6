"""After a round: what is still open, where sources contradict each other, and what to look for next."""

from collections.abc import Sequence

from theseus.contracts.errors import COSTS_A_PHASE
from theseus.contracts.research import MOST_QUESTIONS, Contradiction, FacetRow, FollowUp, Judgement
from theseus.domain.research.coverage import open_rows, shown
from theseus.roles.researching import ASSESSOR
from theseus.workflows.model_calls import ask
from theseus.workflows.patterns.research.quest import Quest
from theseus.workflows.run import Run

SHOWN_TOKENS = 8_000


async def assess(run: Run, quest: Quest) -> None:
    """Sets what the next round looks for: what the assessor wants, and in any case what must be established and is not."""
    rows = quest.rows()
    found = quest.contradictions(rows)
    quest.show("assessing")
    wanted: list[FollowUp] = []
    try:
        wanted = _sound(quest, (await _judgement(run, quest, rows, found)).follow_ups)
    except COSTS_A_PHASE as error:
        run.note_degraded(
            f"round {quest.rounds} could not be assessed ({error.message[:200]}); the rules alone decided"
        )
    asked = {(each.question, facet) for each in wanted for facet in each.facets}
    missing = [row for row in open_rows(rows) if (row.question, row.facet) not in asked]
    quest.todo = _by_question([*wanted, *_of_contradictions(quest, found), *(_of_row(row) for row in missing)])


async def _judgement(run: Run, quest: Quest, rows: Sequence[FacetRow], found: Sequence[Contradiction]) -> Judgement:
    known = run.evidence
    doubts = [
        f"- {each.question}/{each.facet}: {known[each.first].claim} ({known[each.first].source.domain}) against "
        f"{known[each.second].claim} ({known[each.second].source.domain})"
        for each in found
    ]
    parts = [f"The task:\n{run.request}", f"Facets and evidence:\n{shown(rows, quest.cards, SHOWN_TOKENS)}"]
    if quest.digests:
        said = "\n".join(f"- {name}: {' '.join(text.split())}" for name, text in quest.digests.items())
        parts.append(f"What the researchers say of it:\n{said}")
    if doubts:
        parts.append("Contradictions:\n" + "\n".join(doubts))
    return await ask(run, ASSESSOR, "\n\n".join(parts))


def _sound(quest: Quest, wanted: Sequence[FollowUp]) -> list[FollowUp]:
    """What is wanted for questions and facets that are in the plan."""
    known = {question.id: {facet.id for facet in question.facets} for question in quest.plan.questions}
    found: list[FollowUp] = []
    for each in wanted:
        facets = [name for name in each.facets if name in known.get(each.question, ())]
        if facets:
            found.append(each.model_copy(update={"facets": facets}))
    return found


def _of_row(row: FacetRow) -> FollowUp:
    have = f" ({len(row.domains)} of {row.needed} independent websites so far)" if row.domains else ""
    return FollowUp(
        question=row.question,
        facets=[row.facet],
        task=f"Still open: {row.text}{have}. Look in other places than before.",
    )


def _of_contradictions(quest: Quest, found: Sequence[Contradiction]) -> list[FollowUp]:
    if quest.rounds > 1:
        # asked once: what sources say differently for good is told in the report
        return []
    cards = {card.id: card for card in quest.cards}
    return [
        FollowUp(
            question=each.question,
            facets=[each.facet],
            task=f"Sources contradict each other: {cards[each.first].claim} — {cards[each.second].claim}. Find a primary "
            "source that settles it.",
        )
        for each in found
    ]


def _by_question(wanted: Sequence[FollowUp]) -> list[FollowUp]:
    """One follow-up for each question."""
    found: dict[str, FollowUp] = {}
    for each in wanted:
        before = found.get(each.question)
        if before is None:
            found[each.question] = each
            continue
        facets = list(dict.fromkeys([*before.facets, *each.facets]))
        found[each.question] = FollowUp(
            question=each.question, facets=facets, task=f"{before.task}\n{each.task}"[:1000]
        )
    return list(found.values())[:MOST_QUESTIONS]
