"""How a draft is mended: another citation, another sentence, or none; what needs no mending stays as it is, byte for byte."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from theseus.contracts.research import Report, SentenceCheck, Support
from theseus.domain.research.sentences import CITATION

MOST_LEVEL = 6
"""Of a heading."""

_MARKER = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)]|>)\s*", re.MULTILINE)


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
    if CITATION.search(raw) is None:
        text = raw.rstrip("| ")
        return Repair(check.start, check.end, f"{text} {tokens}{raw[len(text) :]}")
    first = CITATION.search(raw)
    assert first is not None
    rest = CITATION.sub("", raw[first.end() :])
    return Repair(check.start, check.end, raw[: first.start()] + tokens + rest)


def rewritten(check: SentenceCheck, sentence: str) -> Repair:
    """Another sentence in its place, in one line; an empty one deletes it."""
    return Repair(check.start, check.end, " ".join(sentence.split()))


def deleted(check: SentenceCheck) -> Repair:
    """No sentence in its place."""
    return Repair(check.start, check.end, "")


def mended(draft: str, repairs: Iterable[Repair]) -> str:
    """The draft with its repairs made; all else is as it was, byte for byte.

    Where a deleted sentence was all of its line, the line goes, and a heading under which nothing is left goes with it.
    """
    made: list[str] = []
    place = 0
    deletes = False
    for repair in _joined(draft, sorted(repairs, key=lambda each: each.start)):
        start, end = repair.start, repair.end
        if not repair.text:
            deletes = True
            start, end = _whole_line(draft, start, end)
        made += [draft[place:start], repair.text]
        place = end
    text = "".join(made) + draft[place:]
    return _without_empty_sections(text) if deletes else text


def _joined(draft: str, repairs: Sequence[Repair]) -> list[Repair]:
    """Deletions that have nothing but space between them, as one."""
    found: list[Repair] = []
    for repair in repairs:
        last = found[-1] if found else None
        if last is not None and not last.text and not repair.text and not draft[last.end : repair.start].strip():
            found[-1] = Repair(last.start, repair.end, "")
        else:
            found.append(repair)
    return found


def _whole_line(draft: str, start: int, end: int) -> tuple[int, int]:
    begin = draft.rfind("\n", 0, start) + 1
    stop = draft.find("\n", end)
    stop = len(draft) if stop < 0 else stop + 1
    rest = draft[begin:start] + draft[end:stop]
    if any(sign.isalnum() for sign in _MARKER.sub("", rest)):
        # a space before it goes with it
        return (start - 1 if start > begin and draft[start - 1] == " " else start), end
    return begin, stop


def _without_empty_sections(text: str) -> str:
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    below = 0
    for line in reversed(lines):
        level = len(line) - len(line.lstrip("#")) if line.startswith("#") else 0
        if not level:
            below = MOST_LEVEL + 1 if line.strip() else below
            kept.append(line)
        elif below > level:
            below = level
            kept.append(line)
    return "".join(reversed(kept))


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
