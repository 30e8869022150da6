"""What the words of a text tell of its claims, in the languages that the rules read: that it denies, that it reckons."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from theseus.domain.research.words import stems_of

_ENGLISH = (
    r"not|no|never|none|neither|nor|without|cannot|nobody|nothing|nowhere|no-one|hardly|scarcely|(?:fail(?:s|ed)?|refus(?:es?|ed)|declin(?:es?|ed)) to"
    r"|\w+n['\u2019]t|unable|untrue|den(?:y|ies|ied|ying)|lack(?:s|ed|ing)?|(?:is|are|was|were|been|prove[sdn]) (?:false|wrong)"
)
_WORDS: Mapping[str, str] = {
    "de": r"nicht|nichts|kein\w*|nie|niemals|niemand\w*|nirgends|weder|ohne|kaum|falsch|unwahr|weiger\w*|verweiger\w*|bestreite\w*|bestritt\w*|leugne\w*",
    "fr": r"ne|n['\u2019](?=\w)\w+|jamais|aucune?|sans|ni|personne|rien|non|pas|faux|refus\w+|incapables?",
    "es": r"no|nunca|jamás|ning[uú]n\w*|sin|ni|nadie|nada|tampoco|falso|neg[óo]|niegan?|incapa(?:z|ces)",
    "pt": r"não|nunca|jamais|nenhum\w*|sem|nem|ninguém|nada|falso|negou|nega|incapa(?:z|zes)",
    "cyrillic": r"не|нет|ни|никогда|без|нельзя",
    "greek": r"δεν|μην|όχι|χωρίς|ποτέ",
    "it": r"non|mai|nessun\w*|senza|né|niente|nulla|falso|rifiut\w+|nega|negò|incapac[ei]",
}
_IN_ENGLISH = re.compile(rf"\b(?:{_ENGLISH})\b", re.IGNORECASE)
_DENIALS: Mapping[str, re.Pattern[str]] = {
    **{language: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for language, words in _WORDS.items()},
    "east asian": re.compile("ない|なかっ|ません|ずに|不|没|未|無|无|非"),
}


def denies(text: str, language: str) -> bool:
    """Whether a text of a language or script denies something; one that is not known is read as English."""
    return _DENIALS.get(language, _IN_ENGLISH).search(text) is not None


_CLAUSE = re.compile(
    r"[;.!?](?=\s)|\s[\u2013\u2014]\s"
    r"|\b(?:but|although|though|while|whereas|aber|sondern|während|obwohl|mais|tandis que|bien que|pero|sino|aunque|mientras que|embora"
    r"|enquanto|però|anzi|mentre|sebbene)\b"
    r"|,\s(?:and|or|so|which|who|whose|where|und|wobei|der|die|das|et|qui|que|dont|où|y|quien|cuyo|e|cujo|che|cui)\s",
    re.IGNORECASE,
)
"""What begins another statement within a sentence."""


@dataclass(frozen=True)
class Clause:
    """One statement of a sentence: the stems of its words, and whether it denies."""

    stems: frozenset[str]
    denies: bool


def clauses(text: str, language: str) -> tuple[Clause, ...]:
    """The statements of a text of a language or script, in order."""
    parts = [Clause(frozenset(stems_of(part)), denies(part, language)) for part in _CLAUSE.split(text)]
    return tuple(part for part in parts if part.stems)


def disagree(said: Iterable[Clause], shown: Sequence[Clause]) -> bool:
    """Whether something said is denied by what is shown of the same, or the other way round.

    Each statement is held to those that share most words with it; one that shares none, to all.
    """
    return any(each.denies != _is_denied(each, shown) for each in said)


def _is_denied(said: Clause, shown: Sequence[Clause]) -> bool:
    shared = [len(said.stems & each.stems) for each in shown]
    most = max(shared, default=0)
    return any(each.denies for each, count in zip(shown, shared, strict=True) if count == most)


_MADE_IN_ENGLISH = (
    r"total|sum|together|combined|overall|differen\w+|more|fewer|less|increas\w+|decreas\w+|rose|ris\w+|fell|fall\w*|grew|grow\w*"
    r"|declin\w+|dropp?\w*|times|twice|doubl\w+|tripl\w+|half|halv\w+|ratio|average|mean|share|gap|net"
)
_MADE: Mapping[str, str] = {
    "de": r"insgesamt|zusammen|mehr|weniger|stieg\w*|gestiegen|sank|gesunken|fiel\w*|gefallen|wuchs\w*|gewachsen|zunahme|abnahme|anstieg"
    r"|rückgang|doppelt\w*|dreifach\w*|halb\w*|hälfte|durchschnitt\w*|mittel|anteil|unterschied|differenz|verhältnis",
    "fr": r"ensemble|total|plus|moins|augment\w+|baiss\w+|diminu\w+|doubl\w+|tripl\w+|moitié|moyenne|différence|écart|part|fois",
    "es": r"juntos|total|más|menos|aument\w+|creci\w+|baj[óa]\w*|disminu\w+|dobl\w+|mitad|media|promedio|diferencia|parte|veces",
    "pt": r"juntos|total|mais|menos|aument\w+|cresc\w+|caiu|diminu\w+|dobr\w+|metade|média|diferença|parte|vezes",
    "it": r"insieme|totale|più|meno|aument\w+|cresc\w+|crebbe|cal[òa]\w*|diminu\w+|doppi\w+|metà|media|differenza|parte|volte",
}
_REST = r"%|percent|per cent|prozent|pour cent|por c[ie]+nto"
_RECKONS_IN_ENGLISH = re.compile(rf"{_REST}|\b(?:{_MADE_IN_ENGLISH})\b", re.IGNORECASE)
_RECKONS = {language: re.compile(rf"{_REST}|\b(?:{words})\b", re.IGNORECASE) for language, words in _MADE.items()}


def reckons(text: str, language: str) -> bool:
    """Whether a figure of it may follow from others: a sum, a difference, a share, a mean."""
    return _RECKONS.get(language, _RECKONS_IN_ENGLISH).search(text) is not None
