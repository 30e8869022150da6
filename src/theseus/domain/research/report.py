"""From a draft that cites evidence by ids to the report that people read, and to the one that programs read."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from theseus.contracts.research import Card, Contradiction, FacetRow, ResearchPlan, Source
from theseus.contracts.task import Citation
from theseus.domain.research.coverage import open_rows
from theseus.domain.research.figures import figures
from theseus.domain.research.markup import (
    FIRST_OWN,
    LAST_OWN,
    address,
    harmless,
    own_shown,
    plain,
    read,
    unlinked,
    without_addresses,
)
from theseus.domain.research.sentences import CITATION

HASH_CHARS = 8
QUOTE_CHARS = 300
MOST_COMPILED_BYTES = 200_000
"""So much of what is shown stands in for a text, with its sources: all of it has to fit into a result, with its checks."""
MOST_ADDRESS_BYTES = 300_000
"""So much of addresses is in a report's list of sources; those that come later are named by their title and site alone."""

_ID = r"\b[cs]-[0-9a-f]{8}\b"
_STRAY = re.compile(
    rf"\[\[[^\[\]\n]{{0,200}}\]\]| ?(?:\[{_ID}(?:[,;] ?{_ID})*\]|\({_ID}(?:[,;] ?{_ID})*\))(?!\()|{_ID}"
)
_STRAY_OR_OWN = re.compile(rf"({FIRST_OWN}[^{LAST_OWN}]*{LAST_OWN})|{_STRAY.pattern}")
_PIECES = re.compile(r"(?<![ \t])(?:[ \t]*\[\[[^\[\]\n]{0,200}\]\])+")


@dataclass(frozen=True)
class Words:
    """The headings that a report is given, in its language."""

    sources: str = "Sources"
    missing: str = "What could not be established"
    contradictions: str = "Where sources contradict each other"
    against: str = "against"
    shown_by: str = "shown by {have} of {need} independent sources"
    findings: str = "Findings"


WORDS: Mapping[str, Words] = {
    "en": Words(),
    "de": Words(
        "Quellen",
        "Was sich nicht belegen ließ",
        "Wo Quellen einander widersprechen",
        "gegen",
        "belegt von {have} von {need} unabhängigen Quellen",
        "Funde",
    ),
    "fr": Words(
        "Sources",
        "Ce qui n'a pas pu être établi",
        "Où les sources se contredisent",
        "contre",
        "établi par {have} sources indépendantes sur {need}",
        "Résultats",
    ),
    "es": Words(
        "Fuentes",
        "Lo que no se pudo establecer",
        "Dónde se contradicen las fuentes",
        "frente a",
        "mostrado por {have} de {need} fuentes independientes",
        "Hallazgos",
    ),
    "zh": Words("来源", "未能证实的内容", "来源之间的矛盾", "与", "{need} 个独立来源中有 {have} 个证实", "发现"),
    "ja": Words(
        "出典", "確認できなかったこと", "出典の間の矛盾", "対", "独立した出典 {need} 件中 {have} 件で確認", "所見"
    ),
}
_LANGUAGES = {
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "français": "fr",
    "spanish": "es",
    "español": "es",
    "chinese": "zh",
    "中文": "zh",
    "japanese": "ja",
    "日本語": "ja",
}


def words_of(language: str) -> Words:
    """The headings in a language, by its code or its name; English where they are not known."""
    name = re.split(r"[\s_(\uff08,;/-]", language.strip().lower(), maxsplit=1)[0]
    return WORDS.get(_LANGUAGES.get(name, name), WORDS["en"])


@dataclass(frozen=True)
class Found:
    """What a report stands on, beside its draft."""

    cards: Mapping[str, Card]
    rows: Sequence[FacetRow] = ()
    contradictions: Sequence[Contradiction] = ()
    words: Words = field(default_factory=Words)


def rendered(draft: str, found: Found, *, cites: bool) -> tuple[str, list[Citation]]:
    """The report as people read it, and its numbered sources.

    Sources are numbered in the order in which the text first cites them; several quotes of one share its number. Without
    `cites` the text has no numbers and no list of sources. No address is in it but those of sources, and no link but them.
    """
    numbers: dict[str, int] = {}
    quotes: dict[str, list[str]] = {}
    sources: dict[str, Source] = {}

    def number(match: re.Match[str]) -> str:
        marks: list[str] = []
        for name in _ids(match.group()):
            card = found.cards.get(name)
            if card is None:
                continue
            place = numbers.setdefault(card.source.id, len(numbers) + 1)
            sources[card.source.id] = card.source
            if card.quote not in quotes.setdefault(card.source.id, []):
                quotes[card.source.id].append(card.quote)
            if (mark := f"{FIRST_OWN}{place}{LAST_OWN}") not in marks:
                marks.append(mark)
        return f" {''.join(marks)}" if marks and cites else ""

    parts = [
        _bare(_PIECES.sub(number, read(draft)), found),
        *_contradictions(found, numbers, sources, cites=cites),
        *_missing(found),
    ]
    citations = [
        Citation(
            number=place,
            url=sources[name].url,
            title=sources[name].title,
            quote=" … ".join(" ".join(each.split()) for each in quotes.get(name, []))[:QUOTE_CHARS],
            published=sources[name].published,
        )
        for name, place in numbers.items()
    ]
    if cites and numbers:
        lines = _source_lines((place, sources[name]) for name, place in numbers.items())
        parts.append(f"## {found.words.sources}\n\n" + "\n".join(lines))
    return "\n\n".join(part for part in parts if part) + "\n", citations


def compiled(plan: ResearchPlan, found: Found) -> str:
    """The draft that stands in when no model can write one: what is shown, by question, each with its evidence.

    Of more than MOST_COMPILED_BYTES each question has the first of its evidence.
    """
    parts: list[str] = []
    for question in plan.questions:
        cards = list(_first(found.cards.values(), question.id, MOST_COMPILED_BYTES // len(plan.questions)))
        if cards:
            lines = [f"- {_sentence(card.claim)} [[{card.id}]]" for card in cards]
            parts.append(f"## {plain(question.question)}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _first(cards: Iterable[Card], question: str, room_bytes: int) -> Iterator[Card]:
    listed: set[str] = set()
    for card in cards:
        if card.question != question:
            continue
        room_bytes -= len(card.claim.encode())
        if card.source.id not in listed:
            room_bytes -= len(f"{card.source.title}{card.source.url}".encode())
            listed.add(card.source.id)
        if room_bytes < 0:
            return
        yield card


def facts(cards: Sequence[Card]) -> list[JsonValue]:
    """What the evidence says, for programs: a fact a card."""
    return [
        {
            "claim": card.claim,
            "figures": [number.text.strip() for number in figures(card.claim).numbers],
            "dates": [text for text, _ in figures(card.claim).days],
            "quote": card.quote,
            "url": card.source.url,
            "title": card.source.title,
            "published": card.source.published,
            "question": card.question,
            "facet": card.facet,
        }
        for card in cards
    ]


def _ids(token: str) -> list[str]:
    return [name.strip() for group in CITATION.findall(token) for name in re.split(r"[,;]", group) if name.strip()]


def _bare(text: str, found: Found) -> str:
    """A draft that has its numbers, without ids, links and markup that a report has not, and without other addresses."""
    cards = found.cards.values()
    words = " ".join(f"{card.quote} {card.window} {card.source.title} {card.source.domain}" for card in cards)
    text = unlinked(text, _STRAY)
    text = without_addresses(text, list(dict.fromkeys(card.source.url for card in cards)), words)
    # where an address stood, what was beside it may have become one
    text = _STRAY_OR_OWN.sub(lambda match: match[1] or "", text)
    return own_shown(harmless(text).strip())


def _contradictions(found: Found, numbers: dict[str, int], sources: dict[str, Source], *, cites: bool) -> list[str]:
    lines: list[str] = []
    for each in found.contradictions:
        sides: list[str] = []
        for name in (each.first, each.second):
            card = found.cards[name]
            place = numbers.setdefault(card.source.id, len(numbers) + 1)
            sources[card.source.id] = card.source
            mark = f" [{place}]" if cites else f" ({plain(card.source.domain)})"
            sides.append(f"{plain(card.claim).rstrip('.')}{mark}")
        lines.append(f"- {sides[0]} — {found.words.against} — {sides[1]}")
    return [f"## {found.words.contradictions}\n\n" + "\n".join(lines)] if lines else []


def _missing(found: Found) -> list[str]:
    lines: list[str] = []
    for row in open_rows(found.rows):
        have = found.words.shown_by.format(have=len(row.domains), need=row.needed)
        lines.append(f"- {plain(row.text)}" + (f" ({have})" if row.domains else ""))
    return [f"## {found.words.missing}\n\n" + "\n".join(lines)] if lines else []


def _source_lines(cited: Iterable[tuple[int, Source]]) -> Iterator[str]:
    left = MOST_ADDRESS_BYTES
    for number, source in cited:
        about = [plain(source.title or source.domain), plain(source.domain)]
        about += [plain(source.published)] if source.published else []
        shown = _address(source)
        left -= len(shown.encode())
        words = f"{number}. {'. '.join(dict.fromkeys(each for each in about if each))}."
        yield (
            f"{words} {shown} ({source.sha256[:HASH_CHARS]})"
            if left >= 0
            else f"{words} ({source.sha256[:HASH_CHARS]})"
        )


def _address(source: Source) -> str:
    is_link = source.url.startswith(("http://", "https://", "file://"))
    return f"<{address(source.url)}>" if is_link else plain(source.url)


def _sentence(text: str) -> str:
    line = plain(text)
    return line if line.endswith((".", "!", "?", "。")) else f"{line}."
