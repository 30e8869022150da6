"""What researchers keep: snapshots of the pages that they open, and quotes of them as evidence.

A quote is admitted only where it stands in the snapshot, and a claim only with figures that the quote shows.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from theseus.activities.tools.domains import domain_of
from theseus.activities.tools.registry import Outcome, Tool, ToolContext, ToolError, tool
from theseus.activities.tools.web_fetch import DATA_NOTE, FetchError, Pages, Reading, left_out
from theseus.activities.tools.web_search import SearchProvider, cleaned, first_answer
from theseus.contracts.research import Card, ResearchCall, Snapshot, Source
from theseus.contracts.tools import Effect
from theseus.domain.research.figures import figures, not_shown
from theseus.domain.research.passages import Passage, fitting, telling
from theseus.domain.research.quotes import Folded, find, fold
from theseus.domain.research.sources import card_id, sha256, source_id
from theseus.stores.ports import EvidenceStore, StoreDownError

SHOWN_CHARS = 4_000
"""So much of a page a researcher is shown at once: it goes through the task's history."""
WINDOW_CHARS = 200
"""So much text around a quote is kept with it, on either side."""
MARK_CHARS = 30
"""So much saying where a passage begins takes at most."""
LEAST_SHOWN_CHARS = 100
LOOKED_THROUGH_CHARS = 300_000
"""In so much of each of several pages the best passage is looked for: of twenty long ones all would take too long."""
MOST_ITEMS = 8
MOST_PICKED = 3
TIMEOUT = timedelta(seconds=30)
PICKING = timedelta(seconds=120)


class Item(BaseModel):
    """One piece of evidence, as a researcher notes it."""

    model_config = ConfigDict(extra="forbid")

    source_id: str = Field(max_length=40, description="The source's id, such as s-1a2b3c4d.")
    quote: str = Field(min_length=20, max_length=600, description="Words of the page, copied exactly.")
    claim: str = Field(min_length=1, max_length=300, description="What the quote shows, in one sentence.")
    facet: str = Field(max_length=40, description="The facet's id.")


class Notes:
    """Snapshots of what the researchers of all tasks open."""

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence

    async def opened(self, context: ToolContext, reading: Reading) -> str:
        """Keeps a page as it is now; gives its id and the passages that fit what the researcher looks for."""
        snapshot = await self.kept(context, reading)
        about = context.research.about if context.research is not None else ""
        missing = left_out(reading.page, reading.found)
        return await asyncio.to_thread(_shown, snapshot, about, missing)

    async def kept(self, context: ToolContext, reading: Reading) -> Snapshot:
        """Keeps a page as it is now; gives the one that has this text already, under whatever address.

        Raises:
            ToolError: the store cannot be reached now.
        """
        url, found = reading.page.url, reading.found
        source = Source(
            id=source_id(url),
            url=url,
            title=found.title[:200],
            domain=reading.place or domain_of(url),
            published=found.published or None,
            sha256=sha256(found.text),
        )
        try:
            return await self._evidence.put(context.task_id, Snapshot(source=source, text=found.text))
        except StoreDownError as error:
            raise ToolError("The page was opened, but cannot be kept as a source now. Try again in a while.") from error

    async def get(self, context: ToolContext, name: str) -> Snapshot:
        """A page that was kept.

        Raises:
            ToolError: it is not there, or the store cannot be reached now.
        """
        try:
            snapshot = await self._evidence.get(context.task_id, name)
        except StoreDownError as error:
            raise ToolError("Sources cannot be read now. Try again in a while.") from error
        if snapshot is None:
            raise ToolError(f"There is no source {name!r}: open the page with web_fetch, which gives its id.")
        return snapshot


def picking_tools(providers: Sequence[SearchProvider], pages: Pages, notes: Notes) -> list[Tool]:
    """The tool by which a research looks for evidence without a model; none without a search provider."""
    if not providers:
        return []

    @tool(effect=Effect.READ, timeout=PICKING)
    async def pick_evidence(
        facet: Annotated[str, Field(max_length=40)],
        about: Annotated[str, Field(min_length=1, max_length=600)],
        context: ToolContext,
    ) -> Outcome:
        """Searches for a facet, opens the first results, and takes the sentence of each that says most about it.

        Args:
            facet: the facet's id
            about: what it is about, in words
            context: who asks
        """
        if context.research is None:
            raise ToolError("Evidence is picked for a research only.")
        found = await first_answer(providers, cleaned(about), MOST_PICKED)
        cards: list[Card] = []
        for result in found.results:
            try:
                snapshot = await notes.kept(context, await pages.read(result.url))
                if (said := await asyncio.to_thread(telling, snapshot.text, about)) is not None:
                    item = Item(source_id=snapshot.source.id, quote=said.text, claim=said.text, facet=facet)
                    cards.append(_admitted(item, snapshot, context.research))
            except (FetchError, ToolError):
                continue
        lines = [f"{card.id}: {card.claim}" for card in cards]
        return Outcome("\n".join(lines) or "Nothing says enough about it.", cards=tuple(cards))

    return [pick_evidence]


def evidence_tools(notes: Notes) -> list[Tool]:
    """The tools by which researchers read on in their sources and note evidence."""

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def read_source(
        source_id: Annotated[str, Field(max_length=40)],
        context: ToolContext,
        offset: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=100, le=SHOWN_CHARS)] = SHOWN_CHARS,
    ) -> str:
        """Reads on in a page that was opened before.

        Args:
            source_id: the source's id, such as s-1a2b3c4d
            context: who asks
            offset: the first character to read
            limit: how many characters to read
        """
        snapshot = await notes.get(context, source_id)
        part, total = snapshot.text[offset : offset + limit], len(snapshot.text)
        if not part:
            raise ToolError(f"The source ends before offset {offset}: it has {total} characters.")
        end = offset + len(part)
        more = f"; read on at offset {end}" if end < total else ", its end"
        return f"{_head(snapshot)}\nCharacters {offset} to {end} of {total}{more}\n\n{part}"

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def note_evidence(
        items: Annotated[list[Item], Field(min_length=1, max_length=MOST_ITEMS)], context: ToolContext
    ) -> Outcome:
        """Notes quotes of opened pages as evidence for facets. Only what is noted counts for the report.

        Args:
            items: the evidence: source_id, quote (copied word for word), claim, facet
            context: who asks
        """
        if context.research is None:
            raise ToolError("Evidence is noted by researchers only.")
        opened: dict[str, Snapshot | ToolError] = {}
        for name in dict.fromkeys(item.source_id for item in items):
            try:
                opened[name] = await notes.get(context, name)
            except ToolError as error:
                opened[name] = error
        return await asyncio.to_thread(_judged, items, opened, context.research)

    return [read_source, note_evidence]


def _judged(items: Sequence[Item], opened: Mapping[str, Snapshot | ToolError], call: ResearchCall) -> Outcome:
    folded = cache(fold)
    lines: list[str] = []
    cards: list[Card] = []
    for number, item in enumerate(items, start=1):
        snapshot = opened[item.source_id]
        try:
            if isinstance(snapshot, ToolError):
                raise snapshot
            exactly = item.quote in snapshot.text
            card = _admitted(item, snapshot, call, None if exactly else folded(snapshot.text))
        except ToolError as error:
            lines.append(f"{number}. not admitted: {error}")
            continue
        cards.append(card)
        lines.append(f"{number}. admitted {card.id} for {card.facet}")
    return Outcome("\n".join(lines), is_error=not cards, cards=tuple(cards))


def _admitted(item: Item, snapshot: Snapshot, call: ResearchCall, folded: Folded | None = None) -> Card:
    if item.facet not in call.facets:
        raise ToolError(f"there is no facet {item.facet!r}; facets: {', '.join(call.facets)}")
    match = find(item.quote, snapshot.text, folded)
    if match is None:
        raise ToolError("the quote does not stand on that page: copy it word for word, numbers above all")
    text, source = snapshot.text, snapshot.source
    window = text[max(match.start - WINDOW_CHARS, 0) : match.end + WINDOW_CHARS]
    # of two figures something near any third can be reckoned: what is derived is the writer's, who cites what it is from
    wrong = not_shown(figures(item.claim), [figures(f"{window} {source.title}")])
    if wrong:
        raise ToolError(
            f"the claim says {', '.join(wrong)}, and the quote does not: claim only figures that stand there"
        )
    return Card(
        id=card_id(source.id, match.start, call.question, item.facet),
        claim=" ".join(item.claim.split()),
        quote=text[match.start : match.end],
        window=window,
        start=match.start,
        source=source,
        question=call.question,
        facet=item.facet,
    )


def _head(snapshot: Snapshot) -> str:
    source = snapshot.source
    lines = [DATA_NOTE, f"Source {source.id}", f"URL: {source.url}"]
    if source.title:
        lines.append(f"Title: {source.title}")
    if source.published:
        lines.append(f"Published: {source.published}")
    return "\n".join(lines)


def _shown(snapshot: Snapshot, about: str, missing: Sequence[str]) -> str:
    text = snapshot.text
    head = "\n".join([_head(snapshot), *missing])
    if len(text) <= SHOWN_CHARS:
        return f"{head}\n\n{text}"
    parts = _joined(text, fitting(text, about, SHOWN_CHARS, MARK_CHARS))
    passages = "\n\n".join(f"[from character {part.start}]\n{part.text}" for part in parts)
    note = f"{len(text)} characters in all; these fit your question best, read on with read_source."
    return f"{head}\n{note}\n\n{passages}"


def _joined(text: str, parts: Sequence[Passage]) -> list[Passage]:
    """The passages, those between which nothing stands as one."""
    found: list[Passage] = []
    for part in parts:
        last = found[-1] if found else None
        between = text[last.start + len(last.text) : part.start] if last is not None else "x"
        if last is not None and len(between) <= MARK_CHARS and not between.strip():
            found[-1] = Passage(last.start, text[last.start : part.start + len(part.text)])
        else:
            found.append(part)
    return found


def briefly(snapshots: Sequence[Snapshot], about: str, room_chars: int) -> str:
    """Several pages, each with its id and the passage that fits best."""
    parts: list[str] = []
    for snapshot in snapshots:
        source = snapshot.source
        head = f"Source {source.id} · {source.title or source.url}\n{source.url}"
        room = max(room_chars // len(snapshots) - len(head), LEAST_SHOWN_CHARS)
        best = fitting(snapshot.text[:LOOKED_THROUGH_CHARS], about, room, each_chars=1)
        parts.append("\n".join([head, *(part.text for part in best)]))
    return f"{DATA_NOTE}\n\n" + "\n\n".join(parts)
