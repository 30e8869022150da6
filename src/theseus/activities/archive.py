"""The activity that keeps an ended task for good."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.contracts.archive import TaskRecord
from theseus.contracts.errors import ErrorType
from theseus.contracts.events import StoredEvent
from theseus.stores.archive.port import Archive, ArchiveDownError
from theseus.stores.ports import EventLog, StoreDownError


class ArchiveActivities:
    """Ended tasks, and what they told.

    Args:
        archive: where they are kept; None where this worker keeps none.
        events: the log that their events are read from.
    """

    def __init__(self, archive: Archive | None, events: EventLog) -> None:
        self._archive = archive
        self._events = events

    @activity.defn(name="task.archive")
    async def keep(self, record: TaskRecord) -> bool:
        """Keeps a task with its usage and its events, once, however often it is asked; False on a worker that keeps none."""
        if self._archive is None:
            return False
        try:
            await self._archive.end(record, await self._told(record.task_id))
        except ArchiveDownError as error:
            raise ApplicationError(f"the task could not be archived: {error}", type=ErrorType.STORE_DOWN) from error
        return True

    async def _told(self, task_id: str) -> list[StoredEvent]:
        told: list[StoredEvent] = []
        try:
            async for stored in self._events.read(task_id, follow=False):
                told.append(stored)
        except (StoreDownError, ValueError) as error:
            # a ValueError is an event that this version of ours cannot read; the task with fewer is better than no task
            activity.logger.warning("of the events of %s only %d are archived: %s", task_id, len(told), error)
        return told
