"""Many readers on many tasks, over plain sockets, which cost next to nothing beside what they read from."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.support.streams import delta, end, now, soon
from theseus.stores.ports import EventLog

TASKS, READERS, DELTAS = 20, 200, 20
PAUSE = 0.2


@dataclass
class Reader:
    """Reads one task; may break off once in the middle and come back.

    `seqs` are the numbers of the events as they came; `late_ms` how long after it was told each came.
    """

    url: str
    task: str
    leaves_after: int | None = None
    seqs: list[int] = field(default_factory=list[int])
    late_ms: list[float] = field(default_factory=list[float])
    last: str = ""
    is_done: bool = False
    listens: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until the task's end."""
        await self._once(self.leaves_after)
        if not self.is_done:
            await self._once(None)

    async def _once(self, most: int | None) -> None:
        place = urlsplit(self.url)
        coming, going = await asyncio.open_connection(place.hostname, place.port, limit=1 << 20)
        came_back = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        going.write(f"GET /api/v1/stream/sse?workflow_id={self.task} HTTP/1.1\r\nHost: x\r\n{came_back}\r\n".encode())
        taken = 0
        while not self.is_done and taken != most:
            line = await coming.readline()
            assert line, "closed before the end"
            self.listens.set()
            if line.startswith(b"data: "):
                taken += 1
                self._take(json.loads(line[6:]))
        going.close()

    def _take(self, data: dict[str, Any]) -> None:
        self.seqs.append(data["seq"])
        self.last, self.is_done = data["stream_id"], data["type"] == "done"
        if not self._catches_up():
            self.late_ms.append((now() - datetime.fromisoformat(data["timestamp"])).total_seconds() * 1000)

    def _catches_up(self) -> bool:
        """Whether it came back: what it missed meanwhile says nothing of the way."""
        return self.leaves_after is not None and len(self.seqs) > self.leaves_after


async def crowd(url: str, events: EventLog, tasks: Sequence[str], seed: int = 0) -> list[Reader]:
    """All readers on tasks that the gateway knows, to the end of each; a quarter of them breaks off and comes back."""
    rng = random.Random(seed)
    leaves = [rng.randrange(5, DELTAS) if n % 4 == 0 else None for n in range(READERS)]
    readers = [Reader(url, tasks[n % len(tasks)], leaves[n]) for n in range(READERS)]
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    await soon(asyncio.gather(*(reader.listens.wait() for reader in readers)), 60)
    await soon(asyncio.gather(*(_told(events, task, rng) for task in tasks)), 60)
    await soon(asyncio.gather(*reading), 60)
    return readers


async def _told(events: EventLog, task: str, rng: random.Random) -> None:
    await asyncio.sleep(rng.random() * PAUSE)
    for n in range(DELTAS):
        await events.publish(task, [delta(task, n, "some words ")])
        await asyncio.sleep(PAUSE)
    await events.publish(task, [end(task)])
