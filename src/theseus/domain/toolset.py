"""Which tools a task may use out of those that its worker and its tenant have."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from theseus.contracts.tools import PICK_EVIDENCE, READ_ARTIFACT, RESEARCH_ONLY, SEND_MESSAGE, ToolFacts

OF_THE_HOUSE = frozenset({SEND_MESSAGE, READ_ARTIFACT}) | RESEARCH_ONLY - {PICK_EVIDENCE}
"""What agents need to work with other tools: it reaches nothing outside of the task."""


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of these, or fits one with `*`."""
    return any(fnmatchcase(name, _literal(pattern)) for pattern in patterns)


def permitted(tools: Sequence[ToolFacts], patterns: Sequence[str] | None) -> tuple[ToolFacts, ...]:
    """Those that fit one of the patterns, and those of the house with them; None permits all."""
    if patterns is None:
        return tuple(tools)
    chosen = [tool.name for tool in tools if fits(tool.name, patterns)]
    return tuple(tool for tool in tools if chosen and (tool.name in chosen or tool.name in OF_THE_HOUSE))


def absent(tools: Sequence[ToolFacts], patterns: Sequence[str] | None) -> list[str]:
    """The patterns that no tool fits."""
    return [pattern for pattern in patterns or () if not any(fits(tool.name, [pattern]) for tool in tools)]


def _literal(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")
