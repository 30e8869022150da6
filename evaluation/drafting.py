"""The writer's draft: a true sentence for all that was found, and beside each of them errors of known kinds."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluation.corpus import Corpus
from evaluation.evidence import Shown, evidence_in, grouped
from evaluation.truth import Fact

INVENTED_WORDS = "in words that nobody has ever said there"
INVENTED_ADDRESS = "http://nobody-ever-was-here.example/the-annual-report"


@dataclass(frozen=True)
class Planted:
    """An error of a draft: its kind, its sentence without citations, and the facts that it should have stood on."""

    kind: str
    text: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Draft:
    """A draft, the errors in it, and the sentences that are true and cited rightly."""

    text: str
    errors: tuple[Planted, ...]
    truths: tuple[str, ...]


def drafted(prompt: str, corpus: Corpus) -> Draft:
    """The draft that the writer makes of a prompt; the same for the same evidence.

    Each finding is told twice more in other words: once with wrong words and the right source, once the other way round.
    """
    cards = [card for card in evidence_in(prompt, corpus) if card.fact is not None]
    chance = random.Random(corpus.seed)
    errors: list[Planted] = []
    truths: list[str] = []
    parts: list[str] = []
    for question in corpus.questions:
        mine = [card for card in cards if card.fact is not None and card.fact.question == question.id]
        lines: list[str] = []
        for number, (told, group) in enumerate(grouped(mine).items()):
            ids = "".join(f"[[{card.id}]]" for card in group)
            claim = group[0].claim.rstrip(".")
            truths += [f"{told}.", f"{claim}."]
            # both places in which writers put a citation
            lines.append(f"{told} {ids}." if number % 2 else f"{told}. {ids}")
            lines.append(f"{claim} [[{group[0].id}]].")
            for kind, plant in _chosen(chance, group[0]):
                text, cited = plant(group[0], cards, chance)
                errors.append(Planted(kind, f"{text}.", tuple(map(_fact, group))))
                lines.append(f"{text} {cited}." if cited else f"{text}.")
        if lines:
            parts.append(f"## {question.text}\n\n" + " ".join(lines))
    head = f"This report is about {corpus.topic}. More is told at {INVENTED_ADDRESS} for those who want it."
    return Draft("\n\n".join([head, *parts]), tuple(errors), tuple(truths))


Plant = Callable[[Shown, Sequence[Shown], random.Random], tuple[str, str]]
"""Makes a sentence and what it cites, of the card that it is about, all cards, and chance."""


def _fact(card: Shown) -> Fact:
    assert card.fact is not None
    return card.fact


def _another(card: Shown, cards: Sequence[Shown], chance: random.Random) -> str:
    """A card of another question and another page."""
    others = [each for each in cards if _fact(each).question != _fact(card).question]
    return f"[[{chance.choice(others).id}]]" if others else ""


WRONG_WORDS: Mapping[str, Plant] = {
    "a swapped figure": lambda card, _cards, _chance: (_fact(card).swapped, f"[[{card.id}]]"),
    "another name": lambda card, _cards, _chance: (_fact(card).renamed, f"[[{card.id}]]"),
    "an invented quote": lambda card, _cards, _chance: (
        f"{_fact(card).told[1]}, “{INVENTED_WORDS}”",
        f"[[{card.id}]]",
    ),
}
WRONG_SOURCE: Mapping[str, Plant] = {
    "another source": lambda card, cards, chance: (_fact(card).told[1], _another(card, cards, chance)),
    "no source": lambda card, _cards, _chance: (_fact(card).told[1], ""),
    "a source that is none": lambda card, _cards, chance: (_fact(card).told[1], f"[[c-{chance.getrandbits(32):08x}]]"),
}
KINDS = (*WRONG_WORDS, *WRONG_SOURCE)


def _chosen(chance: random.Random, card: Shown) -> list[tuple[str, Plant]]:
    words = [name for name in WRONG_WORDS if name != "another name" or _fact(card).renamed]
    first, second = chance.choice(words), chance.choice(list(WRONG_SOURCE))
    return [(first, WRONG_WORDS[first]), (second, WRONG_SOURCE[second])]
