"""What a model or a page may not bring into a report: links, images, HTML, footnotes, hidden signs, and addresses.

Nothing of it survives in another spelling - entities, escapes, invisible signs, emphasis within a word - because what is
looked through is what a reader would see.
"""

import html
import re
from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt

FIRST_OWN, LAST_OWN = "\ue000", "\ue001"
"""Between these stands what the report itself puts into a text; no text of others has them."""

_MOST_TIMES = 6
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    # only blocks are looked for, and reading what is inside them may take long
    .disable(["reference", "html_block", "code", "inline", "text_join"])
)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ue000-\uf8ff\U000e0000-\U000e0fff"
    "\U000f0000-\U0010ffff]|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_ESCAPED = r"\\[!-/:-@\[-`{-~]"
_ENTITY = re.compile(rf"({_ESCAPED})|&(?:#[0-9]{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~]|&(?=#?\w+;))")
# a longer label is no link either: its brackets are escaped
_WORDS = r"((?:[^\[\]\\]|\\.){0,300})"
_LINK = re.compile(
    # after a word it is rather an index and a call
    rf"(?<!\w)!?\[{_WORDS}\]\(\s*(?:<[^<>\n]*>|(?:[^\s()\\]|\\.|\([^()\s]*\))*)(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)",
    re.DOTALL,
)
_DEFINITION = re.compile(
    r"^[ \t>*+-]*\[([^\[\]\n]{1,200})\]:[ \t]*(?:\n[ \t>]*)?(?:<[^<>\n]*>|[^\s<]*[:/#][^\s]*)"
    r"(?:[ \t]*(?:\n[ \t>]*)?(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$\n?",
    re.MULTILINE,
)
_FALSE_MARK = re.compile(r"[ \t]?(?<![\w\]\\])!?\[\d{1,3}(?:[,;\u2013-]\s?\d{1,3})*\](?!\()")
_LIVE = re.compile(rf"({_ESCAPED})|(\](?=[(\[:])|<(?=[A-Za-z/!?])|&(?=#?\w+;))")
_OWN = re.compile(f"{FIRST_OWN}([^{LAST_OWN}]*){LAST_OWN}([(:\\[]?)")

_END = r"\s<>()\[\]\"\u201c\u201d\u201e\u00ab\u00bb|\ue000-\ue001\u3000-\u303f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff01-\uff60"
_TAIL = rf"(?:[^{_END}]*[^{_END}.,;:!?'\u2019])?"
_LABELS = r"(?<![\w.@-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
_ENDINGS = (
    "com|org|net|edu|gov|mil|int|info|biz|dev|app|example|test|invalid|onion|local|xyz|top|site|online|shop|club|news|blog|cloud"
    "|link|click|live|page|web|wiki|tech|space|store|io|ai|eu|uk|de|fr|cn|jp|ru|us|tv|cc|ly|gg|ch|nl|se|pl|br|au|kr|tk|ml|ws"
)
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9+.-]{{1,31}}://|(?:https?|ftp):(?=[/\w])|www\d?\.(?=\w)"
    rf"|(?:javascript|vbscript|mailto|xmpp|magnet|blob):(?=\S)|data:(?=[\w/+.-]*[,;])|(?:tel|sms):(?=\+?\d)){_TAIL}"
    rf"|(?<![\w.+-])[\w.+-]{{1,64}}@(?:[\w-]{{1,63}}\.)+[\w-]{{0,62}}\w"
    rf"|(?:{_LABELS}[a-z]{{2,24}}|(?<![\w.])localhost|(?<![\w.])\d{{1,3}}(?:\.\d{{1,3}}){{3}})(?::\d{{1,5}}(?!\d))?/(?=\w){_TAIL}"
    rf"|(?:{_LABELS}(?:[a-z]{{2,24}}|xn--[a-z0-9-]+)|(?<![\w.])localhost|(?<![\w.])\d{{1,3}}(?:\.\d{{1,3}}){{3}}):\d{{2,5}}(?!\d)",
    re.IGNORECASE,
)
_DOMAIN = re.compile(rf"{_LABELS}(?:{_ENDINGS}|xn--[a-z0-9-]+)\b(?![@-]\w)", re.IGNORECASE)
_UNSEEN = "\\*_`~"
_SAME = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x2024: 0x2E, 0xFF61: 0x2E, 0xFE52: 0x2E}
_AS_ADDRESS = re.compile(r"[^\w:/?#.=&%~+,;@!$'()*-]")


def plain(text: str) -> str:
    """Words of a page or a model as words in Markdown: they make no heading, link, image or markup, and have no address."""
    return _SPECIAL.sub(r"\\\1", " ".join(without_addresses(_HIDDEN.sub("", text), ()).split()))


def read(draft: str) -> str:
    """A draft as its reader would see it: no invisible signs, and signs instead of their names."""
    draft = draft.replace("\r\n", "\n").replace("\r", "\n")
    for _ in range(_MOST_TIMES):
        made = _ENTITY.sub(_sign, _HIDDEN.sub("", draft))
        if made == draft:
            break
        draft = made
    return draft


def unlinked(text: str, stray: re.Pattern[str] | None = None) -> str:
    """The text without links, images, their definitions and footnotes' addresses, without numbers like citations, and
    without what else is stray; what is nested deeper than anybody nests it is left.
    """
    labels: set[str] = set()
    for _ in range(_MOST_TIMES):
        labels |= {" ".join(match[1].casefold().split()) for match in _DEFINITION.finditer(text)}
        made = _LINK.sub(r"\1", _DEFINITION.sub("", stray.sub("", text) if stray is not None else text))
        made = _FALSE_MARK.sub("", made)
        if made == text:
            break
        text = made
    return _without_references(text, labels) if labels else text


def without_addresses(text: str, known: Sequence[str], words: str | None = None) -> str:
    """The text without addresses, but for the known ones, which stand there as the report's own.

    With `words`, a name of a website alone stays where it stands in them; without, all such names stay.
    """
    seen, places = _seen(text)
    shown = sorted({_seen(url)[0]: url for url in known}.items(), key=lambda pair: -len(pair[0]))
    found: list[tuple[int, int, str]] = []
    for match in _ADDRESS.finditer(seen):
        own = next((pair for pair in shown if _is_there(seen, match.start(), pair[0])), None)
        end = match.start() + len(own[0]) if own is not None else match.end()
        found.append((match.start(), end, f"{FIRST_OWN}{address(own[1])}{LAST_OWN}" if own is not None else ""))
    if words is not None:
        lower = words.casefold()
        found += [(*match.span(), "") for match in _DOMAIN.finditer(seen) if match.group().casefold() not in lower]
    return _replaced(text, places, found)


def harmless(text: str) -> str:
    """The text so that nothing in it is a link, an image, HTML or an entity; code that is fenced stays as it is, and ends."""
    lines = text.split("\n")
    # the heading tells whether code that never ends would swallow what follows the text
    tokens = [token for token in _MARKDOWN.parse(f"{text}\n\n# ") if token.map]
    code = {line for token in tokens if token.type == "fence" for line in range(*(token.map or (0, 0)))}
    made = [line if place in code else _LIVE.sub(_escaped, line) for place, line in enumerate(lines)]
    if tokens[-1].type == "fence":
        made.append(tokens[-1].markup)
    return "\n".join(made)


def own_shown(text: str) -> str:
    """The text with what the report itself put in, which is made part of no link; numbers are in brackets."""
    return _OWN.sub(
        lambda match: (f"[{match[1]}]" if match[1].isdigit() else match[1]) + (f"\\{match[2]}" if match[2] else ""),
        text,
    )


def address(url: str) -> str:
    """An address without signs that mean something in Markdown or HTML."""
    return _AS_ADDRESS.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), url)


def _sign(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    made = html.unescape(match.group())
    if made == match.group():
        return made
    return _SPECIAL.sub(r"\\\1", made) if made.strip() else " "


def _escaped(match: re.Match[str]) -> str:
    return match[1] or f"\\{match[2]}"


def _without_references(text: str, labels: Iterable[str]) -> str:
    names = "|".join(r"\s+".join(map(re.escape, label.split())) for label in sorted(labels, key=len, reverse=True))
    text = re.sub(rf"!?\[{_WORDS}\]\[(?:{names})\]", r"\1", text, flags=re.IGNORECASE)
    text = re.sub(rf"!?\[({names})\](?![(\[:])", lambda match: "" if match[1][0] == "^" else match[1], text, flags=re.I)
    return text


def _seen(text: str) -> tuple[str, list[int]]:
    """The signs of a text that do not mark it up, and where each stands."""
    places = [place for place, sign in enumerate(text) if sign not in _UNSEEN]
    return "".join(text[place] for place in places).translate(_SAME), places


def _is_there(seen: str, start: int, url: str) -> bool:
    after = seen[start + len(url) : start + len(url) + 2]
    return seen.startswith(url, start) and not re.match(r"[\w/%#&=+@-]|[.?:,;!~]\w", after)


def _replaced(text: str, places: Sequence[int], found: Iterable[tuple[int, int, str]]) -> str:
    made: list[str] = []
    place = last = 0
    for start, end, instead in sorted(found, key=lambda each: (each[0], -each[1])):
        if start < last or start >= end:
            continue
        made += [text[place : places[start]], instead]
        place, last = places[end - 1] + 1, end
        if not instead and text[place : place + 1] == ">" and made[-2].endswith("<"):
            made[-2], place = made[-2][:-1], place + 1
    return "".join(made) + text[place:]
