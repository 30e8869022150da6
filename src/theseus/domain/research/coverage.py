"""How far a research has come: which facets are established, and what a round brought."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from theseus.contracts.research import Card, FacetRow, ResearchPlan
from theseus.domain.tokens import estimate

COPIED_CHARS = 80
"""Two pages that have so much the same around the same quote have it from one another."""
SHOWN_CARDS = 6
"""So many claims of one facet are shown to a model."""


MOST_OF_FACET = 24
"""So many cards of one facet are kept: evidence goes through histories, and all of a facet's is held against each other."""


@dataclass(frozen=True)
class Gain:
    """What one round brought."""

    cards: int
    domains: int
    percent: int


def matrix(plan: ResearchPlan, cards: Iterable[Card]) -> list[FacetRow]:
    """A row for each facet of the plan, in its order: the evidence for it and the independent domains that it is from."""
    found: dict[tuple[str, str], list[Card]] = {}
    for card in cards:
        found.setdefault((card.question, card.facet), []).append(card)
    return [
        FacetRow(
            question=question.id,
            facet=facet.id,
            text=facet.text,
            must=facet.must,
            needed=facet.domains,
            cards=tuple(card.id for card in found.get((question.id, facet.id), ())),
            domains=tuple(sorted(_voices(found.get((question.id, facet.id), ())))),
        )
        for question in plan.questions
        for facet in question.facets
    ]


def unseen(known: Mapping[str, Card], cards: Iterable[Card]) -> dict[str, Card]:
    """Those of the cards that are not known, each once."""
    found: dict[str, Card] = {}
    for card in cards:
        if card.id not in known:
            found.setdefault(card.id, card)
    return found


def with_room(known: Mapping[str, Card], new: Mapping[str, Card]) -> dict[str, Card]:
    """Those of the new cards for whose facet there is room."""
    count = Counter((card.question, card.facet) for card in known.values())
    kept: dict[str, Card] = {}
    for card in new.values():
        count[card.question, card.facet] += 1
        if count[card.question, card.facet] <= MOST_OF_FACET:
            kept[card.id] = card
    return kept


def _voices(cards: Iterable[Card]) -> set[str]:
    """The domains of these cards, without those that only have what another one has word for word, surroundings included."""
    first: dict[str, str] = {}
    found: set[str] = set()
    for card in cards:
        passages = _passages(card)
        domain = next((first[text] for text in passages if text in first), card.source.domain)
        first.update({text: domain for text in passages if text not in first})
        found.add(domain)
    return found


def _passages(card: Card) -> list[str]:
    """The quote with what stands before it, and with what stands after it, where that is enough to know a copy by."""
    before, quote, after = card.window.partition(card.quote)
    return [
        " ".join(text.split()) for text in (before + quote, quote + after) if len(text) - len(quote) >= COPIED_CHARS
    ]


def open_rows(rows: Iterable[FacetRow], *, must: bool = True) -> list[FacetRow]:
    """The rows that are not established; with `must` only those without which the report fails."""
    return [row for row in rows if not row.is_established and (row.must or not must)]


def covered_percent(rows: Sequence[FacetRow]) -> int:
    """How many of the facets that must be established are, in percent."""
    wanted = [row for row in rows if row.must] or list(rows)
    return 100 * sum(row.is_established for row in wanted) // len(wanted) if wanted else 0


def gain(before: Sequence[Card], after: Sequence[Card]) -> Gain:
    """What came with the cards of `after` that are not in `before`; percent of new cards among all."""
    known = {card.id for card in before}
    domains = {card.source.domain for card in before}
    new = [card for card in after if card.id not in known]
    return Gain(
        cards=len(new),
        domains=len({card.source.domain for card in new} - domains),
        percent=100 * len(new) // max(len(after), 1),
    )


def shown(rows: Iterable[FacetRow], cards: Iterable[Card], room_tokens: int) -> str:
    """The matrix with its claims, for a model; claims are left out from the end where they do not fit."""
    known: Mapping[str, Card] = {card.id: card for card in cards}
    heads: list[str] = []
    claims: list[list[str]] = []
    for row in rows:
        state = "established" if row.is_established else "open"
        kind = "" if row.must else ", nice to have"
        heads.append(
            f"{row.question}/{row.facet}: {row.text} [{state}{kind}; {len(row.domains)} of {row.needed} domains]"
        )
        claims.append([f"  - {known[name].claim} ({known[name].source.domain})" for name in row.cards[:SHOWN_CARDS]])
    left = room_tokens - sum(estimate(head) for head in heads)
    lines: list[str] = []
    for head, under in zip(heads, claims, strict=True):
        lines.append(head)
        for line in under:
            left -= estimate(line)
            if left >= 0:
                lines.append(line)
    return "\n".join(lines)
