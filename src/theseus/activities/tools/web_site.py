"""The tools web_subpage_fetch and web_crawl: several pages of one website, politely and within caps."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Annotated
from urllib.parse import urldefrag, urlsplit

from pydantic import Field

from theseus.activities.tools.egress import MAX_URL_CHARS
from theseus.activities.tools.evidence import Notes, briefly
from theseus.activities.tools.readable import Link
from theseus.activities.tools.registry import Tool, ToolContext, ToolError, tool
from theseus.activities.tools.robots import Rules, rules_of
from theseus.activities.tools.web_fetch import FetchError, Pages, Reading
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
MOST_BYTES = 40 << 20
"""After so many bytes no further page of the site is opened."""
READING = timedelta(seconds=90)
"""By then no page is waited for any more; what was read until then is kept and told."""
TIMEOUT = timedelta(seconds=120)


def site_tools(pages: Pages, notes: Notes, reading: timedelta = READING) -> list[Tool]:
    """The tools that read several pages of a website; `reading` is how long they wait for pages."""

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
        visit = _Visit(pages, reading)
        first = await visit.begin(url.strip())
        links = visit.new(first.found.links)
        await visit.read([link.url for link in _best(links, wanted)[:limit]], limit)
        return await _told(notes, context, visit, wanted)

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
        visit = _Visit(pages, reading, obeys=True)
        first = await visit.begin(url.strip())
        level: Sequence[Reading] = [first]
        for _ in range(max_depth):
            links = visit.new(link for page in level for link in page.found.links)
            level = await visit.read([link.url for link in _best(links, wanted)], max_pages - len(visit.found))
            if not level:
                break
        return await _told(notes, context, visit, wanted)

    return [web_subpage_fetch, web_crawl]


class _Visit:
    """One visit to a website: what was read of it, each text once, and what is left of the caps."""

    def __init__(self, pages: Pages, limit: timedelta, *, obeys: bool = False) -> None:
        self._pages = pages
        self._obeys = obeys
        self._ends = time.monotonic() + limit.total_seconds()
        self._left_bytes = MOST_BYTES
        self._rules = Rules()
        self._place: tuple[str, int] | None = None
        self._seen: set[str] = set()
        self._texts: set[str] = set()
        self.found: list[Reading] = []
        self.failed = 0

    async def begin(self, url: str) -> Reading:
        """The page that the visit begins at; the site is the one that it leads to.

        Raises:
            FetchError: it could not be brought.
            ToolError: it cannot be read, or programs are not to read it.
        """
        await self._ask(url)
        reading = await self._pages.read(url, links=True)
        end = reading.page.url
        if end != url:
            # where it leads may be another site, with rules of its own
            await self._ask(end)
        self._place = _place(end)
        self._seen |= {urldefrag(url).url, urldefrag(end).url}
        self._keep(reading)
        return reading

    def new(self, links: Iterable[Link]) -> list[Link]:
        """Those of the links that lead to pages of this site which were not tried, each once."""
        found: dict[str, Link] = {}
        for link in links:
            if link.url not in self._seen and _place(link.url) == self._place and self._rules.allows(link.url):
                found.setdefault(link.url, link)
        return list(found.values())

    async def read(self, urls: Sequence[str], most: int) -> list[Reading]:
        """Opens pages in their order until so many new ones are read, or time or bytes are used up."""
        found: list[Reading] = []
        waiting = list(urls)
        while waiting and len(found) < most and self._left_bytes > 0 and self._left_seconds > 0:
            batch = waiting[: min(AT_ONCE, most - len(found))]
            waiting = waiting[len(batch) :]
            self._seen |= set(batch)
            for reading in await self._together(batch):
                if reading is not None and self._keep(reading):
                    found.append(self.found[-1])
        return found

    @property
    def _left_seconds(self) -> float:
        return self._ends - time.monotonic()

    async def _ask(self, url: str) -> None:
        """Learns the rules of an address's site, where they are obeyed, and refuses what they forbid."""
        if not self._obeys:
            return
        self._rules = await rules_of(self._pages, url)
        if not self._rules.allows(url):
            raise ToolError(f"{url}: {self._rules.why}")

    def _keep(self, reading: Reading) -> bool:
        """Whether a page is new; of a page that is kept, the bytes are not."""
        self._left_bytes -= len(reading.page.data)
        content = sha256(reading.found.text)
        if content in self._texts:
            return False
        self._texts.add(content)
        self.found.append(replace(reading, page=replace(reading.page, data=b"")))
        return True

    async def _together(self, urls: Sequence[str]) -> list[Reading | None]:
        """The pages, as far as they can be read in time and are of this site at the end of all redirects."""
        tasks = [asyncio.create_task(self._one(url, number)) for url, number in zip(urls, count(1), strict=False)]
        try:
            await asyncio.wait(tasks, timeout=max(self._left_seconds, 0))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        read = [None if task.cancelled() else task.result() for task in tasks]
        self.failed += read.count(None)
        return read

    async def _one(self, url: str, number: int) -> Reading | None:
        await asyncio.sleep(self._rules.delay_seconds * number)
        try:
            reading = await self._pages.read(url, links=True)
        except (FetchError, ToolError):
            return None
        end = reading.page.url
        return reading if _place(end) == self._place and self._rules.allows(end) else None


def _place(url: str) -> tuple[str, int]:
    """Host and port of a web address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _best(links: Sequence[Link], wanted: str) -> list[Link]:
    """The links, those that fit best first; in the page's order where they fit alike."""
    stems = stems_of(wanted)
    words = [stems_of(f"{link.text} {urlsplit(link.url).path.replace('/', ' ').replace('-', ' ')}") for link in links]
    order = sorted(range(len(links)), key=lambda place: (-overlap(stems, words[place]), place))
    return [links[place] for place in order]


async def _told(notes: Notes, context: ToolContext, visit: _Visit, wanted: str) -> str:
    snapshots: list[Snapshot] = []
    for reading in visit.found:
        if context.research is not None:
            snapshots.append(await notes.kept(context, reading))
            continue
        url = reading.page.url
        source = Source(id=source_id(url), url=url, title=reading.found.title[:200])
        snapshots.append(Snapshot(source=source, text=reading.found.text))
    about = f"{wanted} {context.research.about if context.research is not None else ''}"
    once = list({each.source.id: each for each in snapshots}.values())
    text = await asyncio.to_thread(briefly, once, about, SHOWN_CHARS)
    return f"{text}\n\nLinked pages that could not be read: {visit.failed}" if visit.failed else text
