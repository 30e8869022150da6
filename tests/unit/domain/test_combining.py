"""Results are shown whole where they fit, cut alike where not; what is missing is said, whoever writes the answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from theseus.domain.combining import LEAST_SHOWN_CHARS, briefing, compiled, material, with_gaps
from theseus.domain.tokens import estimate


def test_results_that_fit_are_shown_whole_under_their_ids() -> None:
    said = material("why?", {"a": "first", "b": "second"}, ["c (c: failed)"], 1000)
    assert "### Result of a\nfirst" in said and "### Result of b\nsecond" in said
    assert "### Missing\n- c (c: failed)" in said


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9_000), min_size=1), st.integers(500, 4_000))
def test_results_that_do_not_fit_are_cut_alike_and_say_so(sizes: dict[str, int], room: int) -> None:
    results = {name: "word " * (size // 5) for name, size in sizes.items()}
    said = material("why?", results, [], room)
    least = estimate("x" * LEAST_SHOWN_CHARS) * len(results)
    assert estimate(said) <= (room + least) * 1.1 + 40 * len(results)
    is_whole = sum(estimate(text) for text in results.values()) <= room
    assert ("more characters are left out]" not in said) == is_whole


def test_an_answer_of_last_resort_names_its_parts_unless_there_is_one() -> None:
    assert compiled({"a": "x"}) == "x"
    assert compiled({"a": "x", "b": "y"}) == "## a\n\nx\n\n## b\n\ny"
    assert compiled({}) == ""


def test_gaps_are_said_below_the_answer() -> None:
    assert with_gaps("fine", []) == "fine"
    assert with_gaps("fine", ["a", "b"]).endswith("**Missing in this answer:**\n- a\n- b")


def test_an_agent_is_told_the_whole_task_only_when_its_part_is_another() -> None:
    assert briefing("do it", "do  it", "", {}, "", 1000) == "do  it"
    said = briefing("the task", "a part", "a table", {"b": "found"}, "too short", 1000)
    assert said.split("\n\n") == [
        "a part",
        "It is part of this task, on which others work too:\nthe task",
        "Expected:\na table",
        "### Result of b, done before\nfound",
        "An earlier try was not good enough:\ntoo short",
    ]
