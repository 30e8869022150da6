"""A task uses no tool but those that its caller named; a name that nothing fits is told, not passed over."""

from datetime import timedelta

import pytest

from theseus.contracts.tools import Effect, ToolFacts
from theseus.domain.toolset import absent, fits, permitted

ALL = tuple(
    ToolFacts(name=name, effect=Effect.READ, timeout=timedelta(seconds=1))
    for name in ("calculator", "wiki__find", "wiki__read", "read_artifact", "send_message")
)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (None, ["calculator", "wiki__find", "wiki__read", "read_artifact", "send_message"]),
        (["calculator"], ["calculator", "read_artifact", "send_message"]),
        (["wiki__*"], ["wiki__find", "wiki__read", "read_artifact", "send_message"]),
        ([], []),
        (["nothing"], []),
        (["send_message"], ["read_artifact", "send_message"]),
    ],
)
def test_only_what_is_named_is_permitted(patterns: list[str] | None, names: list[str]) -> None:
    assert [tool.name for tool in permitted(ALL, patterns)] == names


def test_what_no_tool_fits_is_told() -> None:
    assert absent(ALL, ["calculator", "wiki__*", "nothing", "wiki_?"]) == ["nothing", "wiki_?"]
    assert absent(ALL, None) == []


@pytest.mark.parametrize(("name", "pattern"), [("a_b", "a?b"), ("a", "[a]"), ("ab", "a")])
def test_only_the_star_stands_for_letters(name: str, pattern: str) -> None:
    assert not fits(name, [pattern])
