"""What researchers keep: snapshots of the pages that they open, and quotes of them as evidence.

A quote is admitted only where it stands in the snapshot, and a claim only with figures that the quote shows.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from theseus.activities.tools.domains import domain_of
from theseus.activities.tools.registry import Outcome, Tool, ToolContext, ToolError, tool
from theseus.activities.tools.web_fetch import DATA_NOTE, FetchError, Pages, Reading
from theseus.activities.tools.web_search import SearchProvider, cleaned, first_answer
from theseus.contracts.research import Card, ResearchCall, Snapshot, Source
from theseus.contracts.tools import Effect
from theseus.domain.research.figures import figures, not_shown
from theseus.domain.research.passages import fitting, telling
from theseus.domain.research.quotes import find
from theseus.domain.research.sources import card_id, sha256, source_id
from theseus.stores.ports import EvidenceStore, StoreDownError

SHOWN_CHARS = 4_000
"""So much of a page a researcher is shown at once: it goes through the task's history."""
WINDOW_CHARS = 200
"""So much text around a quote is kept with it, on either side."""
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
        return _shown(snapshot, about, SHOWN_CHARS)

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
            domain=domain_of(url),
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

    @tool(effect=Effect.IDEMPOTENT, timeout=PICKING)
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
            except (FetchError, ToolError):
                continue
            if (said := telling(snapshot.text, about)) is not None:
                item = Item(source_id=snapshot.source.id, quote=said.text, claim=said.text, facet=facet)
                cards.append(_admitted(item, snapshot, context.research))
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
        part = snapshot.text[offset : offset + limit]
        head = _head(snapshot)
        return f"{head}\nCharacters {offset} to {offset + len(part)} of {len(snapshot.text)}\n\n{part}"

    @tool(effect=Effect.IDEMPOTENT, timeout=TIMEOUT)
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
        lines: list[str] = []
        cards: list[Card] = []
        for number, item in enumerate(items, start=1):
            try:
                card = _admitted(item, await notes.get(context, item.source_id), context.research)
            except ToolError as error:
                lines.append(f"{number}. not admitted: {error}")
                continue
            cards.append(card)
            lines.append(f"{number}. admitted {card.id} for {card.facet}")
        return Outcome("\n".join(lines), is_error=not cards, cards=tuple(cards))

    return [read_source, note_evidence]


def _admitted(item: Item, snapshot: Snapshot, call: ResearchCall) -> Card:
    if item.facet not in call.facets:
        raise ToolError(f"there is no facet {item.facet!r}; facets: {', '.join(call.facets)}")
    match = find(item.quote, snapshot.text)
    if match is None:
        raise ToolError("the quote does not stand on that page: copy it word for word, numbers above all")
    text, source = snapshot.text, snapshot.source
    window = text[max(match.start - WINDOW_CHARS, 0) : match.end + WINDOW_CHARS]
    wrong = not_shown(figures(item.claim), [figures(f"{window} {source.title}")], derives=True)
    if wrong:
        raise ToolError(f"the claim says {', '.join(wrong)}, and the quote does not")
    return Card(
        id=card_id(source.id, match.start, item.facet),
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


def _shown(snapshot: Snapshot, about: str, room_chars: int) -> str:
    text = snapshot.text
    parts = fitting(text, about, room_chars)
    if sum(len(part.text) for part in parts) >= len(text.strip()) - 2 * len(parts):
        return f"{_head(snapshot)}\n\n{text}"
    passages = "\n\n".join(f"[from character {part.start}]\n{part.text}" for part in parts)
    note = f"{len(text)} characters in all; these fit your question best, read on with read_source."
    return f"{_head(snapshot)}\n{note}\n\n{passages}"


def briefly(snapshots: Sequence[Snapshot], about: str, room_chars: int) -> str:
    """Several pages, each with its id and the passage that fits best."""
    room = room_chars // max(len(snapshots), 1)
    parts: list[str] = []
    for snapshot in snapshots:
        source = snapshot.source
        best = fitting(snapshot.text, about, room) if len(snapshot.text) > room else []
        text = "\n".join(part.text for part in best) or snapshot.text[:room]
        parts.append(f"Source {source.id} · {source.title or source.url}\n{source.url}\n{text[:room]}")
    return f"{DATA_NOTE}\n\n" + "\n\n".join(parts)
