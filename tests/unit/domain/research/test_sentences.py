"""Every sentence of a draft is seen once, at its place, with what it cites; only what claims something needs a source."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.research.sentences import sentences

DRAFT = """# Bikes

Acme sold 4.2 million bikes in 2020. [[c1]] It was the best year, said Dr. Smith of the U.S. office [[c2, c3]]. Why is that?
We think that it is fine.

- First point by J. Doe: growth was 20 % [[c4]].
- second point
  over two lines in Peru. [[c5]]

> quoted thing of 2019 [[c6]]

| year | sold |
|---|---|
| 2020 | 5 [[c7]] |

```
Code sold 5 million in 2020.
```

## Ende

销量在二〇二〇年上升。第二句话在这里说了一些事情[[c8]]。
"""


def test_sentences_are_found_with_their_citations_and_sections() -> None:
    found = [(sentence.text, sentence.cites, sentence.section) for sentence in sentences(DRAFT)]
    assert found == [
        ("Acme sold 4.2 million bikes in 2020.", ("c1",), "Bikes"),
        ("It was the best year, said Dr. Smith of the U.S. office.", ("c2", "c3"), "Bikes"),
        ("Why is that?", (), "Bikes"),
        ("We think that it is fine.", (), "Bikes"),
        ("First point by J. Doe: growth was 20 %.", ("c4",), "Bikes"),
        ("second point over two lines in Peru.", ("c5",), "Bikes"),
        ("quoted thing of 2019", ("c6",), "Bikes"),
        ("2020 | 5", ("c7",), "Bikes"),
        ("销量在二〇二〇年上升。", (), "Ende"),
        ("第二句话在这里说了一些事情。", ("c8",), "Ende"),
    ]


def test_each_has_its_place_in_the_draft() -> None:
    for sentence in sentences(DRAFT):
        piece = DRAFT[sentence.start : sentence.end]
        assert piece == piece.strip() and piece[:4] in sentence.text


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("The bridge is 120 metres long.", True),
        ("Half of the people there agree.", True),
        ("The company was founded by Jane Roe.", True),
        ("Prices rose because demand was high.", True),
        ("It is the largest city of the region.", True),
        ("销量在去年有所上升。", True),
        ("How long is the bridge, in metres, in 2020?", False),
        ("We believe that Acme will grow by 20 %.", False),
        ("In our view, Peru is the best market.", False),
        ("It looks nice there.", False),
        ("This section is about 3 companies.", False),
        ("The following section compares Acme and Bolt.", False),
        ("Below, the figures of 2020 are compared.", False),
        ("This report finds that Acme sold 5 million bikes.", True),
        ("It is worth noting that Acme sold 5 million bikes in 2020.", True),
        ("Note: Acme was sold to Bolt Motors for 3 billion dollars.", True),
        ("It is worth 3 billion dollars.", True),
        ("Below 20 degrees, the reaction stops.", True),
        ("Yes, 5.", False),
        ("Length: 412 m", True),
        ("Founded: 1987", True),
        ("GDP: 5 bn", True),
        ("CEO: Ada Quill", True),
    ],
)
def test_what_claims_something_needs_a_source(text: str, claims: bool) -> None:
    assert next(sentence.claims for sentence in sentences(text)) is claims


plain = st.sampled_from(
    [
        "Acme sold 5 bikes in 2020. [[c1]]",
        "It rose.",
        "Who knows?",
        "- A point of 3 [[c2]].",
        "# Part",
        "> said Jane Roe [[c3]]",
    ]
)


@given(st.lists(plain, max_size=12))
def test_sentences_never_overlap_and_come_in_order(parts: list[str]) -> None:
    found = sentences("\n\n".join(parts))
    assert all(first.end <= second.start for first, second in itertools.pairwise(found))
    assert len(found) == sum(not part.startswith("#") for part in parts)


@pytest.mark.parametrize("words", ["A. ", "e.g. ", "Dr. ", "**A:** ", "A|", "“A ", "Der der das "])
def test_a_model_that_says_one_word_for_ever_holds_up_no_worker(words: str) -> None:
    began = time.process_time()
    sentences((words * 48_000)[:48_000])
    assert time.process_time() - began < 1.5, "Temporal takes a workflow that is silent for two seconds for dead"


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    assert all(0 <= sentence.start < sentence.end <= len(text) for sentence in sentences(text))
