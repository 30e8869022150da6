"""What is kept of what a task heard: what may be a fact, what is known already, what a newer fact replaces, what was forgotten."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.memory import MOST_FACTS_OF_A_TASK, Change, Fact, KeepRequest, Known, Note, Recalled
from theseus.domain.recalling import oldest, telling_terms, terms_of
from theseus.domain.redaction import KEY, PASSWORD, redact

MOST_FACT_CHARS = 400
"""What is longer is no fact."""
MOST_KEYWORDS = 5
MOST_WORD_CHARS = 40
LEAST_SHARED = 0.75
"""One of two facts says the same as the other when its words are all there, and are so much of them."""

_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "neither",
        "nor",
        "without",
        "cannot",
        "dont",
        "doesnt",
        "didnt",
        "isnt",
        "arent",
        "wasnt",
        "wont",
        "cant",
        "nicht",
        "kein",
        "keine",
        "keinen",
        "nie",
        "ohne",
        "pas",
        "jamais",
        "sans",
        "aucun",
        "ningun",
        "nunca",
        "sin",
        "nao",
        "sem",
        "non",
        "mai",
        "senza",
        "niet",
        "geen",
        "nooit",
        "ikke",
        "ingen",
        "aldrig",
        "aldri",
        "inte",
        "inga",
        "utan",
        "ei",
        "kein",
        "не",
        "нет",
        "никогда",
        "без",
        "nie",
        "bez",
        "ne",
    ]
)
_NEGATING_SIGNS = re.compile(r"[不没沒无無非未别別]|ない|ません|안 |않|없|아니")
_WORD = re.compile(r"\w+")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.)+[^\W\d_]{2,62}(?![\w-])")
_MARKED = re.compile(r"\[REDACTED_[A-Z]+\]")

Rule = Callable[[Known], Change]
"""What is to become of a memory, given what it is now; asked again when it changed meanwhile."""


def remembers(task: AcceptedTask, by_setting: bool) -> bool:
    """Whether a task uses its user's memory: its own word wins; without a user or a model there is none."""
    wish = task.context.memory if task.context.memory is not None else by_setting
    return wish and bool(task.session.user_id) and not task.context.disable_ai


def noted(notes: Sequence[Note], said: str) -> tuple[Note, ...]:
    """The notes that may be kept: short, few, and each shown by words that the user really said."""
    heard = _flat(said)
    fit = [note for note in notes if 0 < len(note.fact.strip()) <= MOST_FACT_CHARS and _is_shown(note.said, heard)]
    return tuple(fit[:MOST_FACTS_OF_A_TASK])


def facts_of(request: KeepRequest) -> list[Fact]:
    """Notes as facts: without personal data.

    One in which there was a secret, or little else, is left out, and so is one with a web address that is not in the
    user's words: a page that wants to be remembered wants to be visited again.
    """
    found: list[Fact] = []
    for n, note in enumerate(request.notes[:MOST_FACTS_OF_A_TASK], start=1):
        text = redact(" ".join(note.fact.split()))
        if KEY in text or PASSWORD in text or not terms_of(_MARKED.sub(" ", text)):
            continue
        if not _hosts(text) <= _hosts(note.said):
            continue
        words = [redact(" ".join(word.split())) for word in note.keywords]
        found.append(
            Fact(
                id=fact_id(request.task_id, n),
                text=text,
                kind=note.kind,
                about=_clean(redact(" ".join(note.about.split()))),
                keywords=tuple(word for word in map(_clean, words) if word)[:MOST_KEYWORDS],
                only_one=note.only_one,
                task_id=request.task_id,
                n=n,
                at=request.at,
            )
        )
    return found


def fact_id(task_id: str, n: int) -> str:
    """The name of a task's nth fact, the same at every attempt."""
    return "m-" + hashlib.sha256(f"{task_id}\n{n}".encode("utf-8", "surrogatepass")).hexdigest()[:12]


def marks_of(offered: Sequence[Fact], recalled: Recalled) -> list[str]:
    """What has to be known of the past before facts can be settled."""
    added = [_added(fact.id) for fact in offered]
    return [*added, *(_unwanted(fact) for fact in offered), *(_gone(fact.id) for fact in recalled.facts)]


def settled(offered: Sequence[Fact], recalled: Recalled, cap: int) -> Rule:
    """The rule that adds a task's facts: each once, however often it is asked for; at most `cap` stay.

    A fact that was offered before is not added again, though it was forgotten, replaced or gave way since. What was
    forgotten after the task had begun (`recalled` says when) is not brought back by it.
    """
    # each text is read once, though every offered fact is compared with every known one, and again after a conflict
    texts: dict[str, _Read] = {}

    def read(fact: Fact) -> _Read:
        if fact.id not in texts:
            texts[fact.id] = _read(fact)
        return texts[fact.id]

    def rule(known: Known) -> Change:
        kept = {fact.id: fact for fact in known.facts}
        added: dict[str, Fact] = {}
        renewed: list[str] = []
        fresh = [fact for fact in offered if _added(fact.id) not in known.marks]
        for fact in fresh:
            if _is_forgotten(fact, known, recalled, read):
                continue
            now = [read(each) for each in {**kept, **added}.values()]
            if (same := _said_better(read(fact), now)) is not None:
                renewed.append(same)
                continue
            for name in _replaced_by(read(fact), now):
                added.pop(name, None)
                kept.pop(name, None)
            added[fact.id] = fact
        for name in _least_wanted(kept, added, known, cap):
            kept.pop(name, None)
            added.pop(name, None)
        return Change(
            add=tuple(added.values()),
            remove=tuple(fact.id for fact in known.facts if fact.id not in kept),
            renew=tuple(name for name in dict.fromkeys(renewed) if name in kept),
            marks=tuple(_added(fact.id) for fact in fresh),
        )

    return rule


def without(fact_ids: Sequence[str]) -> Rule:
    """The rule that forgets facts, and sees to it that no task under way brings them back."""

    def rule(known: Known) -> Change:
        gone = [fact for fact in known.facts if fact.id in fact_ids]
        marks = [mark for fact in gone for mark in (_gone(fact.id), _unwanted(fact))]
        return Change(remove=tuple(fact.id for fact in gone), marks=tuple(marks))

    return rule


def without_all(known: Known) -> Change:
    """The rule that forgets everything, also what tasks under way have heard."""
    return Change(remove=tuple(fact.id for fact in known.facts), clears=True)


def same_fact(one: Fact, other: Fact) -> bool:
    """Whether two say the same in other words: all words of one are in the other, and are most of it."""
    return _same(_read(one), _read(other))


@dataclass(frozen=True)
class _Read:
    """What of a fact is compared: its words in order, those that tell something, and the words of what it is about."""

    fact: Fact
    flat: str
    bag: frozenset[str]
    about: frozenset[str]
    negates: bool


def _read(fact: Fact) -> _Read:
    about = frozenset(terms_of(fact.about)) if fact.only_one else frozenset[str]()
    return _Read(fact, _flat(fact.text), frozenset(telling_terms(fact.text)), about, _negates(fact.text))


def _same(one: _Read, other: _Read) -> bool:
    if one.flat == other.flat:
        return True
    if one.negates != other.negates or not one.bag or not other.bag:
        return False
    fewer, more = sorted((one.bag, other.bag), key=len)
    return fewer <= more and len(fewer) >= LEAST_SHARED * len(more)


def _said_better(new: _Read, known: Sequence[_Read]) -> str | None:
    """The id of what makes a fact needless: one that says it already, or a newer one that took its place."""
    for other in known:
        is_older = oldest(new.fact) < oldest(other.fact)
        if _same(new, other) and (len(new.bag) <= len(other.bag) or is_older):
            return other.fact.id
        if is_older and _same_thing(new, other):
            return other.fact.id
    return None


def _replaced_by(new: _Read, known: Sequence[_Read]) -> list[str]:
    return [other.fact.id for other in known if _same(new, other) or _same_thing(new, other)]


def _same_thing(one: _Read, other: _Read) -> bool:
    """Whether both are about the same, of which there is one at a time."""
    return bool(one.about) and one.about == other.about


def _is_forgotten(fact: Fact, known: Known, recalled: Recalled, read: Callable[[Fact], _Read]) -> bool:
    since = recalled.revision
    if known.cleared > since or known.marks.get(_unwanted(fact), 0) > since:
        return True
    gone = [read(other) for other in recalled.facts if known.marks.get(_gone(other.id), 0) > since]
    return any(_same(read(fact), other) or _same_thing(read(fact), other) for other in gone)


def _least_wanted(kept: dict[str, Fact], added: dict[str, Fact], known: Known, cap: int) -> list[str]:
    """The ids that give way: what was not wanted for longest, of that the oldest."""
    newest = max(known.used.values(), default=0) + 1
    facts = [*kept.values(), *added.values()]
    order = sorted(facts, key=lambda fact: (known.used.get(fact.id, newest if fact.id in added else 0), oldest(fact)))
    return [fact.id for fact in order[: max(len(facts) - cap, 0)]]


def _is_shown(quote: str, heard: str) -> bool:
    wanted = _flat(quote)
    # between the words of some scripts there is nothing
    return bool(wanted) and (f" {wanted} " in f" {heard} " or (not wanted.isascii() and wanted in heard))


def _flat(text: str) -> str:
    """The words of a text in small letters, without what stands between them."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _negates(text: str) -> bool:
    words = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    return not _NEGATIONS.isdisjoint(_WORD.findall(words)) or _NEGATING_SIGNS.search(words) is not None


def _hosts(text: str) -> set[str]:
    return set(_HOST.findall(unicodedata.normalize("NFKC", text).casefold()))


def _clean(word: str) -> str:
    return "" if _MARKED.search(word) else word[:MOST_WORD_CHARS].strip()


def _added(fact_id: str) -> str:
    return f"added {fact_id}"


def _gone(fact_id: str) -> str:
    return f"gone {fact_id}"


def _unwanted(fact: Fact) -> str:
    digest = hashlib.sha256(_flat(fact.text).encode("utf-8", "surrogatepass")).hexdigest()
    return f"unwanted {digest[:32]}"
