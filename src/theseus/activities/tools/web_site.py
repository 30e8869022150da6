"""The tools web_subpage_fetch and web_crawl: several pages of one website, politely and within caps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from typing import Annotated
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from pydantic import Field

from theseus.activities.tools.egress import MAX_URL_CHARS
from theseus.activities.tools.evidence import Notes, briefly
from theseus.activities.tools.registry import Tool, ToolContext, ToolError, tool
from theseus.activities.tools.web_fetch import USER_AGENT, FetchError, Pages, Reading
from theseus.contracts.research import Snapshot, Source
from theseus.contracts.tools import Effect
from theseus.domain.research.sources import sha256, source_id
from theseus.domain.research.words import overlap, stems_of

SHOWN_CHARS = 6_000
"""So much all pages of one call share."""
MOST_SUBPAGES = 8
MOST_PAGES = 20
MOST_DEPTH = 3
AT_ONCE = 4
MOST_LINKS = 2_000
LONGEST_DELAY = 2.0
"""Seconds between two pages of a site that asks for a pause; one that asks for more is read one page at a time."""
TIMEOUT = timedelta(seconds=120)


@dataclass(frozen=True)
class Link:
    """An address on a page, and the words that it stands under."""

    url: str
    text: str


def site_tools(pages: Pages, notes: Notes) -> list[Tool]:
    """The tools that read several pages of a website."""

    @tool(effect=Effect.READ, timeout=TIMEOUT, failures=(FetchError,))
    async def web_subpage_fetch(
        url: Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARS)],
        wanted: Annotated[str, Field(min_length=1, max_length=300)],
        context: ToolContext,
        limit: Annotated[int, Field(ge=1, le=MOST_SUBPAGES)] = 4,
    ) -> str:
        """Opens a page and those pages of the same website that it links to and that fit best what is wanted.

        Args:
            url: the page to begin at
            wanted: what is looked for, in a few words
            context: who asks
            limit: how many linked pages to open at most
        """
        first = await pages.read(url.strip())
        site = _Site(pages, first.page.url)
        links = await asyncio.to_thread(links_of, first)
        best = _best([link for link in links if site.has(link.url)], wanted, limit)
        found = await site.read_all([link.url for link in best])
        return await _told(notes, context, [first, *found], wanted)

    @tool(effect=Effect.READ, timeout=TIMEOUT, failures=(FetchError,))
    async def web_crawl(
        url: Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARS)],
        context: ToolContext,
        wanted: Annotated[str, Field(max_length=300)] = "",
        max_pages: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 10,
        max_depth: Annotated[int, Field(ge=1, le=MOST_DEPTH)] = 2,
    ) -> str:
        """Opens a page and, link by link, further pages of the same website, as far as its robots.txt allows.

        Args:
            url: the page to begin at
            context: who asks
            wanted: what is looked for, in a few words; pages that fit come first
            max_pages: how many pages to open at most
            max_depth: how many links away from the first page
        """
        first = await pages.read(url.strip())
        site = _Site(pages, first.page.url)
        await site.learn_rules()
        if not site.allows(first.page.url):
            raise ToolError(f"{url}: the website's robots.txt does not allow programs to read it.")
        found = await _crawled(site, first, wanted, max_pages, max_depth)
        return await _told(notes, context, found, wanted)

    return [web_subpage_fetch, web_crawl]


class _Site:
    """One website: its pages, read within its rules."""

    def __init__(self, pages: Pages, start: str) -> None:
        self._pages = pages
        self._host = urlsplit(start).netloc
        self._scheme = urlsplit(start).scheme
        self._robots = RobotFileParser()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._delay = 0.0
        self._robots.parse([])

    async def learn_rules(self) -> None:
        """Reads robots.txt; a site without one allows all."""
        try:
            reading = await self._pages.read(f"{self._scheme}://{self._host}/robots.txt")
        except (FetchError, ToolError):
            return
        self._robots.parse(reading.found.text.splitlines())
        self._delay = min(float(self._robots.crawl_delay(USER_AGENT) or 0), LONGEST_DELAY)

    def has(self, url: str) -> bool:
        """Whether an address is one of this site."""
        return urlsplit(url).netloc == self._host

    def allows(self, url: str) -> bool:
        """Whether the site's rules let programs read it."""
        return self._robots.can_fetch(USER_AGENT, url)

    async def read_all(self, urls: Sequence[str]) -> list[Reading]:
        """Those of the pages that can be read and that are not led away to another site."""
        found = await asyncio.gather(*(self._read(url, number) for number, url in enumerate(urls)))
        return [reading for reading in found if reading is not None and self.has(reading.page.url)]

    async def _read(self, url: str, number: int) -> Reading | None:
        await asyncio.sleep(self._delay * number)
        async with self._turns:
            try:
                return await self._pages.read(url)
            except (FetchError, ToolError):
                return None


async def _crawled(site: _Site, first: Reading, wanted: str, most: int, depth: int) -> list[Reading]:
    found = [first]
    seen = {urldefrag(first.page.url).url}
    texts = {sha256(first.found.text)}
    level = [first]
    for _ in range(depth):
        links: dict[str, Link] = {}
        for reading in level:
            for link in await asyncio.to_thread(links_of, reading):
                if site.has(link.url) and link.url not in seen and site.allows(link.url):
                    links.setdefault(link.url, link)
        chosen = _best(list(links.values()), wanted, most - len(found))
        seen |= {link.url for link in chosen}
        level = []
        for reading in await site.read_all([link.url for link in chosen]):
            if (content := sha256(reading.found.text)) not in texts:
                texts.add(content)
                level.append(reading)
        found += level
        if not level or len(found) >= most:
            break
    return found[:most]


def _best(links: Sequence[Link], wanted: str, most: int) -> list[Link]:
    """The links that fit best, in the page's order where they fit alike."""
    stems = stems_of(wanted)
    words = [stems_of(f"{link.text} {urlsplit(link.url).path.replace('/', ' ').replace('-', ' ')}") for link in links]
    order = sorted(range(len(links)), key=lambda place: (-overlap(stems, words[place]), place))
    return [links[place] for place in order[: max(most, 0)]]


async def _told(notes: Notes, context: ToolContext, readings: Sequence[Reading], wanted: str) -> str:
    snapshots: list[Snapshot] = []
    for reading in readings:
        if context.research is not None:
            snapshots.append(await notes.kept(context, reading))
            continue
        url = reading.page.url
        source = Source(id=source_id(url), url=url, title=reading.found.title[:200])
        snapshots.append(Snapshot(source=source, text=reading.found.text))
    about = f"{wanted} {context.research.about if context.research is not None else ''}"
    return briefly(list({each.source.id: each for each in snapshots}.values()), about, SHOWN_CHARS)


def links_of(reading: Reading) -> list[Link]:
    """The web addresses that a page links to, each once, in its order."""
    if reading.page.kind != "html":
        return []
    parser = _Links(reading.page.url)
    parser.feed(reading.page.data.decode(reading.page.charset or "utf-8", errors="replace"))
    return list({link.url: link for link in reversed(parser.found)}.values())[::-1]


class _Links(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base
        self._url = ""
        self._text: list[str] = []
        self.found: list[Link] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes where a link begins."""
        if tag == "a":
            self._end()
            self._url = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        """Notes where a link ends."""
        if tag == "a":
            self._end()

    def handle_data(self, data: str) -> None:
        """Keeps a link's words."""
        if self._url:
            self._text.append(data)

    def _end(self) -> None:
        url, text = self._url, " ".join("".join(self._text).split())
        self._url, self._text = "", []
        if not url or len(self.found) >= MOST_LINKS:
            return
        try:
            whole = urldefrag(urljoin(self._base, url)).url
            scheme = urlsplit(whole).scheme
        except ValueError:
            return
        if scheme in ("http", "https") and len(whole) <= MAX_URL_CHARS:
            self.found.append(Link(whole, text[:200]))
