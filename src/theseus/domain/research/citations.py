"""The checks C2 to C6: whether each sentence that claims something stands on the cards that it cites.

C2 it cites one; C3 each that it cites was admitted; C4 its figures and names are in the cited words; C5 what it quotes
stands there word for word; C6 no other card shows it clearly better.
"""

import math
import re
from collections.abc import Mapping, Sequence

from theseus.contracts.research import Card, SentenceCheck, Support
from theseus.domain.research.figures import Figures, figures, not_shown
from theseus.domain.research.quotes import find
from theseus.domain.research.sentences import Sentence, first_word, names, sentences
from theseus.domain.research.words import stems_of

BETTER = 1.5
"""Another card shows a sentence better when it fits it so many times as well."""
LEAST_FIT = 0.2
"""A sentence that shares less with what it cites than this part of its words is weak."""
MOST_BETTER = 2

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u201e\u00ab\u00bb]{8,400})[\"\u201d\u00bb]")
_DERIVES = re.compile(
    r"%|percent|per cent|\b(?:total|sum|together|combined|overall|differen\w+|more|fewer|less|increas\w+|decreas\w+|rose|ris\w+|fell"
    r"|fall\w*|grew|grow\w*|declin\w+|dropp?\w*|times|twice|doubl\w+|tripl\w+|half|halv\w+|ratio|average|mean|share|gap|net)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|no|never|none|neither|nor|without|cannot|failed to|\w+n['\u2019]t)\b", re.IGNORECASE)


class Bank:
    """All admitted cards, read once for many sentences."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self.cards: Mapping[str, Card] = {card.id: card for card in cards}
        self._figures = {card.id: figures(_shown(card)) for card in cards}
        self._words = {card.id: dict.fromkeys(stems_of(_shown(card))) for card in cards}
        self._having: dict[str, list[str]] = {}
        for name, words in self._words.items():
            for word in words:
                self._having.setdefault(word, []).append(name)
        self._weight = {word: math.log(1 + len(self._words) / len(names)) for word, names in self._having.items()}
        self._rare = math.log(1 + len(self._words))
        self._checked: dict[tuple[str, tuple[str, ...], bool], SentenceCheck] = {}
        plain = {word for card in cards for word in _WORD.findall(_shown(card)) if word.islower()}
        # what is written small elsewhere, or joins words, only begins a sentence
        self._names = {
            name for card in cards for name in _all_names(_shown(card)) if name.lower() not in plain and stems_of(name)
        }

    def figures_of(self, cites: Sequence[str]) -> list[Figures]:
        """The figures of these cards."""
        return [self._figures[name] for name in cites]

    def fit(self, stems: Sequence[str], card: str) -> float:
        """How much of a sentence's words, the rare ones weighing more, a card shows; 0..1."""
        words = self._words[card]
        weights = self._weights(stems)
        whole = sum(weights.values())
        return sum(weight for stem, weight in weights.items() if stem in words) / whole if whole else 0.0

    def best(self, stems: Sequence[str], but: Sequence[str]) -> list[tuple[float, str]]:
        """The other cards that share a word with a sentence, by how well they fit, best first."""
        weights = self._weights(stems)
        whole = sum(weights.values())
        found: dict[str, float] = {}
        for stem, weight in weights.items():
            for name in self._having.get(stem, ()):
                found[name] = found.get(name, 0.0) + weight
        scored = [(score / whole, name) for name, score in found.items() if name not in but]
        return sorted(scored, key=lambda pair: (-pair[0], pair[1]))

    def _weights(self, stems: Sequence[str]) -> dict[str, float]:
        return {stem: self._weight.get(stem, self._rare) for stem in stems}

    def checked(self, sentence: Sentence) -> SentenceCheck:
        """A sentence with what the rules found; one that was looked at before is not looked at again."""
        key = (sentence.text, sentence.cites, sentence.claims)
        made = self._checked.get(key)
        if made is None:
            made = self._checked[key] = check_sentence(sentence, self)
        return made.model_copy(update={"start": sentence.start, "end": sentence.end})

    def is_name(self, word: str) -> bool:
        """Whether a word is written as a name in any card."""
        return word in self._names


def check(draft: str, bank: Bank) -> list[SentenceCheck]:
    """All sentences of a draft with what the rules found."""
    return [bank.checked(sentence) for sentence in sentences(draft)]


def check_sentence(sentence: Sentence, bank: Bank) -> SentenceCheck:
    """One sentence with what the rules found."""
    base = SentenceCheck(
        start=sentence.start, end=sentence.end, text=sentence.text, cites=sentence.cites, claims=sentence.claims
    )
    unknown = [name for name in sentence.cites if name not in bank.cards]
    if unknown:
        return _found(base, Support.UNSUPPORTED, [f"cites {', '.join(unknown)}, which is no evidence that was found"])
    if not sentence.claims:
        return base
    stems = stems_of(sentence.text)
    if not sentence.cites:
        better = [name for score, name in bank.best(stems, ())[:MOST_BETTER] if _would_do(sentence, bank, name, score)]
        return _found(base, Support.UNSUPPORTED, ["it claims something and cites nothing"], better)
    wrong = _contradicted(sentence, bank)
    fit = max(bank.fit(stems, name) for name in sentence.cites)
    rivals = [
        name
        for score, name in bank.best(stems, sentence.cites)[:MOST_BETTER]
        if score >= BETTER * fit or (wrong and score >= fit)
    ]
    better = [name for name in rivals if _would_do(sentence, bank, name, bank.fit(stems, name))]
    if wrong:
        return _found(base, Support.UNSUPPORTED, wrong, better)
    doubts = _doubts(sentence, bank, fit)
    if better:
        doubts.append(f"{', '.join(better)} shows it better")
    return _found(base, Support.WEAK, doubts, better) if doubts else base


def _contradicted(sentence: Sentence, bank: Bank) -> list[str]:
    cited = [bank.cards[name] for name in sentence.cites]
    shown = " ".join(_shown(card) for card in cited)
    derives = bool(_DERIVES.search(sentence.text))
    found = [
        f"{figure} is not in what it cites"
        for figure in not_shown(figures(sentence.text), bank.figures_of(sentence.cites), derives=derives)
    ]
    found += [f"{name} is not in what it cites" for name in _names_missing(sentence, bank, shown)]
    found += [
        f"the quoted words “{quoted[:60]}” are not there"
        for quoted in _QUOTED.findall(sentence.text)
        if quoted.casefold() not in shown.casefold() and find(quoted, shown) is None
    ]
    return found


def _names_missing(sentence: Sentence, bank: Bank, shown: str) -> list[str]:
    wanted = names(sentence.text)
    first = first_word(sentence.text)
    if first and bank.is_name(first):
        wanted = [first, *wanted]
    words = {word.casefold() for word in _WORD.findall(shown)}
    return [
        name for name in wanted if not {_bare(part) for part in re.split(r"['\u2019&-]", name)} <= words | {"", "s"}
    ]


def _doubts(sentence: Sentence, bank: Bank, fit: float) -> list[str]:
    found: list[str] = []
    if fit < LEAST_FIT:
        found.append("it shares few words with what it cites")
    denies = bool(_NOT.search(sentence.text))
    if denies != any(_NOT.search(f"{bank.cards[name].quote} {bank.cards[name].claim}") for name in sentence.cites):
        found.append("it denies what the cited words say, or says what they deny")
    return found


def _would_do(sentence: Sentence, bank: Bank, card: str, score: float) -> bool:
    other = Sentence(sentence.start, sentence.end, sentence.text, (card,), sentence.section, claims=True)
    return score >= LEAST_FIT and not _contradicted(other, bank) and not _doubts(other, bank, score)


def _found(base: SentenceCheck, support: Support, reasons: Sequence[str], better: Sequence[str] = ()) -> SentenceCheck:
    return base.model_copy(update={"support": support, "reasons": tuple(reasons), "better": tuple(better)})


def _shown(card: Card) -> str:
    return f"{card.window or card.quote} {card.source.title}"


def _all_names(text: str) -> list[str]:
    return names(f". {text}")


def _bare(word: str) -> str:
    return word.casefold()
