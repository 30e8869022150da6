"""The passages of a page that fit a question are found in time that grows with the page, not with its square."""

import time

from theseus.domain.research.passages import fitting, telling

LINES = [f"Entry {number} of the register: a barge of {number * 7} tonnes, paid in full." for number in range(20_000)]


def test_of_a_page_of_many_paragraphs_the_one_that_fits_is_found_within_seconds() -> None:
    lines = list(LINES)
    lines[13_000] = "The lighthouse of Quarn is 61 metres high."
    began = time.perf_counter()
    found = fitting("\n\n".join(lines), "how high the lighthouse is", 400)
    assert lines[13_000] in [passage.text for passage in found]
    assert time.perf_counter() - began < 10, "to count each word anew for each paragraph takes minutes"


def test_rare_words_weigh_more_than_frequent_ones() -> None:
    lines = ["The barge is here."] * 20 + ["The lighthouse is there."]
    (best,) = fitting("\n\n".join(lines), "the barge and the lighthouse", 30)
    assert best.text == "The lighthouse is there."


def test_words_that_only_ask_are_not_looked_for() -> None:
    answer = "Conffiles of a removed package stay there until it is purged by hand."
    found = telling(
        f"Packages are many.\n\n{answer}", "How and why are conffiles of a Debian package handled when it is removed?"
    )
    assert found is not None and found.text == answer
