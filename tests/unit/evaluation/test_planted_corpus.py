"""A planted corpus is what its truth says: the same for a seed, each fact readable where it should be, each gap a gap."""

import pytest

from evaluation.corpus import Corpus
from evaluation.index import Index
from evaluation.pages import body, text_of
from evaluation.researching import LATER
from evaluation.truth import Fate, Page, PageKind
from theseus.domain.research.figures import figures, not_shown
from theseus.domain.research.queries import near

SEEDS = range(1, 6)
RESULTS = 8
"""What web_search gives when nobody asks for more."""


@pytest.fixture(scope="module", params=SEEDS)
def corpus(request: pytest.FixtureRequest) -> Corpus:
    return Corpus.planted(request.param)


def of_kind(corpus: Corpus, kind: PageKind) -> list[Page]:
    return [page for page in corpus.pages if page.kind is kind]


def test_a_seed_makes_one_corpus_and_another_seed_another() -> None:
    assert Corpus.planted(7) == Corpus.planted(7)
    one, other = Corpus.planted(7), Corpus.planted(8)
    assert one.topic != other.topic
    assert not {fact.sentence for fact in one.facts} & {fact.sentence for fact in other.facts}


def test_each_facts_words_stand_on_its_page_as_a_worker_reads_it(corpus: Corpus) -> None:
    for fact in corpus.facts:
        page = corpus.page(fact.url)
        assert page is not None and fact.sentence in text_of(page), fact


def test_no_page_has_an_address_of_another(corpus: Corpus) -> None:
    assert len({page.url for page in corpus.pages}) == len(corpus.pages)


def test_contradictions_are_of_one_facet_of_two_websites_and_of_two_figures(corpus: Corpus) -> None:
    assert len(corpus.contradictions) == 2
    for each in corpus.contradictions:
        assert (each.first.question, each.first.facet) == (each.second.question, each.second.facet)
        assert each.first.domain != each.second.domain
        assert not_shown(figures(each.first.claim), [figures(each.second.claim)])


def test_what_reports_tell_is_shown_by_the_source_and_what_is_spoilt_is_not(corpus: Corpus) -> None:
    for fact in corpus.facts:
        shown = [figures(fact.sentence)]
        assert not any(not_shown(figures(text), shown) for text in (fact.claim, *fact.told))
        assert not_shown(figures(fact.swapped), shown)
        assert not fact.renamed or fact.renamed != fact.told[1]


def test_a_search_finds_what_the_first_round_can_know_and_nothing_of_the_second(corpus: Corpus) -> None:
    index = Index(corpus.pages)
    for question in corpus.questions:
        found = {page.url for facet in question.facets for page in index.search(facet.text, RESULTS)}
        mine = [fact for fact in corpus.facts if fact.question == question.id]
        assert {fact.url for fact in mine if fact.level == 1} <= found
        assert not {fact.url for fact in mine if fact.level == 2} & found


def test_what_the_second_round_can_know_is_linked_from_pages_that_a_search_for_it_finds(corpus: Corpus) -> None:
    index = Index(corpus.pages)
    facets = {(question.id, facet.id): facet for question, facet in corpus.facets()}
    hidden = [fact for fact in corpus.facts if fact.level == 2]
    for fact in hidden:
        found = index.search(f"{LATER} {facets[fact.question, fact.facet].text}", RESULTS)
        hubs = [page for page in found if fact.url in page.links and page.question == fact.question]
        assert hubs and all(fact.url in text_of(page) for page in hubs)
    assert corpus.saturation == (2 if hidden else 1)


def test_what_cannot_be_established_has_too_few_independent_sources(corpus: Corpus) -> None:
    for question, facet in corpus.facets():
        wanted = facet.fate not in (Fate.VOID, Fate.COPIED)
        assert corpus.can_be_established(question.id, facet) is wanted, facet


def test_copies_are_the_same_text_or_nearly_so_at_another_website(corpus: Corpus) -> None:
    by_text: dict[str, list[Page]] = {}
    for page in corpus.pages:
        if not page.padding and page.kind is not PageKind.GONE:
            by_text.setdefault(text_of(page), []).append(page)
    for copy in of_kind(corpus, PageKind.COPY):
        assert len({page.domain for page in by_text[text_of(copy)]}) == 2
    (copied,) = (fact for fact in corpus.facts if _fate(corpus, fact.question, fact.facet) is Fate.COPIED)
    (again,) = of_kind(corpus, PageKind.NEAR)
    assert copied.sentence in text_of(again) and again.domain != copied.domain and len(by_text[text_of(again)]) == 1


def _fate(corpus: Corpus, question: str, facet: str) -> Fate:
    return next(each.fate for asked, each in corpus.facets() if (asked.id, each.id) == (question, facet))


def test_dead_ends_speak_of_what_is_asked_without_a_figure(corpus: Corpus) -> None:
    for page in of_kind(corpus, PageKind.DEAD_END):
        found = figures(" ".join(page.paragraphs))
        assert not found.numbers and not found.days


def test_every_corpus_has_a_page_that_is_gone_one_that_gives_orders_and_one_of_ten_megabytes(corpus: Corpus) -> None:
    assert of_kind(corpus, PageKind.GONE)
    assert [page for page in corpus.pages if any(corpus.orders in text for text in page.paragraphs)]
    (huge,) = (page for page in corpus.pages if page.padding)
    assert len(body(huge)) > 10 * 1024 * 1024


def test_no_facet_asks_what_another_asks_in_other_words(corpus: Corpus) -> None:
    asked: list[str] = []
    for _, facet in corpus.facets():
        assert near(facet.text, asked) is None
        asked.append(facet.text)
