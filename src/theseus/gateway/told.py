"""The events of a task as a list: from the log while it is there, else from the archive."""

from collections.abc import Sequence

from theseus.contracts.archive import ArchivedEvents
from theseus.contracts.events import StoredEvent
from theseus.stores.archive.port import Archive, Page
from theseus.stores.ports import EventLog, StoreDownError

NOT_LISTED = frozenset({"LLM_PARTIAL", "LLM_PROMPT"})


async def told(task_id: str, page: Page, archive: Archive, log: EventLog) -> ArchivedEvents:
    """A page of a task's events, oldest first, without pieces of text, and how many there are.

    Raises:
        ArchiveDownError: neither the archive nor the log has them now.
    """
    kept = await archive.events(task_id, page)
    if kept.total:
        return kept
    try:
        events = [stored async for stored in log.read(task_id, follow=False)]
    except StoreDownError:
        return kept
    listed: Sequence[StoredEvent] = [stored for stored in events if stored.event.type not in NOT_LISTED]
    return ArchivedEvents(events=list(listed[page.offset : page.offset + page.limit]), total=len(listed))
