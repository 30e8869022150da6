"""The writer's draft: all that was found in true sentences, rows and items, and beside them errors of known kinds."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evaluation.corpus import Corpus
from evaluation.evidence import Shown, evidence_in, grouped
from evaluation.truth import Fact

INVENTED_WORDS = "in words that nobody has ever said there"
INVENTED_ADDRESS = "http://nobody-ever-was-here.example/the-annual-report"
HEAD = "| What | How much, when or who | Source |\n|---|---|---|\n"


class Form(StrEnum):
    """How a draft says something."""

    SENTENCE = "a sentence"
    ROW = "a row"
    ITEM = "an item"


@dataclass(frozen=True)
class Planted:
    """An error of a draft: its kind, its words without citations, the facts that it should have stood on, its form."""

    kind: str
    text: str
    facts: tuple[Fact, ...]
    form: Form = Form.SENTENCE


@dataclass(frozen=True)
class Draft:
    """A draft, the errors in it, and what is true and cited rightly."""

    text: str
    errors: tuple[Planted, ...]
    truths: tuple[str, ...]


@dataclass
class _Part:
    """What a draft has under one heading."""

    told: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its sentences, a table and a list."""
        return "\n\n".join((" ".join(self.told), HEAD + "\n".join(self.rows), "\n".join(self.items)))


@dataclass(frozen=True)
class _Words:
    """What is true in one form, the same with a wrong figure, and with a wrong name where it names somebody."""

    right: str
    swapped: str
    renamed: str


def drafted(prompt: str, corpus: Corpus) -> Draft:
    """The draft that the writer makes of a prompt; the same for the same evidence.

    Each finding is told three times more in other words: with wrong words and the right source, the other way round, and
    denied. It is a table's row and a list's item as well: one of them is true, the other an error.
    """
    cards = [card for card in evidence_in(prompt, corpus) if card.fact is not None]
    chance = random.Random(corpus.seed)
    errors: list[Planted] = []
    truths: list[str] = []
    parts: list[str] = []
    for question in corpus.questions:
        mine = [card for card in cards if _fact(card).question == question.id]
        part = _Part()
        for number, (told, group) in enumerate(grouped(mine).items()):
            ids = "".join(f"[[{card.id}]]" for card in group)
            claim = group[0].claim.rstrip(".")
            # both places in which writers put a citation
            part.told.append(f"{told} {ids}." if number % 2 else f"{told}. {ids}")
            part.told.append(f"{claim} [[{group[0].id}]].")
            for kind, plant in _chosen(chance, group[0]):
                text, cited = plant(_told(group[0]), group[0], cards, chance)
                errors.append(Planted(kind, f"{text}.", tuple(map(_fact, group))))
                part.told.append(f"{text} {cited}." if cited else f"{text}.")
            true = _listed(part, _fact(group[0]), number, _fact(group[0]).item.value, ids)
            kind, plant = _one(chance, _item(group[0]))
            value, cited = plant(_item(group[0]), group[0], cards, chance)
            form = Form.ITEM if number % 2 else Form.ROW
            text = _listed(part, _fact(group[0]), number + 1, value, cited)
            errors.append(Planted(kind, text, tuple(map(_fact, group)), form))
            truths += [f"{told}.", f"{claim}.", true]
        if part.told:
            parts.append(f"## {question.text}\n\n{part.text}")
    head = f"This report is about {corpus.topic}. More is told at {INVENTED_ADDRESS} for those who want it."
    return Draft("\n\n".join([head, *parts]), tuple(errors), tuple(truths))


def row_of(fact: Fact, value: str) -> str:
    """A fact with such a value as a table's row, as its checks show it."""
    return f"{fact.item.label} | {value}"


def item_of(fact: Fact, value: str, *, bold: bool) -> str:
    """A fact with such a value as a list's item, without the stop; in bold is what it is of."""
    return f"**{fact.item.label}:** {value}" if bold else f"{fact.item.label}: {value}"


def _listed(part: _Part, fact: Fact, number: int, value: str, cited: str) -> str:
    """Adds a fact to the list, or to the table for an odd number; gives the words that stand there without citations."""
    if number % 2:
        part.rows.append(f"| {row_of(fact, value)} | {cited} |")
        return row_of(fact, value)
    text = item_of(fact, value, bold=bool(number % 4))
    part.items.append(f"- {text} {cited}".rstrip())
    return text


Plant = Callable[[_Words, Shown, Sequence[Shown], random.Random], tuple[str, str]]
"""Makes words and what they cite, of words that are true, the card that they are about, all cards, and chance."""


def _fact(card: Shown) -> Fact:
    assert card.fact is not None
    return card.fact


def _told(card: Shown) -> _Words:
    fact = _fact(card)
    return _Words(fact.told[1], fact.swapped, fact.renamed)


def _item(card: Shown) -> _Words:
    made = _fact(card).item
    return _Words(made.value, made.swapped, made.renamed)


def _another(card: Shown, cards: Sequence[Shown], chance: random.Random) -> str:
    """A card of another question and another page."""
    others = [each for each in cards if _fact(each).question != _fact(card).question]
    return f"[[{chance.choice(others).id}]]" if others else ""


SWAPPED, RENAMED, QUOTED, DENIED = "a swapped figure", "another name", "an invented quote", "a denial"
WRONG_WORDS: Mapping[str, Plant] = {
    SWAPPED: lambda words, card, _cards, _chance: (words.swapped, f"[[{card.id}]]"),
    RENAMED: lambda words, card, _cards, _chance: (words.renamed, f"[[{card.id}]]"),
    QUOTED: lambda words, card, _cards, _chance: (f"{words.right}, “{INVENTED_WORDS}”", f"[[{card.id}]]"),
    DENIED: lambda _words, card, _cards, _chance: (_fact(card).denied, f"[[{card.id}]]"),
}
WRONG_SOURCE: Mapping[str, Plant] = {
    "another source": lambda words, card, cards, chance: (words.right, _another(card, cards, chance)),
    "no source": lambda words, _card, _cards, _chance: (words.right, ""),
    "a source that is none": lambda words, _card, _cards, chance: (words.right, f"[[c-{chance.getrandbits(32):08x}]]"),
}
KINDS = (*WRONG_WORDS, *WRONG_SOURCE)


def _chosen(chance: random.Random, card: Shown) -> list[tuple[str, Plant]]:
    words = [name for name in (SWAPPED, RENAMED, QUOTED) if name != RENAMED or _fact(card).renamed]
    first, second = chance.choice(words), chance.choice(list(WRONG_SOURCE))
    return [(first, WRONG_WORDS[first]), (second, WRONG_SOURCE[second]), (DENIED, WRONG_WORDS[DENIED])]


def _one(chance: random.Random, words: _Words) -> tuple[str, Plant]:
    """An error that a row or an item can have."""
    plants = {SWAPPED: WRONG_WORDS[SWAPPED], **WRONG_SOURCE}
    if words.renamed:
        plants[RENAMED] = WRONG_WORDS[RENAMED]
    kind = chance.choice(list(plants))
    return kind, plants[kind]
