"""A report's draft as sentences with their places, their citations, and whether they claim anything.

A citation is `[[id]]` or `[[id, id]]`. Headings, questions, code and what is marked as opinion or passage claim nothing.
HTML, indented lines and definitions of links are text like any other: a report shows them as such.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from markdown_it import MarkdownIt

from theseus.domain.research.languages import language_of, words_in
from theseus.domain.research.numerals import numerals

CITATION = re.compile(r"\[\[\s*([\w-]+(?:\s*[,;]\s*[\w-]+)*)\s*\]\]")
LEAST_CLAIM_LETTERS = 8
LEAST_FIGURE_LETTERS = 5
"""Of what has a digit: an item such as "Length: 412 m" claims something."""
LEAST_CLAIM_SIGNS = 6
"""Of scripts that need fewer signs for a word."""

_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable("table")
    # what is inside a block is not read here, and reading it may take long
    .disable(["reference", "html_block", "code", "inline", "text_join"])
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_END = re.compile(
    r"(?:[.!?\u2026]+[\"'\u201d\u2019)\]*_]*|[\u3002\uff01\uff1f]+[\u300d\u201d]?)(?:\s*\[\[[^\[\]]*\]\])*(?=\s|$|[^\x00-\x7f])"
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|cf|no|nos|vol|fig|al|approx|inc|ltd|co|corp|dept|est|jr|sr|u\.s|u\.k|u\.n"
    r"|z\.b|bzw|ca|nr)|(?<![\w.])[A-Z])\.$",
    re.IGNORECASE,
)
LONGEST_ABBREVIATION = 12
_FIGURE = re.compile(
    r"\d|%|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|third|quarter|double)\b", re.I
)
_CAPITALS = "A-Z" + "".join(sign for sign in map(chr, range(0xC0, 0x530)) if sign.isupper())
"""Of the Latin, Greek and Cyrillic scripts."""
_NAME = re.compile(rf"\b[{_CAPITALS}][\w&'\u2019-]*\w\b")
_CAUSE = re.compile(
    r"\b(?:because|cause[sd]?|due to|leads? to|led to|results? in|resulted in|therefore|thus|hence|owing to|drives?|drove"
    r"|first|last|only|most|least|best|worst|largest|smallest|highest|lowest|fastest|slowest|oldest|youngest|longest|never|always"
    r"|more \w+ than|less \w+ than|\w+er than|weil|wegen|deshalb|daher|parce qu\w+|à cause|grâce à|en raison|donc"
    r"|l[ea]s? plus|porque|debido a|por eso|(?:el|la|los|las) más|devido a|(?:o|a|os|as) mais|perché|a causa|grazie a|(?:il|la|i|le) più)\b",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"^(?:in (?:our|my) (?:view|opinion)|we (?:think|believe|recommend|suggest)|arguably|opinion:)", re.IGNORECASE
)
_PASSAGE = re.compile(
    # what a report says of itself; "it is worth noting that ..." and "note: ..." only begin what is claimed
    r"^(?:(?:this|the (?:following|next)) (?:report|section|part)s? (?:(?:is|are) (?:about|structured|organi[sz]ed|divided|limited to)"
    r"|(?:first |then |also )?(?:asks?|begins?|compares?|covers?|deals?|describes?|discuss(?:es)?|examines?|explains?|explores?|looks?"
    r"|outlines?|presents?|reviews?|summari[sz]es?|turns?)\b)"
    r"|below,|below (?:is|are|follows?)\b|in (?:summary|short|sum|conclusion)[,:]?\s*$|overall[,:]?\s*$)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:\*\*|__)[^*_]{1,80}(?::\s?(?:\*\*|__)|(?:\*\*|__)\s?:)")
"""Words in bold with a colon begin an item as a heading does."""
_DRESS = " *_\"'\u201c\u201e\u2018\u00ab(["
REACH = 8
"""So many signs before a word are looked at for what it begins."""
_LATIN = re.compile(r"[A-Za-z]")
_MARKER = re.compile(r"(?:\s|>|[-*+]\s|\d{1,3}[.)]\s|\|)*")
_NO_NAMES = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "the",
        "a",
        "an",
    ]
)


@dataclass(frozen=True)
class Sentence:
    """One sentence of a draft. `start` and `end` are its place there, citations included; `text` is without them."""

    start: int
    end: int
    text: str
    cites: tuple[str, ...]
    section: str
    claims: bool


@dataclass(frozen=True)
class Block:
    """A heading, a text (a paragraph, with the list marker before it) or a table's row: whole lines of a draft."""

    kind: Literal["heading", "text", "row"]
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True)
class Layout:
    """The blocks of a draft in order, and where its tables are, their heads included."""

    blocks: list[Block] = field(default_factory=list)
    tables: list[tuple[int, int]] = field(default_factory=list)


def sentences(draft: str) -> list[Sentence]:
    """The sentences of a Markdown draft, in order; a table's row is one."""
    found: list[Sentence] = []
    section = ""
    language = language_of(draft)
    for block in layout(draft).blocks:
        if block.kind == "heading":
            section = draft[block.start : block.end].strip("# \n=-")
            continue
        in_row = block.kind == "row"
        pieces = [(block.start, block.end)] if in_row else _split(draft, block.start, block.end)
        for start, end in pieces:
            sentence = _sentence(draft, start, end, in_row=in_row)
            if sentence is not None:
                claims = _claims(sentence.text, language, in_row=in_row)
                found.append(replace(sentence, section=section, claims=claims))
    return found


def layout(draft: str) -> Layout:
    """The blocks and tables of a Markdown draft; code is none."""
    # only these signs end a line of Markdown: others would put all that follows at a wrong place
    lines = [match.start() for match in _LINE.finditer(draft)] + [len(draft)]
    found = Layout()
    is_heading = in_table = is_header = False
    for token in _MARKDOWN.parse(draft):
        start, end = (lines[token.map[0]], lines[token.map[1]]) if token.map else (0, 0)
        match token.type:
            case "heading_open":
                is_heading = True
                found.blocks.append(Block("heading", start, end, int(token.tag[1:])))
            case "heading_close":
                is_heading = False
            case "table_open":
                in_table = True
                found.tables.append((start, end))
            case "table_close":
                in_table = False
            case "thead_open" | "thead_close":
                is_header = token.nesting > 0
            case "inline" if token.map and not in_table and not is_heading:
                found.blocks.append(Block("text", start, end))
            case "tr_open" if token.map and not is_header:
                found.blocks.append(Block("row", start, end))
            case _:
                pass
    return found


def _split(draft: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    marker = _MARKER.match(draft, start, end)
    for match in _END.finditer(draft, marker.end() if marker else start, end):
        word = max(begin, match.start() - LONGEST_ABBREVIATION)
        if draft[match.start()] == "." and _ABBREVIATED.search(draft, word, match.start() + 1):
            continue
        yield begin, match.end()
        begin = match.end()
    if begin < end:
        yield begin, end


def _sentence(draft: str, start: int, end: int, *, in_row: bool) -> Sentence | None:
    marker = _MARKER.match(draft, start, end)
    begin = marker.end() if marker else start
    raw = draft[begin:end].rstrip()
    cites = tuple(
        dict.fromkeys(
            name.strip() for group in CITATION.findall(raw) for name in re.split(r"[,;]", group) if name.strip()
        )
    )
    cells = [" ".join(cell.split()) for cell in CITATION.sub("", raw).split("|")]
    text = (" | " if in_row else " ").join(cell for cell in cells if cell)
    text = re.sub(r"\s+([.,;:!?])", r"\1", text)
    if not any(map(str.isalnum, text)):
        return None
    return Sentence(begin, begin + len(raw), text, cites, "", claims=False)


def _claims(text: str, language: str, *, in_row: bool) -> bool:
    plain = text.strip("*_\"'\u201c\u201d ")
    if in_row:
        return any(map(str.isdigit, plain)) or bool(names(text))
    letters = sum(map(str.isalpha, plain))
    if plain.endswith(("?", "\uff1f")) or _OPINION.search(plain) or _PASSAGE.search(plain):
        return False
    if not _LATIN.search(plain):
        return letters >= LEAST_CLAIM_SIGNS
    least = LEAST_FIGURE_LETTERS if any(map(str.isdigit, plain)) else LEAST_CLAIM_LETTERS
    if letters < least:
        return False
    return bool(_FIGURE.search(plain) or names(text) or _CAUSE.search(plain)) or _counts(plain, language)


def _counts(text: str, language: str) -> bool:
    """Whether it has a number in words."""
    small = text.lower()
    return any(True for _ in numerals(small, words_in(small), language))


def names(text: str) -> list[str]:
    """What looks like a name: words with a capital within a sentence or a cell, and a first word that is all capitals."""
    return [word for word, begins in _capitals(text) if not begins or word.isupper()]


def first_words(text: str) -> list[str]:
    """The words with a capital that begin a sentence or a cell: they may be names."""
    return [word for word, begins in _capitals(text) if begins and not word.isupper()]


def _capitals(text: str) -> list[tuple[str, bool]]:
    """Words with a capital, and whether something begins with them; those of a label are a heading's."""
    said = _LABEL.sub("", text, count=1)
    found: dict[tuple[str, bool], None] = {}
    for match in _NAME.finditer(said):
        before = said[max(match.start() - REACH, 0) : match.start()].rstrip(_DRESS)
        begins = before.endswith("|") if before else match.start() <= REACH
        if match.group().lower() not in _NO_NAMES:
            found[match.group(), begins] = None
    return list(found)
