"""What the words of a text tell of its claims, in the languages that the rules read: that it denies, that it reckons."""

import re
from collections.abc import Mapping

_ENGLISH = (
    r"not|no|never|none|neither|nor|without|cannot|nobody|nothing|nowhere|no-one|hardly|scarcely|(?:fail(?:s|ed)?|refus(?:es?|ed)) to"
    r"|\w+n['\u2019]t"
)
_WORDS: Mapping[str, str] = {
    "de": r"nicht|nichts|kein\w*|nie|niemals|niemand\w*|nirgends|weder|ohne|kaum",
    "fr": r"ne|n['\u2019](?=\w)\w+|jamais|aucune?|sans|ni|personne|rien|non|pas",
    "es": r"no|nunca|jamás|ning[uú]n\w*|sin|ni|nadie|nada|tampoco",
    "pt": r"não|nunca|jamais|nenhum\w*|sem|nem|ninguém|nada",
    "cyrillic": r"не|нет|ни|никогда|без|нельзя",
    "greek": r"δεν|μην|όχι|χωρίς|ποτέ",
    "it": r"non|mai|nessun\w*|senza|né|niente|nulla",
}
_IN_ENGLISH = re.compile(rf"\b(?:{_ENGLISH})\b", re.IGNORECASE)
_DENIALS: Mapping[str, re.Pattern[str]] = {
    **{language: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for language, words in _WORDS.items()},
    "east asian": re.compile("ない|なかっ|ません|ずに|不|没|未|無|无|非"),
}


def denies(text: str, language: str) -> bool:
    """Whether a text of a language or script denies something; one that is not known is read as English."""
    return _DENIALS.get(language, _IN_ENGLISH).search(text) is not None


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
