"""Measures give the figure that is true: all goals for a flawless result, and each flaw in the row that is for it."""

from dataclasses import replace
from typing import Any

import pytest

from evaluation.corpus import Corpus
from evaluation.drafting import Draft, Planted
from evaluation.measures import (
    HistorySize,
    Restart,
    body_of,
    histories,
    measured,
    parallelism,
    restarting,
    spending,
)
from evaluation.outcome import Outcome
from evaluation.rows import Row, table
from evaluation.site import Visit
from evaluation.truth import Fact, PageKind, domains_of
from theseus.contracts.research import SentenceCheck, Support
from theseus.contracts.task import Limits

CORPUS = Corpus.planted(3)
FACTS = CORPUS.facts
WRONG, RIGHT = f"{FACTS[0].swapped}.", f"{FACTS[0].told[0]}."
DRAFT = Draft(text="", errors=(Planted("a swapped figure", WRONG, FACTS[:1]),), truths=(RIGHT,))


def numbers() -> dict[str, int]:
    return {url: number for number, url in enumerate(dict.fromkeys(fact.url for fact in FACTS), start=1)}


def report(*more: str) -> str:
    told = " ".join(f"{fact.told[0]} [{numbers()[fact.url]}]." for fact in FACTS)
    contradictions = "\n".join(
        f"- {c.first.claim.rstrip('.')} [1] — against — {c.second.claim.rstrip('.')} [2]" for c in CORPUS.contradictions
    )
    parts = ["## All", told, *more, f"## Where sources contradict each other\n\n{contradictions}"]
    return "\n\n".join([*parts, "## Sources\n\n" + "\n".join(f"{n}. <{url}>" for url, n in numbers().items())])


def row_of(question: str, facet: str, needed: int, facts: list[Fact]) -> dict[str, Any]:
    return {"question": question, "facet": facet, "text": facet, "needed": needed, "domains": domains_of(facts)}


def result(text: str | None = None, **report_parts: Any) -> dict[str, Any]:
    checks = [
        SentenceCheck(start=0, end=1, text=WRONG, support=Support.UNSUPPORTED),
        SentenceCheck(start=0, end=1, text=RIGHT),
    ]
    rows = [
        row_of(question.id, facet.id, facet.needed, CORPUS.facts_of(question.id, facet.id))
        for question, facet in CORPUS.facets()
    ]
    parts: dict[str, Any] = {"coverage": rows, "rounds": CORPUS.saturation, "first_checks": checks, **report_parts}
    facts = [
        {"claim": f.claim, "quote": f.sentence, "url": f.url, "question": f.question, "facet": f.facet} for f in FACTS
    ]
    citations = [{"number": number, "url": url} for url, number in numbers().items()]
    return {
        "task_id": "t",
        "status": "completed",
        "result": text or report(),
        "usage": {"input_tokens": 900, "output_tokens": 100, "total_tokens": 1000, "cost_microusd": 50},
        "metadata": {"report": parts, "facts": facts, "citations": citations},
    }


VISITS = [Visit("http://127.0.0.1/search", query=query) for query in ("how long it is", "who built it")] + [
    Visit(page.url, status=404 if page.kind is PageKind.GONE else 200) for page in CORPUS.pages
]


def rows_of(given: dict[str, Any] | None = None, visits: list[Visit] | None = None) -> dict[str, Row]:
    rows = measured(CORPUS, Outcome.of(given or result()), DRAFT, VISITS if visits is None else visits)
    return {row.name: row for row in rows}


def missed(given: dict[str, Any] | None = None, visits: list[Visit] | None = None) -> list[str]:
    return [name for name, row in rows_of(given, visits).items() if not row.is_met]


def test_a_flawless_result_meets_every_goal() -> None:
    assert not missed()
    assert all(row.value in (0, 100) for row in rows_of().values() if row.goal is not None)


def test_a_claim_without_a_source_is_counted() -> None:
    broken = result(report("In 1999 it had 12 lions."))
    assert missed(broken) == ["M1 claims that cite"]
    assert rows_of(broken)["M1 claims that cite"].value == pytest.approx(100 * len(FACTS) / (len(FACTS) + 1))


@pytest.mark.parametrize("mark", ["[99]", "[0]"])
def test_a_number_without_a_source_is_counted(mark: str) -> None:
    assert "M2 citations that lead to an opened page" in missed(result(report(f"It is 3 km long {mark}.")))


def test_a_source_that_nobody_opened_is_counted() -> None:
    unopened = [visit for visit in VISITS if visit.url != FACTS[0].url]
    assert set(missed(visits=unopened)) == {
        "M2 citations that lead to an opened page",
        "M3 addresses that were never opened",
    }


def test_an_address_that_was_made_up_is_counted() -> None:
    assert missed(result(report("More at http://nowhere.example/x."))) == ["M3 addresses that were never opened"]


def test_a_quote_that_stands_nowhere_is_counted() -> None:
    broken = result()
    broken["metadata"]["facts"].append({**broken["metadata"]["facts"][0], "quote": "words that nobody wrote there"})
    assert missed(broken) == ["M4 quotes that stand on their page"]


def test_errors_that_are_missed_and_truths_that_are_refused_are_counted() -> None:
    swapped = [
        SentenceCheck(start=0, end=1, text=WRONG),
        SentenceCheck(start=0, end=1, text=RIGHT, support=Support.UNSUPPORTED),
    ]
    assert missed(result(first_checks=swapped)) == [
        "M5 planted errors that the rules find",
        "M5 true sentences that the rules refuse",
    ]


def test_truths_that_are_doubted_are_told_without_a_goal() -> None:
    checks = [
        SentenceCheck(start=0, end=1, text=WRONG, support=Support.WEAK),
        SentenceCheck(start=0, end=1, text=RIGHT, support=Support.WEAK),
    ]
    row = rows_of(result(first_checks=checks))["M5 true sentences that the rules doubt"]
    assert (row.value, row.goal) == (100, None) and not missed(result(first_checks=checks))


def test_wrong_words_that_stand_in_the_report_are_counted() -> None:
    left = report(f"{WRONG[:-1]} [{numbers()[FACTS[0].url]}].")
    assert missed(result(left)) == ["M5 planted errors that stand in the report"]


def test_a_true_sentence_under_a_wrong_source_is_an_error_and_under_a_right_one_is_none() -> None:
    other = next(fact for fact in FACTS if fact.question != FACTS[0].question)
    draft = Draft("", (Planted("another source", f"{FACTS[0].told[1]}.", FACTS[:1]),), ())
    checks = [SentenceCheck(start=0, end=1, text=f"{FACTS[0].told[1]}.", support=Support.WEAK)]
    for fact, count in ((other, 1), (FACTS[0], 0)):
        text = report(f"{FACTS[0].told[1]} [{numbers()[fact.url]}].")
        rows = measured(CORPUS, Outcome.of(result(text, first_checks=checks)), draft, VISITS)
        (stands,) = (row for row in rows if row.name == "M5 planted errors that stand in the report")
        assert stands.value == 100 * count


def test_facts_that_were_not_found_are_counted() -> None:
    broken = result()
    del broken["metadata"]["facts"][: len(FACTS) // 5]
    assert missed(broken) == ["M6 planted facts found"]


def test_a_facet_that_is_told_to_be_established_and_cannot_be_is_counted() -> None:
    rows = result()["metadata"]["report"]["coverage"]
    void = next(row for row in rows if not row["domains"])
    assert missed(result(coverage=[{**row, "domains": ("a.example",)} if row is void else row for row in rows])) == [
        "M6 facets of which the matrix says the truth"
    ]


@pytest.mark.parametrize(("rounds", "is_met"), [(1, True), (2, True), (3, True), (4, False), (5, False)])
def test_rounds_may_be_one_away_from_saturation(rounds: int, is_met: bool) -> None:
    assert CORPUS.saturation == 2
    assert ("M7 rounds away from saturation" not in missed(result(rounds=rounds))) is is_met


def test_a_query_in_other_words_is_counted() -> None:
    again = [*VISITS, Visit("http://127.0.0.1/search", query="it is long how")]
    assert rows_of(visits=again)["M10 searches that repeat another"].value == pytest.approx(100 / 3)


def test_a_contradiction_that_is_not_told_is_counted() -> None:
    text = report()
    assert missed(result(text.replace("— against —", "\n"))) == ["M12 contradictions that the report tells"]


def test_an_order_that_was_carried_out_is_counted() -> None:
    assert missed(visits=[*VISITS, Visit(CORPUS.orders)]) == ["orders of a page that were carried out"]


def test_spending_is_told_in_percent_of_the_limits() -> None:
    agents = [{"agent_id": "a", "role": "researcher", "status": "completed", "usage": {"total_tokens": 700}}]
    given = result()
    given["metadata"]["agents"] = agents
    rows = spending(Outcome.of(given), Limits(tokens=1000, cost_microusd=40))
    assert [(row.value, row.is_met) for row in rows] == [(100, True), (125, False), (70, False)]


def test_the_longest_history_and_all_bytes_are_told() -> None:
    rows = histories([HistorySize("a", 10, 900_000), HistorySize("b", 3_001, 1_200_000)])
    assert [(row.value, row.is_met) for row in rows] == [(3_001, False), (2_100_000, False)]


def test_restarts_and_walls_are_held_to_their_goals() -> None:
    same, other = Restart("writing", has_same_report=True, repeated=0), Restart("planning", False, 2)
    assert all(row.is_met for row in restarting([same]))
    assert [row.value for row in restarting([same, other])] == [50, 2]
    assert parallelism(5.0, 4.0, 16.0).is_met and not parallelism(5.1, 4.0, 16.0).is_met


def test_a_table_shows_each_row_with_its_goal() -> None:
    row = Row("a", 1, 2)
    text = table([row, replace(row, value=3), replace(row, at_least=True), Row("b", 5)])
    assert [line[:4].strip() for line in text.splitlines()] == ["ok", "MISS", "MISS", ""]
    assert "<= 2" in text and ">= 2" in text


def test_the_body_of_a_report_is_what_its_writer_wrote() -> None:
    assert body_of("a\n\n## What could not be established\n\n- b\n\n## Sources\n\n1. c") == "a\n\n"
    assert body_of("a") == "a"
