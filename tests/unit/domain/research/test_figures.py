"""A figure is the same however it is written, and another as soon as its value, its unit or its date is another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.research.figures import figures, not_shown


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("4,200,000 dollars", "rose to 4.2 million dollars"),
        ("$4.2m", "4.2 million dollars"),
        ("1.234 units", "1,234 units"),
        ("1 234 567 people", "1,234,567 people"),
        ("3,5 percent", "3.5 %"),
        ("12 GB", "12 gigabytes"),
        ("a 3-day trip", "it took three days"),
        ("on 1 May 2020", "on May 1, 2020"),
        ("on the 1st of May 2020", "2020-05-01"),
        ("in May 2020", "on 2020-05-01"),
        ("in 2020", "on 1 May 2020"),
        ("on 4 July", "July 4, 1999"),
        ("minus 5 degrees", "5 degrees below"),
        ("version 3", "three versions"),
        ("no figures at all", ""),
    ],
)
def test_the_same_in_other_words_is_shown(claimed: str, shown: str) -> None:
    assert not_shown(figures(claimed), [figures(shown)]) == []


@pytest.mark.parametrize(
    ("claimed", "shown", "missing"),
    [
        ("4.8 million dollars", "4.2 million dollars", ["4.8 million dollars"]),
        ("5 km away", "5 miles away", ["5 km"]),
        ("5 % of it", "5 points of it", ["5 %"]),
        ("on 2 May 2020", "on 1 May 2020", ["2 May 2020"]),
        ("in June 2020", "on 1 May 2020", ["June 2020"]),
        ("in 2021", "on 1 May 2020", ["2021"]),
        ("five bikes", "three bikes", ["five"]),
        ("4.2 billion", "4.2 million", ["4.2 billion"]),
    ],
)
def test_another_value_unit_or_date_is_missing_and_named(claimed: str, shown: str, missing: list[str]) -> None:
    assert not_shown(figures(claimed), [figures(shown)]) == missing


@pytest.mark.parametrize(
    "claimed",
    ["it grew by 20 %", "20 more than before", "220 in all", "1.2 times as many", "110 on average", "-20"],
)
def test_what_follows_from_two_shown_figures_is_shown_where_reckoning_is_allowed(claimed: str) -> None:
    shown = [figures("from 100 in May"), figures("to 120 in June")]
    assert not_shown(figures(claimed), shown, derives=True) == []
    assert not_shown(figures(claimed), shown) != []


@given(st.integers(13, 10**12), st.sampled_from(["{:,}", "{}"]))
def test_a_whole_number_is_itself_however_it_is_grouped(value: int, form: str) -> None:
    assert not_shown(figures(f"about {form.format(value)} of them"), [figures(f"{value} of them")]) == []
    assert not_shown(figures(f"about {form.format(value)} of them"), [figures(f"{value + 1} of them")]) != []


@given(st.text(max_size=200))
def test_any_text_has_figures_or_none(text: str) -> None:
    found = figures(text)
    assert not_shown(found, [found]) == []
