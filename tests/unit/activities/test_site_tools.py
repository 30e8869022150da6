"""Several pages of one website are read within its rules and our caps, and what was read is never lost to what was not."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from tests.support.researchers import Researcher, in_a_hurry, researching
from tests.support.wire import serving
from theseus.activities.tools import web_site
from theseus.domain.research.sources import source_id

BOTH: list[tuple[str, dict[str, Any]]] = [("web_crawl", {}), ("web_subpage_fetch", {"wanted": "a b"})]
PROSE = "There is much to say about this place, and people of the region have said it for years. " * 5


def page(name: str, *links: str, head: str = "") -> HTMLResponse:
    anchors = " ".join(f'<a href="{link}">{link.strip("/")}</a>' for link in links)
    title = f"<head><title>{name}</title>{head}</head>"
    return HTMLResponse(f"<html>{title}<body><article><p>{name}: {PROSE}</p>{anchors}</article></body></html>")


class Site:
    """A website of what is put into it: answers by path, each at its own pace."""

    def __init__(self) -> None:
        self.answers: dict[str, Response] = {}
        self.slow: set[str] = set()
        self.over = asyncio.Event()
        self.asked: list[tuple[str, float]] = []
        self.there: Researcher

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, time.monotonic()))
        if request.url.path in self.slow:
            await self.over.wait()
        return self.answers.get(request.url.path, PlainTextResponse("not here", status_code=404))

    def put(self, answers: Mapping[str, Response]) -> None:
        self.answers |= answers

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site()
    app = Starlette()
    app.add_route("/{path:path}", made.answer)
    async with researching(app, tmp_path) as made.there:
        yield made
        made.over.set()


def robots(text: str) -> PlainTextResponse:
    return PlainTextResponse(f"User-agent: *\n{text}\n")


async def test_a_crawl_reads_each_text_once_ring_by_ring(site: Site) -> None:
    site.put({
        "/": page("start", "/a", "/b", "/", "#top"),
        "/a": page("a", "/", "/c", "/b"),
        "/b": page("b", "/twin"),
        "/c": page("c", "/a", "/deep"),
        "/twin": page("a", "/", "/c", "/b"),
        "/deep": page("deep", "/deeper"),
        "/deeper": page("deeper"),
    })  # fmt: skip
    told = await site.there("web_crawl", url=f"{site.there.url}/", max_pages=20, max_depth=3)
    assert site.paths == ["/robots.txt", "/", "/a", "/b", "/c", "/twin", "/deep"], "in order, none twice, no deeper"
    kept = [path for path in site.answers if await site.there.has(f"{site.there.url}{path}")]
    assert kept == ["/", "/a", "/b", "/c", "/deep"]
    assert told.text.count("Source s-") == 5 and len(told.text) <= 6_300


async def test_pages_that_cannot_be_read_do_not_use_up_the_pages_that_may_be(site: Site) -> None:
    links = [f"/gone{number}" for number in range(6)] + ["/good", "/better"]
    site.put({"/": page("start", *links), "/good": page("good"), "/better": page("better")})
    told = await site.there("web_crawl", url=f"{site.there.url}/", max_pages=3, max_depth=1)
    assert "/good" in told.text and "/better" in told.text
    assert "Linked pages that could not be read: 6" in told.text


@pytest.mark.parametrize(
    ("rules", "forbidden"),
    [
        ("Disallow: /a", ["/a"]),
        ("Disallow: /*.pdf$\nDisallow: /*?", []),
        ("Disallow: /\nAllow: /b\nAllow: /$", ["/a"]),
        ("Disallow: /*a", ["/a"]),
        ("Disallow:\n\nUser-agent: theseus\nDisallow: /b", ["/b"]),
        ("\n\n<html>no rules at all", []),
    ],
)
async def test_what_robots_txt_forbids_is_not_asked_for(site: Site, rules: str, forbidden: list[str]) -> None:
    site.put({"/": page("start", "/a", "/b"), "/a": page("a"), "/b": page("b"), "/robots.txt": robots(rules)})
    told = await site.there("web_crawl", url=f"{site.there.url}/")
    assert not told.is_error
    assert sorted({"/a", "/b"} - set(site.paths)) == forbidden


@pytest.mark.parametrize(
    ("answer", "is_open"),
    [
        (PlainTextResponse("no", status_code=404), True),
        (PlainTextResponse("no", status_code=403), True),
        (Response(b"User-agent: *", media_type="application/octet-stream"), True),
        (PlainTextResponse(""), True),
        (PlainTextResponse("no", status_code=503), False),
        (PlainTextResponse("no", status_code=429), False),
        (RedirectResponse("/robots.txt"), False),
    ],
)
async def test_a_site_whose_rules_cannot_be_told_is_left_alone(site: Site, answer: Response, is_open: bool) -> None:
    site.put({"/": page("start"), "/robots.txt": answer})
    told = await site.there("web_crawl", url=f"{site.there.url}/")
    assert told.is_error is not is_open
    assert ("/" in site.paths) is is_open
    assert is_open or "robots.txt could not be read" in told.text


async def test_a_page_that_leads_to_a_forbidden_one_is_not_kept(site: Site) -> None:
    site.put({
        "/": page("start", "/open"),
        "/open": RedirectResponse("/private"),
        "/private": page("private"),
        "/robots.txt": robots("Disallow: /private"),
    })  # fmt: skip
    told = await site.there("web_crawl", url=f"{site.there.url}/")
    assert "private" not in told.text and not await site.there.has(f"{site.there.url}/private")
    refused = await site.there("web_crawl", url=f"{site.there.url}/open")
    assert refused.is_error and "does not allow programs" in refused.text


async def test_a_pause_between_pages_is_kept(site: Site) -> None:
    site.put({"/": page("s", "/a", "/b"), "/a": page("a"), "/b": page("b"), "/robots.txt": robots("Crawl-delay: 0.5")})
    began = time.monotonic()
    await site.there("web_crawl", url=f"{site.there.url}/")
    pages = [path for path, _ in site.asked if path in ("/", "/a", "/b")]
    # seen from the crawler: when a busy site came to answer says nothing
    assert len(pages) == 3 and time.monotonic() - began >= 0.5 * (len(pages) - 1)


async def test_no_page_of_another_site_is_asked_for_or_kept(site: Site) -> None:
    other = Starlette()
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return page("other", "/more")

    other.add_route("/{path:path}", answer)
    async with AsyncExitStack() as stack:
        elsewhere = await stack.enter_async_context(serving(other))
        site.put({"/": page("start", f"{elsewhere}/x", "/away", "/b"), "/b": page("b")})
        site.put({"/away": RedirectResponse(f"{elsewhere}/y")})
        for name, more in BOTH:
            told = await site.there(name, url=f"{site.there.url}/", **more)
            assert told.text.count("Source s-") == 2 and f"Source {source_id(f'{site.there.url}/b')}" in told.text
        assert set(asked) == {"/y"}, "only where a page of the site itself led"
        assert not await site.there.has(f"{elsewhere}/y")
        moved = await site.there("web_crawl", url=f"{site.there.url}/away")
    assert f"{elsewhere}/y" in moved.text and "/robots.txt" in asked, "a site that it is led to has rules of its own"


async def test_links_of_any_charset_and_base_are_found(site: Site) -> None:
    odd = page("start", "a", "HTTP://127.0.0.1:1/", "mailto:x@y", "http://[bad", head='<base href="/in/">')
    odd.headers["content-type"] = "text/html; charset=nonsense"
    site.put({"/": odd, "/in/a": page("a")})
    told = await site.there("web_subpage_fetch", url=f"{site.there.url}/", wanted="a")
    assert "/in/a" in told.text and site.paths == ["/", "/in/a"]


@pytest.mark.parametrize(("tool", "more"), BOTH)
async def test_what_was_read_is_told_although_other_pages_hang(site: Site, tool: str, more: dict[str, Any]) -> None:
    site.put({"/": page("start", "/quick", "/slow"), "/quick": page("quick")})
    site.slow = {"/slow"}
    hurried = in_a_hurry(site.there, timedelta(seconds=10))
    began = time.monotonic()
    told = await hurried(tool, url=f"{site.there.url}/", **more)
    assert time.monotonic() - began < 30
    assert "/quick" in told.text and "Linked pages that could not be read: 1" in told.text
    assert await site.there.has(f"{site.there.url}/quick")


async def test_a_site_of_large_pages_is_left_when_enough_was_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_site, "MOST_BYTES", 5_000_000)
    site.put({"/": page("start", *(f"/big{number}" for number in range(19)))})
    site.put({f"/big{number}": PlainTextResponse(f"{number} " * 500_000) for number in range(19)})
    told = await site.there("web_crawl", url=f"{site.there.url}/", max_pages=20)
    assert not told.is_error and 4 <= len([path for path in site.paths if path.startswith("/big")]) <= 8
    assert len(told.text) <= 6_300


async def test_of_each_page_the_passage_that_fits_is_told(site: Site) -> None:
    filler = "\n\n".join(f"Paragraph {number} is about the weather of the region. " * 8 for number in range(60))
    told_of = f"The bridge of Varn is 412 metres long. {PROSE}"
    site.put({f"/{n}": PlainTextResponse(f"Page {n}.\n\n{filler}\n\n{told_of}") for n in range(8)})
    site.put({"/": page("start", *(f"/{n}" for n in range(8)))})
    told = await site.there("web_subpage_fetch", url=f"{site.there.url}/", wanted="bridge of Varn", limit=8)
    assert told.text.count("The bridge of Varn is 412 metres long.") == 8 and len(told.text) <= 6_300


async def test_without_a_research_pages_are_told_and_nothing_is_kept(site: Site) -> None:
    site.put({"/": page("start", "/a"), "/a": page("a")})
    for name, more in BOTH:
        told = await site.there(name, None, url=f"{site.there.url}/", **more)
        assert not told.is_error and f"{site.there.url}/a" in told.text
    assert not await site.there.has(f"{site.there.url}/a")


@pytest.mark.parametrize(
    "url",
    ["nonsense", "http://[bad/", "ftp://example.org/", "file:///etc/passwd", "http://10.0.0.1/", "http://x:99999/"],
)
async def test_an_address_that_cannot_be_is_refused_plainly(site: Site, url: str) -> None:
    for name, more in BOTH:
        refused = await site.there(name, url=url, **more)
        assert refused.is_error and "failed unexpectedly" not in refused.text, refused.text
