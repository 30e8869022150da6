"""Which language or script a text is in, by its small words: by it numbers, denials and names are read."""

import re
from collections.abc import Collection

from theseus.domain.research.words import listed

GERMAN = "de"
OTHER = "other"
"""A language that is known only as none of the others."""
KEEP_NAMES = frozenset(("en", "fr", "es", "pt", "it"))
"""Languages that write names with capitals, nothing else within a sentence, and never inflect them."""
INFLECTING = frozenset(("cyrillic", "greek", OTHER))
"""Languages and scripts whose names have endings."""
LEAST_WORDS = 2
"""So many different small words make a language."""
MOST_UNKNOWN = 40
"""A text of so many different words that has hardly any small ones of the known languages is in another one."""
READ_CHARS = 4_000
"""So much of a text shows its language."""

_SMALL = {
    language: frozenset(listed(words))
    for language, words in {
        "en": "the of and is was were been for that with by from are has have had this these which their its at as it in to on an",
        "de": "der das und ist sind wurde wurden nicht ein eine einer einen mit für auf dem des zum zur sich hat aus bei nach über im von "
        "auch kein keine laut in die den es",
        "fr": "le les des du une et est sont dans pour avec sur qui aux été cette selon ont dont mais pas leur l d la il en de que ce y un au",
        "es": "el los las una y es en con para por más fue según del son han pero sus entre desde la de que se un al su lo",
        "pt": "os do da dos das uma é em são foi não mais pelo pela segundo ao com para por no na entre desde mas o de que se um à",
        "it": "il gli dei della delle di è sono nel nella per che con non più dal dalla secondo ha hanno stato lo la un al in del ci",
    }.items()
}
_SCRIPTS = {
    "cyrillic": re.compile("[\u0400-\u052f]"),
    "greek": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "east asian": re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"),
    "other script": re.compile("[\u0530-\u1cff]"),
}
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[a-z\u00df-\u024f]")


def words_in(lowered: str) -> frozenset[str]:
    """The different words of a text in lower case."""
    return frozenset(_WORD.findall(lowered))


def language_of(text: str) -> str:
    """The code of a known language, the name of a script, OTHER, or nothing where a text is too short to tell."""
    lowered = text[:READ_CHARS].lower()
    return language_by(words_in(lowered), lowered)


def language_by(words: Collection[str], lowered: str) -> str:
    """The same, of a text in lower case whose words are known."""
    if not lowered.isascii() and (script := _script_of(lowered)):
        return script
    best, most = "", LEAST_WORDS - 1
    for language, small in _SMALL.items():
        if (count := len(small.intersection(words))) > most:
            best, most = language, count
    return best or (OTHER if len(words) >= MOST_UNKNOWN else "")


def _script_of(lowered: str) -> str:
    """The script of most letters, where it is not the Latin one."""
    latin = len(_LATIN.findall(lowered))
    for name, letters in _SCRIPTS.items():
        if len(letters.findall(lowered)) > latin:
            return name
    return ""
