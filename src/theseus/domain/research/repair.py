"""How a draft is mended: another citation, another sentence, or none; what needs no mending stays as it is, byte for byte."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from theseus.contracts.research import Report, SentenceCheck, Support
from theseus.domain.research.sentences import CITATION, Block, Layout, layout

_MARKER = re.compile(r"[ \t]*(?:(?:>|[-*+](?=\s)|\d{1,9}[.)](?=\s))[ \t]*)*")
_OPENING = re.compile(r"\A(?:#{1,6}\s|[-*+>|]\s*|\d{1,9}[.)]\s|[`~]{3,}|={2,}|\s)+(?=.*\w)")
"""What would make a heading, an item, a quote or code of a sentence that stands at the beginning of its line."""
_STARTS_BLOCK = re.compile(r"#{1,6}(?=\s)|[-*+](?=\s)|>|[`~]{3}|\||={2,}\s*$|-{2,}\s*$", re.MULTILINE)
_SPACE_AFTER = re.compile(r"[ \t]*(?:\r\n?|\n)[ \t]*(?:>[ \t]?)*|[ \t]+")
_SPACE_BEFORE = re.compile(r"[ \t]*(?:\r\n?|\n)[ \t]*(?:>[ \t]?)*\Z|[ \t]\Z")


@dataclass(frozen=True)
class Repair:
    """A span of the draft and what stands there instead; nothing deletes it."""

    start: int
    end: int
    text: str


def cited_anew(draft: str, check: SentenceCheck) -> Repair | None:
    """The sentence with the citations that show it; None where the rules know none."""
    if not check.better:
        return None
    kept = tuple(name for name in check.cites if name in check.better)
    tokens = "".join(f"[[{name}]]" for name in kept or check.better[:1])
    raw = draft[check.start : check.end]
    first = CITATION.search(raw)
    if first is None:
        text = raw.rstrip("| ")
        return Repair(check.start, check.end, f"{text} {tokens}{raw[len(text) :]}")
    rest = CITATION.sub("", raw[first.end() :])
    return Repair(check.start, check.end, raw[: first.start()] + tokens + rest)


def rewritten(check: SentenceCheck, sentence: str) -> Repair:
    """Another sentence in its place, in one line; an empty one deletes it. It begins no heading, item, quote or code."""
    return Repair(check.start, check.end, _OPENING.sub("", " ".join(sentence.split()), count=1))


def deleted(check: SentenceCheck) -> Repair:
    """No sentence in its place."""
    return Repair(check.start, check.end, "")


def mended(draft: str, repairs: Iterable[Repair]) -> str:
    """The draft with its repairs made; all else is as it was, byte for byte.

    Of a text of which nothing is left its lines go, of a table without rows its head, and a heading goes whose section
    has become empty. A row that is rewritten keeps its last bar.
    """
    wanted = sorted(repairs, key=lambda each: each.start)
    gone = [each for each in wanted if not each.text]
    edits = [_in_row(draft, each) for each in wanted if each.text]
    if gone:
        made = layout(draft)
        edits += _deletions(draft, made, gone)
        edits += _empty_sections(draft, made.blocks, edits)
    return _edited(draft, 0, len(draft), edits)


def _edited(draft: str, start: int, end: int, edits: Iterable[Repair]) -> str:
    """A stretch of the draft with the edits that begin in it; one inside another that deletes more is made with it."""
    made: list[str] = []
    place = start
    for edit in sorted(edits, key=lambda each: (each.start, -each.end)):
        if edit.start < place or edit.start >= end:
            continue
        made += [draft[place : edit.start], edit.text]
        place = edit.end
    return "".join(made) + draft[place:end]


def _in_row(draft: str, repair: Repair) -> Repair:
    is_row = draft[repair.start : repair.end].endswith("|")
    return Repair(repair.start, repair.end, f"{repair.text} |") if is_row and "|" not in repair.text else repair


def _deletions(draft: str, made: Layout, gone: Sequence[Repair]) -> list[Repair]:
    found: list[Repair] = []
    empty: set[int] = set()
    for block in made.blocks:
        inside = [each for each in gone if block.start <= each.start < block.end]
        if not inside:
            if block.kind == "row" and not _says(draft[block.start : block.end]):
                empty.add(block.start)
        elif not _says(_left_of(draft, block, inside)):
            empty.add(block.start)
            found.append(_whole(draft, block, inside))
        else:
            found += [_part(draft, block, first, last) for first, last in _runs(draft, inside)]
    for start, end in made.tables:
        rows = [block.start for block in made.blocks if start <= block.start < end]
        if rows and all(row in empty for row in rows):
            found.append(Repair(start, end, ""))
    return found


def _left_of(draft: str, block: Block, gone: Sequence[Repair]) -> str:
    """What is left of a block, without what only begins it."""
    marker = _MARKER.match(draft, block.start, block.end)
    begin = min(marker.end() if marker else block.start, gone[0].start)
    return CITATION.sub("", _edited(draft, begin, block.end, gone))


def _says(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _whole(draft: str, block: Block, gone: Sequence[Repair]) -> Repair:
    """The lines of a block; an item that has more below it keeps its marker."""
    below = draft[block.end :].lstrip("\r\n").partition("\n")[0]
    first = draft[block.start : block.end]
    begins = gone[0].start - block.start
    if first[:begins].strip() and below.strip() and _indent(below) > _indent(first):
        last = len(draft[block.start : block.end].rstrip("\r\n"))
        return Repair(gone[0].start, block.start + last, "")
    return Repair(block.start, block.end, "")


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))


def _runs(draft: str, gone: Sequence[Repair]) -> list[tuple[int, int]]:
    """Where deletions are that have nothing but space between them, as one."""
    found: list[tuple[int, int]] = []
    for each in gone:
        if found and not draft[found[-1][1] : each.start].strip(" \t\r\n>"):
            found[-1] = found[-1][0], each.end
        else:
            found.append((each.start, each.end))
    return found


def _part(draft: str, block: Block, start: int, end: int) -> Repair:
    """A part of a block, with the space on one side of it."""
    marker = _MARKER.match(draft, block.start, block.end)
    after = _SPACE_AFTER.match(draft, end, block.end)
    before = _SPACE_BEFORE.search(draft, block.start, start)
    if start <= (marker.end() if marker else block.start):
        end = after.end() if after is not None else end
        # what did not begin a line before makes no heading, item or quote now
        return Repair(start, end, "\\" if _STARTS_BLOCK.match(draft, end, block.end) else "")
    if before is not None and after is not None and "\n" in before.group() and "\n" in after.group():
        return Repair(start, after.end(), "") if after.end() < block.end else Repair(before.start(), end, "")
    return Repair(before.start() if before is not None else start, end, "")


def _empty_sections(draft: str, blocks: Sequence[Block], edits: Sequence[Repair]) -> list[Repair]:
    """The headings under which something stood and nothing stands now."""
    heads = [block for block in blocks if block.kind == "heading"]
    under = list(zip([head.end for head in heads], [*(head.start for head in heads[1:]), len(draft)], strict=False))
    had = [bool(draft[start:end].strip()) for start, end in under]
    has = [bool(_edited(draft, start, end, edits).strip()) for start, end in under]
    found: list[Repair] = []
    for place, head in enumerate(heads):
        last = next((at for at in range(place + 1, len(heads)) if heads[at].level <= head.level), len(heads))
        if any(had[place:last]) and not any(has[place:last]):
            found.append(Repair(head.start, head.end, ""))
    return found


def score(checks: Sequence[SentenceCheck]) -> Report:
    """What the rules say of a whole draft; one without claims has nothing unsupported."""
    claims = [check for check in checks if check.claims]
    count = {kind: sum(check.support is kind for check in claims) for kind in Support}
    return Report(
        score=round(count[Support.SUPPORTED] / len(claims), 4) if claims else 1.0,
        claims=len(claims),
        supported=count[Support.SUPPORTED],
        weak=count[Support.WEAK],
        unsupported=count[Support.UNSUPPORTED],
        cited=sum(bool(check.cites) for check in claims),
        sentences=list(checks),
    )


def upgraded(checks: Sequence[SentenceCheck], shown: Mapping[int, bool]) -> list[SentenceCheck]:
    """The checks with weak sentences taken as supported where a model agrees that their quotes show them."""
    return [
        check.model_copy(update={"support": Support.SUPPORTED, "reasons": ()})
        if check.support is Support.WEAK and shown.get(number)
        else check
        for number, check in enumerate(checks)
    ]
