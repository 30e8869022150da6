"""Evidence as the roles are shown it, read back: which card stands for which planted fact."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.corpus import Corpus
from evaluation.truth import Fact

_CARD = re.compile(r"^\[\[(?P<id>c-[0-9a-f]{8})\]\] (?P<claim>.*)\n    “(?P<quote>.*)” \(", re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """One card of a prompt. `fact` is what it quotes; None where that was not planted as one."""

    id: str
    claim: str
    quote: str
    fact: Fact | None


def evidence_in(text: str, corpus: Corpus) -> list[Shown]:
    """The cards that a prompt shows, in its order."""
    return [
        Shown(found["id"], found["claim"], found["quote"], fact_of(found["quote"], corpus))
        for found in _CARD.finditer(text)
    ]


def fact_of(quote: str, corpus: Corpus) -> Fact | None:
    """The fact whose words a quote is."""
    return next((fact for fact in corpus.facts if fact.sentence in quote or quote in fact.sentence), None)


def grouped(cards: Sequence[Shown]) -> dict[str, list[Shown]]:
    """The cards of planted facts by what a report says of them: those that say the same stand together."""
    found: dict[str, list[Shown]] = {}
    for card in cards:
        if card.fact is not None:
            found.setdefault(card.fact.told[0], []).append(card)
    return found
