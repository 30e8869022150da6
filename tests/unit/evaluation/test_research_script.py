"""The scripted model plants the errors that it says, the same ones for the same evidence, beside sentences that are true."""

from typing import Any

import pytest

from evaluation.corpus import Corpus
from evaluation.drafting import DENIED, KINDS, QUOTED, Draft, Form, drafted
from evaluation.pages import text_of
from evaluation.restarts import DOUBTED, DoubtedScript
from evaluation.script import ResearchScript
from theseus.activities.llm.scripted.script import Asked
from theseus.contracts.research import Card, Source, Support
from theseus.domain.research.citations import Bank, check
from theseus.domain.research.sentences import sentences
from theseus.domain.research.sources import card_id, source_id
from theseus.domain.research.wording import denies
from theseus.domain.research.writing import evidence_text
from theseus.roles.researching import REPORTER, RESEARCH_ROLES
from theseus.roles.role import Role

SEEDS = (*range(1, 6), *range(101, 106))


def cards_of(corpus: Corpus) -> list[Card]:
    made: list[Card] = []
    for fact in corpus.facts:
        page = corpus.page(fact.url)
        assert page is not None
        text = text_of(page)
        start = text.index(fact.sentence)
        source = Source(id=source_id(fact.url), url=fact.url, title=page.title, domain=page.domain)
        made.append(
            Card(
                id=card_id(source.id, start, fact.question, fact.facet),
                claim=fact.claim,
                quote=fact.sentence,
                window=text[max(start - 200, 0) : start + len(fact.sentence) + 200],
                start=start,
                source=source,
                question=fact.question,
                facet=fact.facet,
            )
        )
    return made


def draft_of(corpus: Corpus, cards: list[Card]) -> Draft:
    return drafted(f"Evidence:\n{evidence_text(cards)}", corpus)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_is_said_to_be_planted_stands_in_the_draft_once(seed: int) -> None:
    corpus = Corpus.planted(seed)
    cards = cards_of(corpus)
    draft = draft_of(corpus, cards)
    assert draft == draft_of(corpus, cards), "the same evidence makes the same draft"
    found = [sentence.text for sentence in sentences(draft.text)]
    assert all(found.count(text) == 1 for text in (*draft.truths, *(error.text for error in draft.errors)))


def test_over_some_seeds_every_kind_of_error_is_planted() -> None:
    drafts = [draft_of(corpus, cards_of(corpus)) for corpus in map(Corpus.planted, SEEDS)]
    assert {error.kind for draft in drafts for error in draft.errors} == set(KINDS)
    forms = {(error.kind, error.form) for draft in drafts for error in draft.errors}
    assert {kind for kind, form in forms if form is Form.ROW} == {kind for kind, form in forms if form is Form.ITEM}
    assert {kind for kind, form in forms if form is Form.ROW} == set(KINDS) - {QUOTED, DENIED}


def test_over_some_seeds_true_rows_true_items_and_true_denials_are_planted() -> None:
    truths = [text for corpus in map(Corpus.planted, SEEDS) for text in draft_of(corpus, cards_of(corpus)).truths]
    assert any(" | " in text for text in truths)
    assert any(text.startswith("**") for text in truths) and any(": " in text for text in truths if text[0] != "*")
    assert any(denies(text, "en") for text in truths)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rules_find_the_planted_errors_and_let_true_sentences_be(seed: int) -> None:
    corpus = Corpus.planted(seed)
    cards = cards_of(corpus)
    draft = draft_of(corpus, cards)
    support = {found.text: found.support for found in check(draft.text, Bank(cards))}
    missed = [error for error in draft.errors if support[error.text] is Support.SUPPORTED]
    alarms = [text for text in draft.truths if support[text] is Support.UNSUPPORTED]
    assert len(missed) <= 0.05 * len(draft.errors), missed
    assert len(alarms) <= 0.05 * len(draft.truths), alarms


@pytest.mark.parametrize("seed", SEEDS)
def test_the_draft_of_a_research_whose_worker_is_killed_has_use_for_who_mends_and_who_is_asked(seed: int) -> None:
    corpus = Corpus.planted(seed, plain=True)
    cards = cards_of(corpus)
    _, reply = DoubtedScript(corpus).choose(asked_of(REPORTER, f"Evidence:\n{evidence_text(cards)}"))
    checks = check(reply.text or "", Bank(cards))
    doubted = next(each for each in checks if each.text == f"{DOUBTED}.")
    assert (doubted.support, doubted.claims, doubted.better) == (Support.WEAK, True, ())
    assert any(each.support is Support.UNSUPPORTED and each.cites and not each.better for each in checks)


def asked_of(role: Role[Any], text: str) -> Asked:
    return Asked(
        provider="openai",
        model="m",
        system=role.instructions,
        messages=[("user", text)],
        tools={},
        tool_choice="auto",
        stream=False,
        characters=1,
    )


def test_every_role_of_a_research_is_known_by_its_first_words() -> None:
    script = ResearchScript(Corpus.planted(1))
    for role in RESEARCH_ROLES:
        _, reply = script.choose(asked_of(role, "Your question:\nnone of ours"))
        assert not reply.is_silent, role.name
