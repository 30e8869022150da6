"""What of a user's memory helps with a task: words compared in any script, and as many facts as there is room for."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import mul

from theseus.contracts.memory import Fact, Kind
from theseus.domain.research.words import stems_of
from theseus.domain.tokens import estimate

WINDOW_PERCENT = 2
"""So much of the model's window the facts may take."""
MOST_TOKENS = 1_000
MOST_FACTS = 40
RELEVANT_PERCENT = 70
"""So much of the room goes to what fits the task best, before what holds for every task gets its share."""
MOST_LIKE = 10
"""So many facts are taken for their likeness in meaning, where there are embeddings: some likeness has every fact."""

STANDING = frozenset({Kind.PERSON, Kind.PREFERENCE})
"""Who the user is and what the user likes holds for every task, whatever its words."""

_SAID_OF_ALL = frozenset({"user"})
"""Every fact is about the user."""
_K1, _B = 1.2, 0.75
_RANK_BASE = 60
_STEM = 5
_LATE = 0.4
"""Two words that only begin alike count less than one word twice."""

# scripts that put no space between words, or grow words by endings that are written without one
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u318f\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\s{_UNSPACED}]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_UNSPACED_START = re.compile(rf"[{_UNSPACED}]")


def room_tokens(context_window_tokens: int) -> int:
    """How many tokens of a model's window the facts may take."""
    return min(context_window_tokens * WINDOW_PERCENT // 100, MOST_TOKENS)


def terms_of(text: str) -> list[str]:
    """What stands for the words of a text: their stems, and pairs of signs where a script has no spaces."""
    found: list[str] = []
    for run in _RUN.findall(_plain(text)):
        if _UNSPACED_START.match(run):
            found += _pairs("".join(sign for sign in run if _is_letter(sign)))
        else:
            found += [term for word in _words(run) for term in _term(word)]
    return found


def telling_terms(text: str) -> list[str]:
    """The same without what stands in every fact."""
    return [term for term in terms_of(text) if term not in _SAID_OF_ALL]


def ranked(facts: Sequence[Fact], query: str, likeness: Mapping[str, float] | None = None) -> list[Fact]:
    """The facts that have to do with a query, best first. `likeness` is that of their meaning, by id, if it is known."""
    scores = _by_words(facts, query)
    places = _places({name: score for name, score in scores.items() if score > 0})
    alike = _places(dict(sorted((likeness or {}).items(), key=lambda item: (-item[1], item[0]))[:MOST_LIKE]))
    if alike:
        merits = {
            fact.id: sum(1 / (_RANK_BASE + by[fact.id]) for by in (places, alike) if fact.id in by) for fact in facts
        }
    else:
        merits = scores
    return sorted((fact for fact in facts if merits[fact.id] > 0), key=lambda fact: (-merits[fact.id], *_newest(fact)))


def picked(
    facts: Sequence[Fact], query: str, room: int, likeness: Mapping[str, float] | None = None
) -> tuple[Fact, ...]:
    """The facts for a task, within `room` tokens, oldest first; the same for the same memory, whatever its order."""
    relevant = ranked(facts, query, likeness)
    known = {fact.id for fact in relevant}
    standing = sorted((fact for fact in facts if fact.kind in STANDING and fact.id not in known), key=_newest)
    chosen: dict[str, Fact] = {}
    left = _fill(chosen, relevant, room * RELEVANT_PERCENT // 100)
    left = _fill(chosen, standing, left + room - room * RELEVANT_PERCENT // 100)
    _fill(chosen, relevant, left)
    return tuple(sorted(chosen.values(), key=oldest))


def shown(facts: Sequence[Fact]) -> str:
    """Facts as a prompt shows them: a line each, with its date. What is written in a fact cannot leave its line."""
    return "\n".join(_line(fact) for fact in facts)


def oldest(fact: Fact) -> tuple[float, str, int]:
    """Orders facts by when they were told."""
    return fact.at.timestamp(), fact.task_id, fact.n


def cosines(query: Sequence[float], vectors: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The cosine of a query's vector and each of these, -1..1; 0 for vectors that cannot be compared."""
    size = _size(query)
    return {name: _cosine(query, size, vector) for name, vector in vectors.items()}


def _cosine(one: Sequence[float], its_size: float, other: Sequence[float]) -> float:
    size = its_size * _size(other) if len(one) == len(other) else 0.0
    return sum(map(mul, one, other)) / size if size else 0.0


def _size(vector: Sequence[float]) -> float:
    return math.hypot(*vector)


def _fill(chosen: dict[str, Fact], facts: Sequence[Fact], room: int) -> int:
    for fact in facts:
        tokens = estimate(_line(fact)) + 1
        if fact.id not in chosen and tokens <= room and len(chosen) < MOST_FACTS:
            chosen[fact.id] = fact
            room -= tokens
    return room


def _line(fact: Fact) -> str:
    return f"- {fact.day}: {' '.join(fact.text.split())}"


def _newest(fact: Fact) -> tuple[float, str, int]:
    at, task_id, n = oldest(fact)
    return -at, task_id, n


def _places(scores: Mapping[str, float]) -> dict[str, int]:
    order = sorted(scores, key=lambda name: (-scores[name], name))
    return {name: place for place, name in enumerate(order, start=1)}


def _by_words(facts: Sequence[Fact], query: str) -> dict[str, float]:
    """BM25 over stems; a word that only begins as one of the query counts too, but less."""
    having: dict[str, dict[str, int]] = {}
    sizes: dict[str, int] = {}
    for fact in facts:
        terms = Counter(_weighed(_searched(fact)))
        sizes[fact.id] = sum(terms.values())
        for term, count in terms.items():
            having.setdefault(term, {})[fact.id] = count
    usual = sum(sizes.values()) / len(sizes) if sizes else 0.0
    scores = dict.fromkeys(sizes, 0.0)
    for term in dict.fromkeys(_weighed(query)):
        there = having.get(term, {})
        rare = math.log(1 + (len(sizes) - len(there) + 0.5) / (len(there) + 0.5))
        weight = rare * (_LATE if term.endswith("~") else 1.0)
        for name, count in there.items():
            scores[name] += weight * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * sizes[name] / usual))
    return scores


def _searched(fact: Fact) -> str:
    return " \n".join((fact.text, fact.about, *fact.keywords))


def _weighed(text: str) -> list[str]:
    terms = telling_terms(text)
    return [*terms, *(f"{term[:_STEM]}~" for term in terms if len(term) > _STEM)]


def _pairs(signs: str) -> list[str]:
    return [signs[at : at + 2] for at in range(max(len(signs) - 1, 1))] if signs else []


def _words(run: str) -> list[str]:
    if run.isascii():
        return _ASCII_WORD.findall(run)
    # a letter's signs belong to it, which `\w` does not know in scripts that write vowels above and below
    return "".join(sign if _is_letter(sign) else " " for sign in run).split()


def _term(word: str) -> list[str]:
    stems = stems_of(word) if word.isascii() else [word]
    return [stem[:-1] if len(stem) > 3 and stem.endswith("e") else stem for stem in stems]


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNM"


def _plain(text: str) -> str:
    """In small letters, without accents, full-width and other forms of the same sign."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f"))
