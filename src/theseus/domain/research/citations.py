"""The checks C2 to C6: whether each sentence that claims something stands on the cards that it cites.

C2 it cites one; C3 each that it cites was admitted; C4 its figures and names are in the cited words; C5 what it quotes
stands there word for word; C6 no other card shows it clearly better.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from theseus.contracts.research import Card, SentenceCheck, Support
from theseus.domain.research.figures import Figures, figures, missing
from theseus.domain.research.languages import INFLECTING, KEEP_NAMES, language_of
from theseus.domain.research.quotes import Folded, find, fold
from theseus.domain.research.sentences import Sentence, first_words, names, sentences
from theseus.domain.research.wording import Clause, clauses, disagree, reckons
from theseus.domain.research.words import stems_of, unmarked

BETTER = 1.5
"""Another card shows a sentence better when it fits it so many times as well."""
LEAST_FIT = 0.2
"""A sentence that shares less with what it cites than this part of its words is weak."""
MOST_BETTER = 2
_NEARLY = 0.999
"""Scores that are added up in another order differ by less."""

_WORD = re.compile(r"\w+")
_STOPS = re.compile(r"(?<=\b[A-Z])\.(?=[A-Z]\b)")
"""Of "U.S.", which is "US"."""
_JOINED = re.compile(r"['\u2019&-]")
LEAST_STEM_LETTERS, MOST_ENDING_LETTERS = 3, 2
"""A name that is inflected is the same where it begins alike."""
LEAST_NAME_LETTERS = 2
"""Of one letter is what is joined to a name: "L'Oréal", "Varn's"."""
_QUOTED = re.compile(r"[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u201e\u00ab\u00bb]{8,400})[\"\u201d\u00bb]")


@dataclass(frozen=True)
class _Read:
    """A sentence, read once for all cards that it is held against."""

    sentence: Sentence
    weights: Mapping[str, float]
    whole: float
    """What all its words weigh."""
    figures: Figures
    names: Sequence[tuple[str, Sequence[str]]]
    """With the parts that have to be in what it cites."""
    quoted: Sequence[str]
    derives: bool
    clauses: Sequence[Clause]
    language: str


@dataclass(frozen=True)
class _Shown:
    """What a card shows, read once for all sentences."""

    text: str
    figures: Figures
    stems: Mapping[str, None]
    words: frozenset[str]
    clauses: Sequence[Clause]
    language: str


class _Cited:
    """What a sentence cites, in one text, for the words that it quotes."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.text = " ".join(texts)

    def has(self, quoted: str) -> bool:
        """Whether these words stand there."""
        return quoted.casefold() in self._caseless or find(quoted, self.text, self._folded) is not None

    @cached_property
    def _caseless(self) -> str:
        return self.text.casefold()

    @cached_property
    def _folded(self) -> Folded:
        return fold(self.text)


class Bank:
    """All admitted cards, read once for many sentences."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self.cards: Mapping[str, Card] = {card.id: card for card in cards}
        self._shown = {card.id: _read_card(card) for card in cards}
        self._order = list(self._shown)
        self._having: dict[str, list[int]] = {}
        for place, shown in enumerate(self._shown.values()):
            for word in shown.stems:
                self._having.setdefault(word, []).append(place)
        self._weight = {word: math.log(1 + len(self._shown) / len(places)) for word, places in self._having.items()}
        self._rare = math.log(1 + len(self._shown))
        self._checked: dict[tuple[str, tuple[str, ...], bool, str], SentenceCheck] = {}
        self._cited: dict[tuple[str, ...], _Cited] = {}
        plain = {word for shown in self._shown.values() for word in _WORD.findall(shown.text) if word.islower()}
        # what is written small elsewhere, or joins words, only begins a sentence
        self._names = {
            name
            for shown in self._shown.values()
            for name in _all_names(shown.text)
            if name.lower() not in plain and stems_of(name)
        }

    def read(self, sentence: Sentence, language: str = "") -> _Read:
        """A sentence as the rules see it; `language` is its text's, where that is known."""
        claimed = figures(sentence.text, language)
        begin = [word for word in first_words(sentence.text) if self.is_name(word)]
        # a unit such as MW is held to what is cited with its figure; behind a year, Miles and Pound are people
        beside = (word for number in claimed.numbers for word in _WORD.findall(number.text))
        units = {word for word in beside if not word.istitle()}
        wanted = dict.fromkeys([*begin, *(name for name in names(sentence.text) if name not in units)])
        weights = {stem: self._weight.get(stem, self._rare) for stem in stems_of(sentence.text)}
        return _Read(
            sentence=sentence,
            weights=weights,
            whole=sum(weights.values()),
            figures=claimed,
            names=[(name, [unmarked(part.casefold()) for part in _JOINED.split(name)]) for name in wanted],
            quoted=_QUOTED.findall(sentence.text),
            derives=reckons(sentence.text, claimed.language),
            clauses=clauses(sentence.text, claimed.language),
            language=claimed.language,
        )

    def shown(self, cites: Sequence[str]) -> list[_Shown]:
        """What these cards show."""
        return [self._shown[name] for name in cites]

    def cited(self, cites: tuple[str, ...]) -> _Cited:
        """What these cards show, in one text."""
        made = self._cited.get(cites)
        if made is None:
            made = self._cited[cites] = _Cited([self._shown[name].text for name in cites])
        return made

    def fit(self, read: _Read, card: str) -> float:
        """How much of a sentence's words, the rare ones weighing more, a card shows; 0..1."""
        stems = self._shown[card].stems
        shared = sum(weight for stem, weight in read.weights.items() if stem in stems)
        return shared / read.whole if read.whole else 0.0

    def best(self, read: _Read, least: float) -> list[tuple[float, str]]:
        """The cards that a sentence does not cite and that fit it so well, best first, MOST_BETTER at most."""
        # no card fits better than a whole sentence
        if not read.whole or least > 1 / _NEARLY:
            return []
        scores = [0.0] * len(self._order)
        for stem, weight in read.weights.items():
            for place in self._having.get(stem, ()):
                scores[place] += weight
        enough = least * _NEARLY * read.whole
        scored = [
            (score / read.whole, name)
            for score, name in zip(scores, self._order, strict=True)
            if score >= enough and score and name not in read.sentence.cites
        ]
        return sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:MOST_BETTER]

    def checked(self, sentence: Sentence, language: str) -> SentenceCheck:
        """A sentence with what the rules found; one that was looked at before is not looked at again."""
        key = (sentence.text, sentence.cites, sentence.claims, language)
        made = self._checked.get(key)
        if made is None:
            made = self._checked[key] = check_sentence(sentence, self, language)
        return made.model_copy(update={"start": sentence.start, "end": sentence.end})

    def is_name(self, word: str) -> bool:
        """Whether a word is written as a name in any card."""
        return word in self._names


def check(draft: str, bank: Bank) -> list[SentenceCheck]:
    """All sentences of a draft with what the rules found."""
    language = language_of(draft)
    return [bank.checked(sentence, language) for sentence in sentences(draft)]


def as_shown(bank: Bank) -> dict[str, Card]:
    """The cards by id; where a card does not show its own claim, the words of its source stand for it."""
    return {name: card if _shows_its_claim(card, bank) else _quoted(card) for name, card in bank.cards.items()}


def _shows_its_claim(card: Card, bank: Bank) -> bool:
    found = check(f"{card.claim} [[{card.id}]]", bank)
    return all(each.support is not Support.UNSUPPORTED for each in found if each.claims)


def _quoted(card: Card) -> Card:
    return card.model_copy(update={"claim": " ".join(card.quote.split())})


def check_sentence(sentence: Sentence, bank: Bank, language: str = "") -> SentenceCheck:
    """One sentence with what the rules found; `language` is its text's, where that is known."""
    base = SentenceCheck(
        start=sentence.start, end=sentence.end, text=sentence.text, cites=sentence.cites, claims=sentence.claims
    )
    unknown = [name for name in sentence.cites if name not in bank.cards]
    if unknown:
        return _found(base, Support.UNSUPPORTED, [f"cites {', '.join(unknown)}, which is no evidence that was found"])
    if not sentence.claims:
        return base
    read = bank.read(sentence, language)
    if not sentence.cites:
        better = [name for score, name in bank.best(read, LEAST_FIT) if _would_do(read, bank, name, score)]
        return _found(base, Support.UNSUPPORTED, ["it claims something and cites nothing"], better)
    wrong = list(_wrong(read, bank, sentence.cites))
    fit = max(bank.fit(read, name) for name in sentence.cites)
    wanted = fit if wrong else BETTER * fit
    rivals = [name for score, name in bank.best(read, max(wanted, LEAST_FIT)) if score >= wanted]
    better = [name for name in rivals if _would_do(read, bank, name, bank.fit(read, name))]
    if wrong:
        return _found(base, Support.UNSUPPORTED, wrong, better)
    doubts = _doubts(read, bank, sentence.cites, fit)
    if better:
        doubts.append(f"{', '.join(better)} shows it better")
    return _found(base, Support.WEAK, doubts, better) if doubts else base


def _wrong(read: _Read, bank: Bank, cites: tuple[str, ...]) -> Iterator[str]:
    shown = bank.shown(cites)
    for figure in missing(read.figures, [each.figures for each in shown], derives=read.derives):
        yield f"{figure} is not in what it cites"
    if _compares_names(read, shown):
        yield from _strangers(read, shown)
    for quoted in read.quoted:
        if not bank.cited(cites).has(quoted):
            yield f"the quoted words “{quoted[:60]}” are not there"


def _compares_names(read: _Read, shown: Sequence[_Shown]) -> bool:
    """Whether a name that is not in what is cited is wrong: in another language or script it may only be written otherwise."""
    if read.language and read.language not in KEEP_NAMES:
        return False
    return all(each.language in ("", read.language) or not read.language for each in shown)


def _strangers(read: _Read, shown: Sequence[_Shown]) -> Iterator[str]:
    for name, parts in read.names:
        if not all(len(part) < LEAST_NAME_LETTERS or _stands(part, read.language, shown) for part in parts):
            yield f"{name} is not in what it cites"


def _stands(part: str, language: str, shown: Sequence[_Shown]) -> bool:
    if any(part in each.words for each in shown):
        return True
    if language not in INFLECTING:
        return False
    stem = part[: max(len(part) - MOST_ENDING_LETTERS, LEAST_STEM_LETTERS)]
    return any(word.startswith(stem) for each in shown for word in each.words)


def _doubts(read: _Read, bank: Bank, cites: Sequence[str], fit: float) -> list[str]:
    shown = bank.shown(cites)
    found = [] if _compares_names(read, shown) else list(_strangers(read, shown))
    if fit < LEAST_FIT:
        found.append("it shares few words with what it cites")
    if disagree(read.clauses, [clause for each in shown for clause in each.clauses]):
        found.append("it denies what the cited words say, or says what they deny")
    return found


def _would_do(read: _Read, bank: Bank, card: str, score: float) -> bool:
    if score < LEAST_FIT or _doubts(read, bank, (card,), score):
        return False
    return next(_wrong(read, bank, (card,)), None) is None


def _found(base: SentenceCheck, support: Support, reasons: Sequence[str], better: Sequence[str] = ()) -> SentenceCheck:
    return base.model_copy(update={"support": support, "reasons": tuple(reasons), "better": tuple(better)})


def _read_card(card: Card) -> _Shown:
    text = f"{card.window or card.quote} {card.source.title}"
    read = figures(text)
    return _Shown(
        text=text,
        figures=read,
        stems=dict.fromkeys(stems_of(text)),
        words=frozenset(_WORD.findall(unmarked(_STOPS.sub("", text).casefold()))),
        clauses=(*clauses(card.quote, read.language), *clauses(card.claim, read.language)),
        language=read.language,
    )


def _all_names(text: str) -> list[str]:
    return names(f". {text}")
