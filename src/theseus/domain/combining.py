"""Putting results together: what a synthesizer is shown, and what stands in for its answer."""

from collections.abc import Mapping, Sequence

from theseus.domain.tokens import estimate

LEAST_SHOWN_CHARS = 400
MOST_COMPILED_TOKENS = 150_000
"""A result goes through a history, whose payloads have a limit."""


def material(query: str, results: Mapping[str, str], gaps: Sequence[str], room_tokens: int) -> str:
    """The task, the results by id, cut alike where they do not fit into so many tokens, and what is missing."""
    shown = _fitted(results, room_tokens)
    parts = [f"The task:\n{query}"]
    parts += [f"### Result of {name}\n{text}" for name, text in shown.items()]
    if gaps:
        parts.append("### Missing\n" + "\n".join(f"- {gap}" for gap in gaps))
    parts.append("Write the answer to the task now.")
    return "\n\n".join(parts)


def compiled(results: Mapping[str, str]) -> str:
    """The results one after another, cut where all would be too much, as an answer of last resort; empty without any."""
    shown = _fitted(results, MOST_COMPILED_TOKENS)
    if len(shown) == 1:
        return next(iter(shown.values()))
    return "\n\n".join(f"## {name}\n\n{text}" for name, text in shown.items())


def with_gaps(text: str, gaps: Sequence[str]) -> str:
    """An answer that says what is missing in it, whatever its writer said."""
    if not gaps:
        return text
    return f"{text}\n\n**Missing in this answer:**\n" + "\n".join(f"- {gap}" for gap in gaps)


def briefing(
    task: str, description: str, expected: str, results: Mapping[str, str], feedback: str, room_tokens: int
) -> str:
    """What an agent is told: its work, what it should look like, and the results that it builds on."""
    parts = [description]
    if task and " ".join(task.split()) != " ".join(description.split()):
        parts.append(f"It is part of this task, on which others work too:\n{task}")
    if expected:
        parts.append(f"Expected:\n{expected}")
    parts += [f"### Result of {name}, done before\n{text}" for name, text in _fitted(results, room_tokens).items()]
    if feedback:
        parts.append(f"An earlier try was not good enough:\n{feedback}")
    return "\n\n".join(parts)


def head_of(text: str, room_tokens: int) -> str:
    """The beginning of a text, in about so many tokens."""
    return _fitted({"": text}, room_tokens)[""]


def _fitted(results: Mapping[str, str], room_tokens: int) -> dict[str, str]:
    wanted = sum(estimate(text) for text in results.values())
    if wanted <= room_tokens:
        return dict(results)
    keep = room_tokens / wanted
    return {name: _cut(text, max(int(len(text) * keep), LEAST_SHOWN_CHARS)) for name, text in results.items()}


def _cut(text: str, chars: int) -> str:
    if len(text) <= chars:
        return text
    return f"{text[:chars]}\n[{len(text) - chars} more characters are left out]"
