"""What a writer is shown of the evidence, and what of an outline stands on it."""

from collections.abc import Mapping, Sequence

from theseus.contracts.research import Card, FacetRow, Outline, Point, Section
from theseus.domain.tokens import estimate


def evidence_text(cards: Sequence[Card]) -> str:
    """The evidence for a model, a block a card: its id, what it says, the words that show it, and where they stand."""
    return "\n".join(
        f"[[{card.id}]] {card.claim}\n    “{card.quote}” ({card.source.title or card.source.domain}, {card.source.domain}"
        f"{f', {card.source.published}' if card.source.published else ''})"
        for card in cards
    )


def fitting(rows: Sequence[FacetRow], cards: Sequence[Card], room_tokens: int) -> list[Card]:
    """As many cards as fit, in their own order: first one of each facet, then a second of each, and so on."""
    known = {card.id: card for card in cards}
    queues = [[name for name in row.cards if name in known] for row in rows]
    order = [
        queue[place] for place in range(max(map(len, queues), default=0)) for queue in queues if place < len(queue)
    ]
    # evidence for what is in no row of the plan comes last
    order += [name for name in known if name not in order]
    kept: set[str] = set()
    left = room_tokens
    for name in order:
        left -= estimate(evidence_text([known[name]]))
        if left < 0:
            break
        kept.add(name)
    return [card for card in cards if card.id in kept]


def sound(outline: Outline, cards: Mapping[str, Card]) -> Outline | None:
    """The outline without what stands on no evidence; None when nothing is left."""
    sections: list[Section] = []
    for section in outline.sections:
        points = [
            Point(text=point.text, cards=names)
            for point in section.points
            if (names := [name for name in dict.fromkeys(point.cards) if name in cards])
        ]
        if points:
            sections.append(Section(title=section.title, points=points))
    return Outline(title=outline.title, sections=sections) if sections else None
