"""The events of a task as a list: from the log while it is there, else from the archive."""

import logging

from theseus.contracts.archive import ArchivedEvents
from theseus.contracts.events import StoredEvent
from theseus.stores.archive.port import Archive, Page
from theseus.stores.ports import EventLog, StoreDownError

_log = logging.getLogger("theseus.gateway")

NOT_LISTED = frozenset({"LLM_PARTIAL", "LLM_PROMPT"})


async def told(task_id: str, page: Page, archive: Archive, log: EventLog) -> ArchivedEvents:
    """A page of a task's events, oldest first, without pieces of text, and how many there are.

    Raises:
        ArchiveDownError: neither the archive nor the log has them now.
    """
    kept = await archive.events(task_id, page)
    if kept.total:
        return kept
    listed = await logged(task_id, log)
    return ArchivedEvents(events=listed[page.offset : page.offset + page.limit], total=len(listed))


async def logged(task_id: str, log: EventLog) -> list[StoredEvent]:
    """What the log has of a task now, without pieces of text; as much of it as can be read."""
    events: list[StoredEvent] = []
    try:
        async for stored in log.read(task_id, follow=False):
            if stored.event.type not in NOT_LISTED:
                events.append(stored)
    except (StoreDownError, ValueError) as error:
        # a ValueError is an event that this version of ours cannot read
        _log.warning("of the events of %s only %d can be read: %s", task_id, len(events), error)
    return events
