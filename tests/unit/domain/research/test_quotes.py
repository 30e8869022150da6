"""A quote stands where it is said to stand, or nowhere: typography and slips pass, another number or a lost "not" never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.research.quotes import LEAST_LETTERS, find

PAGE = (
    "Bikes of the year\n\nIn 2020, Acme\u2019s revenue rose to 4.2 million dollars \u2014 the \u201cbest year\u201d so far.\n"
    "It did not\n   sell any bikes in Peru, said Jane Roe, who has led the com\u00adpany since May 2011."
)


@pytest.mark.parametrize(
    ("quote", "how"),
    [
        ("revenue rose to 4.2 million dollars", "exact"),
        ('Acme\'s revenue rose to 4.2 million dollars - the "best year" so far', "normalised"),
        ("It did not sell any bikes in Peru", "normalised"),
        ("IT DID NOT SELL ANY BIKES IN PERU", "normalised"),
        ("who has led the company since May 2011", "normalised"),
        ('"It did not sell any bikes in Peru"', "normalised"),
        ("It did not sell any bike in Peru, said Jane Roe", "fuzzy"),
        ("In 2020 Acme revenue rose to 4.2 million dollars, the best year so far", "fuzzy"),
    ],
)
def test_what_stands_there_is_found_with_its_place(quote: str, how: str) -> None:
    match = find(quote, PAGE)
    assert match is not None and match.how == how
    assert set(PAGE[match.start : match.end].lower().split()[1:3]) <= set(PAGE.lower().split())


@pytest.mark.parametrize(
    "quote",
    [
        "revenue rose to 4.8 million dollars",
        "It did sell any bikes in Peru, said Jane Roe",
        "who has led the company since May 2012",
        "Acme's revenue fell sharply in every market it sells to",
        "Peru",
        "",
        '"""""""""""""""""',
        "x" * 3000,
    ],
)
def test_what_differs_in_a_number_or_a_not_or_in_more_than_slips_is_not_there(quote: str) -> None:
    assert find(quote, PAGE) is None


words = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "12", "7.5", "not", "river", "bridge", "city"]),
    min_size=30,
    max_size=200,
)


@given(words, st.integers(0, 20), st.integers(5, 10))
def test_every_stretch_of_a_text_is_found_word_for_word(text: list[str], start: int, length: int) -> None:
    page = " ".join(text)
    quote = " ".join(text[start : start + length])
    match = find(quote, page)
    assert (match is None) == (sum(map(str.isalnum, quote)) < LEAST_LETTERS)
    assert match is None or (match.how, page[match.start : match.end]) == ("exact", quote)


@given(words, st.integers(0, 20), st.integers(6, 12), st.integers(0, 11))
def test_a_swapped_number_is_never_found(text: list[str], start: int, length: int, place: int) -> None:
    quote = text[start : start + length]
    quote[place % len(quote)] = "9999"
    assert find(" ".join(quote), " ".join(text)) is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_asked(quote: str, page: str) -> None:
    match = find(quote, page)
    assert match is None or 0 <= match.start < match.end <= len(page)
