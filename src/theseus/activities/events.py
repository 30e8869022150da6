"""The activity that publishes a task's milestones."""

from itertools import groupby

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.contracts.errors import ErrorType
from theseus.contracts.events import EventBatch
from theseus.stores.ports import EventLog, StoreDownError


class EventActivities:
    """What workflows tell. An event log that is down is a failure that Temporal retries."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    @activity.defn(name="events.publish")
    async def publish(self, batch: EventBatch) -> None:
        """Appends the events in order; one whose key was published before is left out, so a retry repeats nothing."""
        try:
            for task_id, events in groupby(batch.events, key=lambda event: event.workflow_id):
                await self._events.publish(task_id, list(events))
        except StoreDownError as error:
            raise ApplicationError(f"events could not be published: {error}", type=ErrorType.STORE_DOWN) from error
