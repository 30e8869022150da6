"""How far a research has come: which facets are established, where the evidence contradicts itself, what a round brought."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from theseus.contracts.research import Card, Contradiction, FacetRow, ResearchPlan
from theseus.domain.research.figures import Figures, Number, figures
from theseus.domain.research.words import overlap, stems_of
from theseus.domain.tokens import estimate

ALIKE = 0.6
"""Claims that share so much of their words speak of the same thing."""
COPIED_CHARS = 80
"""Two pages that have so much the same around the same quote have it from one another."""
MOST_CONTRADICTIONS = 12
FIRST_YEAR, LAST_YEAR = 1500, 2100
"""A number without a unit in between is taken for a year."""
SHOWN_CARDS = 6
"""So many claims of one facet are shown to a model."""


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


def contradictions(
    rows: Iterable[FacetRow], cards: Iterable[Card], most: int = MOST_CONTRADICTIONS
) -> list[Contradiction]:
    """Pairs of cards of one facet, from different domains, that say the same thing with different figures."""
    known = {card.id: card for card in cards}
    words = {name: [s for s in stems_of(card.claim) if not s.isdigit()] for name, card in known.items()}
    counts = {name: figures(card.claim) for name, card in known.items()}
    found: list[Contradiction] = []
    for row in rows:
        for place, first in enumerate(row.cards):
            for second in row.cards[place + 1 :]:
                if known[first].source.domain == known[second].source.domain:
                    continue
                about = _differ(counts[first], counts[second])
                if about and overlap(words[first], words[second]) >= ALIKE:
                    found.append(
                        Contradiction(question=row.question, facet=row.facet, first=first, second=second, about=about)
                    )
    return found[:most]


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


def _differ(first: Figures, second: Figures) -> str:
    """The figure in which two texts differ, as the first has it; empty where each shows what the other says."""
    ours, theirs = _amounts(first), _amounts(second)
    for one in ours:
        rivals = [other for other in theirs if other.unit == one.unit]
        if rivals and not any(one.is_shown_by(other) for other in theirs) and not _all_shown(rivals, ours):
            return one.text.strip()
    if ours or theirs:
        return ""
    years, others = _years(first), _years(second)
    return f"{years[0]}" if len(years) == len(others) == 1 and years != others else ""


def _all_shown(some: Sequence[Number], others: Sequence[Number]) -> bool:
    return all(any(each.is_shown_by(other) for other in others) for each in some)


def _amounts(given: Figures) -> list[Number]:
    return [number for number in given.numbers if number.unit or _year(number) is None]


def _years(given: Figures) -> list[int]:
    found = [year for number in given.numbers if not number.unit and (year := _year(number)) is not None]
    return found + [day.year for _, day in given.days if day.year is not None]


def _year(number: Number) -> int | None:
    whole = [int(value) for value in number.values if value == int(value)]
    return whole[0] if len(whole) == 1 and FIRST_YEAR <= whole[0] <= LAST_YEAR else None
