"""The planted web answers as a real one: websites by their names, a search as SearXNG speaks it, and a log of all of it."""

import socket
from collections.abc import AsyncGenerator, Generator
from datetime import timedelta

import httpx2
import pytest
import pytest_asyncio

from evaluation.corpus import Corpus
from evaluation.pages import text_of
from evaluation.site import Site, port_of, reserved, resolve, serving
from evaluation.truth import PageKind
from theseus.activities.tools.domains import domain_of
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.search_apis import SearXNG
from theseus.activities.tools.web_fetch import Fetcher, FetchError, Pages
from theseus.activities.tools.web_search import WebProvider

MAX_BYTES = 10 << 20


@pytest.fixture
def listener() -> Generator[socket.socket]:
    with reserved() as made:
        yield made


@pytest_asyncio.fixture
async def site(listener: socket.socket) -> AsyncGenerator[Site]:
    made = Site(Corpus.planted(3, port=port_of(listener)))
    async with serving(made, listener):
        yield made


def fetcher(listener: socket.socket) -> Fetcher:
    return Fetcher(Egress([f"127.0.0.1:{port_of(listener)}"], resolve=resolve), MAX_BYTES, timedelta(seconds=20))


async def test_a_worker_reads_of_each_kind_of_page_what_the_truth_says(site: Site, listener: socket.socket) -> None:
    pages = Pages(fetcher(listener), Extraction())
    kinds = {page.kind: page for page in site.corpus.pages if not page.padding and page.kind is not PageKind.GONE}
    for page in kinds.values():
        reading = await pages.read(page.url)
        assert reading.found.text == text_of(page)
        assert domain_of(page.url) == page.domain, "each website counts as one"
    assert [visit.url for visit in site.visits] == [page.url for page in kinds.values()]


async def test_of_a_page_of_ten_megabytes_the_facts_are_within_what_is_taken(
    site: Site, listener: socket.socket
) -> None:
    (huge,) = (page for page in site.corpus.pages if page.padding)
    reading = await Pages(fetcher(listener), Extraction()).read(huge.url)
    assert reading.page.cut
    assert all(fact.sentence in reading.found.text for fact in site.corpus.facts if fact.url == huge.url)


async def test_a_page_that_is_gone_is_not_there(site: Site, listener: socket.socket) -> None:
    gone = next(page for page in site.corpus.pages if page.kind is PageKind.GONE)
    with pytest.raises(FetchError, match="404"):
        await fetcher(listener).fetch(gone.url)
    assert site.visits[-1].status == 404


async def test_the_search_is_one_that_a_worker_can_ask(site: Site, listener: socket.socket) -> None:
    port = port_of(listener)
    provider = WebProvider(SearXNG(f"http://127.0.0.1:{port}"), Egress([f"127.0.0.1:{port}"]))
    facet = site.corpus.questions[0].facets[0]
    answer = await provider.search(facet.text, 5)
    assert len(answer.results) == 5 and site.queries == [facet.text]
    assert answer == await provider.search(facet.text, 5), "the order is the same every time"
    assert (await provider.search("xylophone", 5)).results == ()


async def test_without_the_resolver_a_planted_website_cannot_be_found(site: Site, listener: socket.socket) -> None:
    plain = Fetcher(Egress([f"127.0.0.1:{port_of(listener)}"]), MAX_BYTES, timedelta(seconds=20))
    with pytest.raises(FetchError, match="cannot be found"):
        await plain.fetch(site.corpus.pages[0].url)


async def test_pages_and_searches_take_as_long_as_they_are_told(listener: socket.socket) -> None:
    site = Site(Corpus.planted(1, port=port_of(listener)), page_seconds=0.3, search_seconds=0.2)
    async with serving(site, listener) as url, httpx2.AsyncClient(trust_env=False) as client:
        await client.get(f"{url}/search", params={"q": "what", "format": "json"})
        await client.get(f"{url}/anything")
    search, page = site.visits
    assert search.is_search and search.ended - search.began >= 0.19
    assert not page.is_search and page.ended - page.began >= 0.29
