"""Token deltas on their way to the event stream: gathered for a moment, numbered, never in the way of the call."""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta

from theseus.contracts.events import LLMPartial, PartialFacts
from theseus.stores.ports import EventLog, StoreDownError

FLUSH_EVERY = timedelta(milliseconds=40)

_log = logging.getLogger(__name__)


class Deltas:
    """The deltas of one attempt of one call. An event log that is down loses deltas, never the call."""

    def __init__(self, events: EventLog, *, task_id: str, agent: str, step: int, attempt: int) -> None:
        self._events = events
        self._task_id = task_id
        self._agent = agent
        self._step = step
        self._attempt = attempt
        self._text = ""
        self._index = 0
        self._is_loss_told = False
        self._flusher: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()

    def add(self, text: str) -> None:
        """Takes a piece of text; it goes out within `FLUSH_EVERY`."""
        self._text += text
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._soon())

    async def close(self) -> None:
        """Sends what is left."""
        if self._flusher is not None:
            self._flusher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flusher
        await self._send()

    async def _soon(self) -> None:
        while self._text:
            await asyncio.sleep(FLUSH_EVERY.total_seconds())
            # a cancel must not lose what is being sent
            await asyncio.shield(self._send())
        self._flusher = None

    async def _send(self) -> None:
        # one at a time: what is sent last must not overtake what is still on its way
        async with self._sending:
            await self._send_now()

    async def _send_now(self) -> None:
        text, self._text = self._text, ""
        if not text:
            return
        place = PartialFacts(
            step=self._step,
            attempt=self._attempt,
            index=self._index,
            reset=self._index == 0 and self._attempt > 1,
        )
        self._index += 1
        event = LLMPartial(
            workflow_id=self._task_id, agent_id=self._agent, message=text, timestamp=datetime.now(UTC), payload=place
        )
        try:
            await self._events.publish(self._task_id, [event])
        except StoreDownError as error:
            if not self._is_loss_told:
                _log.warning("deltas of this answer are lost: %s", error)
            self._is_loss_told = True
