"""A query in other words is the same query; with another number, or another word that counts, it is another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.research.passages import fitting, paragraphs, telling
from theseus.domain.research.queries import granted, similarity

WORDS = st.lists(st.sampled_from(["bridge", "length", "varn", "mayor", "budget", "river"]), min_size=1, unique=True)


@given(WORDS, st.randoms())
def test_order_case_and_signs_do_not_matter(words: list[str], random: object) -> None:
    other = sorted(words, reverse=True)
    assert similarity(" ".join(words), f"The {', '.join(other).upper()}?") == 1.0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("budget of Varn 2024", "budget of Varn 2025"),
        ("length of the bridge", "mayor of the town"),
        ("a the", "bridge"),
    ],
)
def test_other_numbers_and_other_words_make_another_query(first: str, second: str) -> None:
    assert similarity(first, second) < 0.85


def test_only_what_was_granted_stands_in_the_way() -> None:
    asked = [("1", "varn bridge length"), ("2", "length of varn bridge"), ("3", "varn mayor")]
    assert [granted(asked, call) for call in ("1", "2", "3")] == [None, "varn bridge length", None]


@given(st.text(max_size=4000), st.integers(1, 3000))
def test_passages_stand_in_the_text_and_fit(text: str, room: int) -> None:
    found = fitting(text, "bridge", room)
    assert all(text[part.start :].startswith(part.text) for part in found)
    assert len(text) <= room or sum(len(part.text) for part in found) <= room
    assert [part.start for part in found] == sorted(part.start for part in found)


def test_what_fits_the_question_is_found_in_a_long_page() -> None:
    text = "\n\n".join(f"Paragraph {number} on weather." for number in range(500)) + "\n\nThe bridge is long."
    assert [part.text for part in fitting(text, "how long is the bridge", 500)] == ["The bridge is long."]
    assert len(paragraphs("word " * 2000)) > 5


def test_the_sentence_that_says_most_is_picked_whole_and_where_it_stands() -> None:
    text = "The weather is fine today in all of the land.\n\nVarn has many bridges. The bridge of\nVarn is 412.5 metres long. It is old and grey."
    found = telling(text, "how many metres long is the bridge of Varn")
    assert found is not None and found.text == "The bridge of\nVarn is 412.5 metres long."
    assert text[found.start :].startswith(found.text)
    assert telling(text, "the price of butter in the capital city") is None
