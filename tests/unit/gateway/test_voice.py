"""Whatever a model says on the way, all that was told ends with the answer, and nothing of it is told twice in a row."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.events import LLMPartial, PartialFacts
from theseus.gateway.openai.voice import BREAK, Voice

AT = datetime(2026, 1, 2, tzinfo=UTC)


def part(text: str, step: int = 1, attempt: int = 1, agent: str = "") -> LLMPartial:
    place = PartialFacts(step=step, attempt=attempt, index=0)
    return LLMPartial(workflow_id="t", agent_id=agent, timestamp=AT, message=text, payload=place)


@pytest.mark.parametrize(
    ("parts", "answer", "told"),
    [
        ([], "all", "all"),
        ([part("a"), part("b")], "ab", "ab"),
        ([part("a")], "a and its gaps", "a and its gaps"),
        ([part("let me see"), part("42", step=2)], "42", f"let me see{BREAK}42"),
        ([part("let me see")], "42", f"let me see{BREAK}42"),
        ([part("  "), part("42", step=2)], "42", "  42"),
        ([part("the c"), part("the", attempt=2), part(" capital", attempt=2)], "the capital", "the capital"),
        ([part("the c"), part("a", attempt=2)], "a", f"the c{BREAK}a"),
        ([part("new", attempt=2), part("old")], "new", "new"),
        ([part("from an agent", agent="a/1")], "mine", "mine"),
    ],
)
def test_what_is_told(parts: list[LLMPartial], answer: str, told: str) -> None:
    voice = Voice(is_live=True)
    assert "".join(voice.hear(each) for each in parts) + voice.close(answer) == told


def test_what_may_be_written_anew_is_told_once_it_is_final() -> None:
    voice = Voice(is_live=False)
    assert voice.hear(part("a draft")) == ""
    assert voice.close("the report") == "the report"


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(1, 3), st.integers(1, 3)), max_size=8), st.text(min_size=1))
def test_all_that_was_told_ends_with_the_answer(parts: list[tuple[str, int, int]], answer: str) -> None:
    voice = Voice(is_live=True)
    told = "".join(voice.hear(part(text, step, attempt)) for text, step, attempt in parts) + voice.close(answer)
    assert told.endswith(answer)
