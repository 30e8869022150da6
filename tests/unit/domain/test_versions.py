"""Versions are ordered as semver.org says, never by their letters, and a name means the newest that is finished."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.versions import named, newest, parsed

numbers = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
finished = numbers.map(lambda each: ".".join(map(str, each)))


@given(st.lists(numbers, min_size=1))
def test_the_newest_is_the_largest_by_number(known: list[tuple[int, int, int]]) -> None:
    texts = [".".join(map(str, each)) for each in known]
    assert newest(texts) == ".".join(map(str, max(known)))


@given(st.lists(finished, min_size=1), st.lists(finished))
def test_what_is_not_finished_is_taken_only_where_nothing_is(done: list[str], begun: list[str]) -> None:
    assert newest([*done, *(f"{text}-rc.1" for text in begun)]) in done
    if begun:
        assert newest([f"{text}-rc.1" for text in begun]) in [f"{text}-rc.1" for text in begun]


@given(st.permutations(["1.0.0", "1.0.0+b", "1.0.0+a", "0.9.9", "1.0.0-rc.9"]))
def test_the_order_in_which_files_are_found_does_not_matter(texts: list[str]) -> None:
    assert newest(texts) == "1.0.0+b"


def test_the_order_of_semver_org() -> None:
    told = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
    ]
    for place in range(1, len(told) + 1):
        assert newest(told[:place]) == told[place - 1]
    assert newest([]) is None


@pytest.mark.parametrize("text", ["1.0", "v1.0.0", "latest", "", "1.0.0.0", "01.0.0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not valid SemVer"):
        parsed(text)


def test_a_reference_is_a_name_or_a_name_with_a_version() -> None:
    assert [named(text) for text in ("a", "a@1.0.0", "a@")] == [("a", None), ("a", "1.0.0"), ("a", "")]
