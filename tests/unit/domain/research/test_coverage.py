"""A facet is established by independent websites, not by many quotes of one."""

import pytest

from theseus.contracts.research import Card, Facet, ResearchPlan, Source, SubQuestion
from theseus.domain.research.contradictions import contradictions
from theseus.domain.research.coverage import (
    MOST_OF_FACET,
    covered_percent,
    gain,
    matrix,
    open_rows,
    shown,
    unseen,
    with_room,
)

PLAN = ResearchPlan(
    questions=[
        SubQuestion(
            id="q",
            question="q",
            facets=[
                Facet(id="one", text="the first", domains=1),
                Facet(id="two", text="the second", domains=2),
                Facet(id="nice", text="the third", must=False),
            ],
        )
    ]
)


def card(name: str, facet: str, domain: str, claim: str = "something is so") -> Card:
    return Card(
        id=name,
        claim=claim,
        quote=claim,
        source=Source(id=f"s-{domain}", url="u", domain=domain),
        question="q",
        facet=facet,
    )


def test_two_quotes_of_one_website_are_one_voice() -> None:
    rows = matrix(PLAN, [card("a", "one", "x.org"), card("b", "two", "x.org"), card("c", "two", "x.org")])
    assert [row.is_established for row in rows] == [True, False, False]
    assert covered_percent(rows) == 50 and [row.facet for row in open_rows(rows)] == ["two"]
    rows = matrix(PLAN, [card("b", "two", "x.org"), card("c", "two", "y.org")])
    assert [row.is_established for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("before", "after", "is_copy"),
    [
        ("The sand gets everywhere. ", "Sweeping it away never ends, say those who do it. " * 2, True),
        ("Reprinted with thanks. ", "Sweeping it away never ends, say those who do it. " * 2, True),
        ("The sand gets everywhere. ", "Nobody knows why that is so, and nobody wants to know it either. " * 2, False),
        ("", "", False),
    ],
)
def test_a_page_that_copies_another_is_no_second_voice(before: str, after: str, is_copy: bool) -> None:
    first, second = card("b", "two", "x.org"), card("c", "two", "y.org")
    rest = "Sweeping it away never ends, say those who do it. " * 2
    cards = [
        first.model_copy(update={"window": f"The sand gets everywhere. {first.quote} {rest}"}),
        second.model_copy(update={"window": f"{before}{second.quote} {after}"}),
    ]
    assert [row.is_established for row in matrix(PLAN, cards)] == [False, not is_copy, False]


def test_evidence_of_another_question_counts_for_nothing() -> None:
    foreign = card("a", "one", "x.org").model_copy(update={"question": "other"})
    assert covered_percent(matrix(PLAN, [foreign])) == 0


def test_one_website_does_not_contradict_itself_here() -> None:
    cards = [card("a", "one", "x.org", "It is 4 km long."), card("b", "one", "x.org", "It is 5 km long.")]
    assert contradictions(matrix(PLAN, cards), cards) == []


def test_a_round_is_measured_by_what_is_new() -> None:
    before = [card("a", "one", "x.org")]
    after = [*before, card("b", "one", "x.org"), card("c", "one", "y.org")]
    made = gain(before, after)
    assert (made.cards, made.domains, made.percent) == (2, 1, 66)


def test_the_matrix_in_words_keeps_its_heads_when_claims_do_not_fit() -> None:
    cards = [card(f"c{n}", "one", f"d{n}.org", "claim " * 40) for n in range(6)]
    rows = matrix(PLAN, cards)
    whole, short = shown(rows, cards, 10_000), shown(rows, cards, 60)
    assert whole.count("claim claim") > short.count("claim claim")
    assert "q/two: the second [open; 0 of 2 domains]" in short and "nice to have" in short


def test_of_one_facet_so_much_evidence_is_kept_as_a_report_can_use() -> None:
    many = [card(f"{facet}{n}", facet, "x.org") for n in range(40) for facet in ("one", "two")]
    first = with_room({}, unseen({}, many[:20]))
    assert list(first.values()) == many[:20]
    rest = with_room(first, unseen(first, many))
    assert list(rest.values()) == many[20 : 2 * MOST_OF_FACET]
