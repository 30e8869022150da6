"""People read numbers, sources and what is missing - no raw id, no markup of a page; mending leaves the rest as it was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from theseus.contracts.research import (
    Card,
    Contradiction,
    FacetRow,
    ResearchPlan,
    SentenceCheck,
    Source,
    SubQuestion,
    Support,
)
from theseus.domain.research.repair import Repair, cited_anew, deleted, mended, rewritten, score
from theseus.domain.research.report import Found, compiled, rendered, words_of
from theseus.domain.research.sentences import sentences


def card(name: str, source: str, claim: str = "It is so.", title: str = "A page") -> Card:
    made = Source(id=f"s-{source}", url=f"https://{source}/p", title=title, domain=source, sha256="ab" * 32)
    return Card(id=f"c-{name * 8}", claim=claim, quote=claim, source=made, question="q", facet="f")


ONE, TWO, SAME = card("1", "x.org"), card("2", "y.org"), card("3", "x.org", "And so.")
FOUND = Found({each.id: each for each in (ONE, TWO, SAME)})


def test_sources_are_numbered_as_they_come_and_one_source_has_one_number() -> None:
    draft = f"## T\n\nB. [[{TWO.id}]] A. [[{ONE.id}]][[{SAME.id}]] Both. [[{ONE.id}, {TWO.id}]]"
    text, citations = rendered(draft, FOUND, cites=True)
    assert "B. [1] A. [2] Both. [2][1]" in text
    assert [(c.number, c.url) for c in citations] == [(1, "https://y.org/p"), (2, "https://x.org/p")]
    assert citations[1].quote == "It is so. … And so."
    assert "1. A page. y.org. <https://y.org/p> (abababab)" in text


@given(
    st.lists(
        st.sampled_from(
            [
                f"[[{ONE.id}]]",
                "[[c-deadbeef]]",
                "[[nonsense]]",
                ONE.id,
                "`[[c-00000000]]`",
                "word. ",
                "# x\n",
                "[[" * 3,
                "]]",
            ]
        )
    )
)
def test_no_raw_id_is_ever_left(parts: list[str]) -> None:
    text, _ = rendered("".join(parts), FOUND, cites=True)
    body = text.partition("## Sources")[0]
    assert not re.search(r"\bc-[0-9a-f]{8}\b", body) and "nonsense]]" not in body


@pytest.mark.parametrize(
    "ids", ["[c-00000000]", "(c-00000000)", "[c-00000000, c-deadbeef]", "(c-00000000; s-00000000)"]
)
def test_brackets_that_held_nothing_but_ids_go_with_them(ids: str) -> None:
    text, _ = rendered(f"It is so {ids}. [[{ONE.id}]]", FOUND, cites=True)
    assert text.startswith("It is so. [1]")


@pytest.mark.parametrize(
    ("draft", "shown"),
    [
        ("See http://nobody.example/report-2031, it says.", "See , it says."),
        ("See <https://nobody.example/a>.", "See ."),
        ("See [the report](https://nobody.example/a?b=c) of it.", "See the report of it."),
        ("![A picture](https://nobody.example/a.png) of it.", "A picture of it."),
        ("See www.nobody.example.", "See ."),
        ("It is kept at https://x.org/p.", "It is kept at https://x.org/p."),
    ],
)
def test_an_address_that_a_model_made_up_is_not_in_the_report(draft: str, shown: str) -> None:
    text, _ = rendered(draft, FOUND, cites=True)
    assert text == f"{shown}\n"


def test_without_citations_the_text_has_none_and_the_metadata_has() -> None:
    text, citations = rendered(f"A. [[{ONE.id}]]", FOUND, cites=False)
    assert text == "A.\n" and len(citations) == 1


def test_what_is_missing_and_what_contradicts_is_said_in_the_report_s_language() -> None:
    rows = [
        FacetRow(question="q", facet="f", text="the price", needed=2, domains=("x.org",)),
        FacetRow(question="q", facet="g", text="nice", must=False),
    ]
    against = [Contradiction(question="q", facet="f", first=ONE.id, second=TWO.id)]
    text, _ = rendered("A.", Found(FOUND.cards, rows, against, words_of("German")), cites=True)
    assert "## Was sich nicht belegen ließ\n\n- the price (belegt von 1 von 2 unabhängigen Quellen)" in text
    assert "nice" not in text and "## Wo Quellen einander widersprechen" in text
    assert words_of("Klingon") == words_of("Estonian") == words_of("Frisian") == words_of("en")
    assert words_of("Spanish (Mexico)") == words_of("es-MX") == words_of("es")


def test_a_hostile_title_is_words() -> None:
    evil = card("9", "z.org", title="# [x](javascript:alert(1)) ![i](http://evil) <script>")
    text, _ = rendered(f"A. [[{evil.id}]]", Found({evil.id: evil}), cites=True)
    shown = MarkdownIt("commonmark").render(text)
    assert re.findall(r'href="([^"]*)"', shown) == ["https://z.org/p"]
    assert "<img" not in shown and "<script" not in shown and "<h1" not in shown


def test_the_evidence_itself_is_a_report() -> None:
    plan = ResearchPlan(questions=[SubQuestion(id="q", question="Why?", facets=[{"id": "f", "text": "f"}])])  # pyright: ignore[reportArgumentType]
    assert (
        compiled(plan, FOUND)
        == f"## Why?\n\n- It is so. [[{ONE.id}]]\n- It is so. [[{TWO.id}]]\n- And so. [[{SAME.id}]]"
    )


def checked(draft: str, number: int, **more: object) -> SentenceCheck:
    sentence = sentences(draft)[number]
    base = {"start": sentence.start, "end": sentence.end, "text": sentence.text, "cites": sentence.cites}
    return SentenceCheck.model_validate({**base, "support": Support.UNSUPPORTED, **more})


DRAFT = "## One\n\nAda has 3 cats. [[c-1]] Bob has 4 dogs. [[c-2]]\n\n- Cid has 5 fish. [[c-3]]\n\n## Two\n\nDan has 6 birds.\n\n## Three\n\nEve has 7 bees."


def test_a_citation_is_changed_and_nothing_else() -> None:
    repair = cited_anew(DRAFT, checked(DRAFT, 0, better=("c-9",)))
    assert repair is not None and mended(DRAFT, [repair]) == DRAFT.replace("[[c-1]]", "[[c-9]]")
    without = cited_anew(DRAFT, checked(DRAFT, 3, better=("c-9",)))
    assert without is not None and "Dan has 6 birds. [[c-9]]" in mended(DRAFT, [without])
    assert cited_anew(DRAFT, checked(DRAFT, 0)) is None


def test_a_table_row_keeps_its_bars() -> None:
    table = "| a | b |\n|---|---|\n| Ada | 3 cats [[c-1]] |\n| Bob | 4 dogs |\n"
    for number, expected in ((0, "| Ada | 3 cats [[c-9]] |"), (1, "| Bob | 4 dogs [[c-9]] |")):
        repair = cited_anew(table, checked(table, number, better=("c-9",)))
        assert repair is not None and expected in mended(table, [repair])


def test_what_is_deleted_leaves_no_empty_line_item_or_section() -> None:
    checks = [checked(DRAFT, number) for number in range(5)]
    assert mended(DRAFT, [deleted(checks[2])]) == DRAFT.replace("- Cid has 5 fish. [[c-3]]\n", "")
    assert mended(DRAFT, [deleted(checks[1])]) == DRAFT.replace(" Bob has 4 dogs. [[c-2]]", "")
    assert "## Two" not in mended(DRAFT, [deleted(checks[3])]) and "## Three" in mended(DRAFT, [deleted(checks[3])])
    assert mended(DRAFT, [deleted(each) for each in checks]).strip() == ""


def test_a_rewritten_sentence_stands_in_its_place_in_one_line() -> None:
    made = mended(DRAFT, [rewritten(checked(DRAFT, 1), "Bob has\ndogs. [[c-2]]")])
    assert made == DRAFT.replace("Bob has 4 dogs. [[c-2]]", "Bob has dogs. [[c-2]]")


@given(st.sets(st.integers(0, 4), max_size=5))
def test_untouched_sentences_stay_byte_for_byte(gone: set[int]) -> None:
    checks = [checked(DRAFT, number) for number in range(5)]
    made = mended(DRAFT, [deleted(checks[number]) for number in gone])
    for number, each in enumerate(checks):
        assert (DRAFT[each.start : each.end] in made) == (number not in gone)


def test_the_score_is_the_supported_part_of_the_claims() -> None:
    checks = [
        checked(DRAFT, 0, support="supported"),
        checked(DRAFT, 1, support="weak"),
        checked(DRAFT, 2),
        checked(DRAFT, 3, claims=False, support="supported"),
    ]
    made = score(checks)
    assert (made.claims, made.supported, made.weak, made.unsupported, made.cited) == (3, 1, 1, 1, 3)
    assert made.score == pytest.approx(0.3333) and score([]).score == 1.0
    assert Repair(0, 1, "") == Repair(0, 1, "")
