"""From evidence to a draft: an outline bound to it, then the text, in one go or section by section."""

from collections.abc import Sequence

from pydantic import JsonValue

from theseus.contracts.errors import COSTS_A_PHASE, AnswerInvalid
from theseus.contracts.messages import UserMessage
from theseus.contracts.research import Card, Outline, Point, Section
from theseus.domain.research.budget import OUTLINING, WRITING
from theseus.domain.research.markup import plain
from theseus.domain.research.report import Found, compiled
from theseus.domain.research.writing import evidence_text, fitting, sound
from theseus.roles.researching import OUTLINER, REPORTER
from theseus.workflows.model_calls import ask, complete
from theseus.workflows.patterns.research.quest import Quest, go_without
from theseus.workflows.run import Run

ONE_GO_TOKENS = 24_000
"""So much evidence one call writes from; more is written section by section."""
LAST_CHARS = 1_500
"""So much of what is written already the writer of the next section sees."""


async def outline(run: Run, quest: Quest) -> Outline:
    """The sections of the report, each point with its evidence; by question when no model can order them better."""
    run.control.tell_nobody()
    run.reserve = OUTLINING
    quest.show("outlining")
    cards = fitting(quest.rows(), quest.cards, ONE_GO_TOKENS)
    try:
        made = await ask(
            run, OUTLINER, f"The task:\n{run.request}\n\nEvidence:\n{evidence_text(cards)}", facts=_facts(run, quest)
        )
    except COSTS_A_PHASE as error:
        run.note_degraded(f"no outline could be made ({error.message[:200]}); the report follows the plan")
        return by_question(quest)
    kept = sound(made, run.evidence)
    return kept if kept is not None else by_question(quest)


def by_question(quest: Quest) -> Outline:
    """A section for each question that has evidence."""
    sections: list[Section] = []
    for question in quest.plan.questions:
        cards = [card for card in quest.cards if card.question == question.id]
        if cards:
            points = [Point(text=card.claim, cards=[card.id]) for card in cards[:20]]
            sections.append(Section(title=question.question[:120], points=points))
    return Outline(sections=sections[:12])


async def write(run: Run, quest: Quest, made: Outline) -> str:
    """The draft, its evidence cited by ids. When no model can write it, the evidence itself is the draft."""
    run.reserve = WRITING
    quest.show("writing")
    cards = _cited(run, made)
    try:
        if len(made.sections) == 1 or fitting(quest.rows(), cards, ONE_GO_TOKENS) == cards:
            text = await _written(run, quest, _whole(run, quest, made, cards))
        else:
            text = await _by_sections(run, quest, made)
    except COSTS_A_PHASE as error:
        words = f"no model could write the report ({error.message[:200]}); it holds the evidence as it was found"
        go_without(run, error, words)
        return compiled(quest.plan, Found(run.evidence))
    is_titled = not made.title.strip() or text.lstrip().startswith("# ")
    return text if is_titled else f"# {plain(made.title)}\n\n{text.lstrip()}"


async def _by_sections(run: Run, quest: Quest, made: Outline) -> str:
    parts: list[str] = []
    for place, section in enumerate(made.sections, start=1):
        quest.show(f"writing section {place} of {len(made.sections)}")
        cards = [run.evidence[name] for point in section.points for name in point.cards]
        text = (
            f"The task:\n{run.request}\n\nWrite only the section “{section.title}”, with its heading, in about "
            f"{quest.scope.words // len(made.sections)} words. The report so far ends:\n{parts[-1][-LAST_CHARS:] if parts else '(nothing yet)'}"
            f"\n\nIts points:\n{_points(section)}\n\nEvidence:\n{evidence_text(list(dict.fromkeys(cards)))}"
        )
        parts.append(await _written(run, quest, text))
    return "\n\n".join(parts)


async def _written(run: Run, quest: Quest, text: str) -> str:
    talk = run.talk(REPORTER, facts=_facts(run, quest))
    talk.say(UserMessage(text=text))
    role = REPORTER.of_tier(quest.controls.write_tier)
    reply = await complete(run, talk, role, closing=True)
    if not reply.message.text.strip():
        raise AnswerInvalid("the model wrote nothing")
    if reply.finish_reason == "length":
        run.note_degraded("a part of the report was cut at the output limit of its model call")
    return reply.message.text


def _whole(run: Run, quest: Quest, made: Outline, cards: Sequence[Card]) -> str:
    sections = "\n\n".join(f"## {section.title}\n{_points(section)}" for section in made.sections)
    return (
        f"The task:\n{run.request}\n\nWrite the report in about {quest.scope.words} words, in {quest.scope.language}."
        f"\n\nOutline:\n{sections}\n\nEvidence:\n{evidence_text(cards)}"
    )


def _points(section: Section) -> str:
    return "\n".join(f"- {point.text} {''.join(f'[[{name}]]' for name in point.cards)}" for point in section.points)


def _cited(run: Run, made: Outline) -> list[Card]:
    names = dict.fromkeys(name for section in made.sections for point in section.points for name in point.cards)
    return [run.evidence[name] for name in names]


def _facts(run: Run, quest: Quest) -> dict[str, JsonValue]:
    return {**run.wishes(), "scope": quest.scope.model_dump(mode="json")}
