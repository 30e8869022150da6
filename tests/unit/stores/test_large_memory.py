"""A user of whom much is known holds up no other task: however many facts are compared, the worker goes on meanwhile."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from temporalio.testing import ActivityEnvironment

from tests.support.memory import ADA, fact
from tests.unit.stores.conftest import Kind
from theseus.activities.llm.embedding import Embedded
from theseus.activities.memory import MemoryActivities
from theseus.contracts.memory import Change, KeepRequest, Note, RecallRequest
from theseus.contracts.messages import Route
from theseus.contracts.task import Usage

FACTS = 500
STANDSTILL = 0.5
"""The part of the work that may be done without a break at most; compared in one piece it is nearly all of it."""
PATIENCE = 15.0
"""Seconds of work; each text read anew for each comparison, it is several times as many."""

_chance = random.Random(5)
_LETTERS = "abcdefghijklmnoprstuvæøå"
_WORDS = ["".join(_chance.choices(_LETTERS, k=_chance.randint(4, 9))) for _ in range(2000)]


def words(count: int) -> str:
    return " ".join(_chance.choices(_WORDS, k=count))


class Alike:
    """An embedding model for which all texts are alike."""

    route = Route(provider="vectors", model="v")

    def affordable_tokens(self, microusd: int) -> int | None:
        return None

    async def embed(self, texts: Sequence[str]) -> Embedded:
        return Embedded([(1.0,) * 1536 for _ in texts], Usage())


@asynccontextmanager
async def watched() -> AsyncGenerator[None]:
    """Fails when the event loop worked on for long without a break, or all was very much work.

    Work, not time: what else runs on the machine does not count.
    """
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.01)
            longest = max(longest, time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    began = time.process_time()
    yield
    took = time.process_time() - began
    await asyncio.sleep(0.02)
    ticking.cancel()
    assert longest < STANDSTILL * took and took < PATIENCE, (longest, took)


async def test_a_large_memory_is_recalled_and_added_to_without_a_standstill(kind: Kind) -> None:
    if kind.client is None:
        pytest.skip("a worker's memories are on Redis")
    store = kind.memory()
    known = [
        fact(f"The user's {words(25)}", f"t{n}", days=n % 300, about=words(2), only_one=True) for n in range(FACTS)
    ]
    await store.revise(ADA, (), lambda _: Change(add=tuple(known)))
    await store.put_vectors(ADA, "vectors/v", {each.id: (1.0,) * 1536 for each in known})
    activities = MemoryActivities(store, FACTS, Alike())
    run = ActivityEnvironment().run
    request = RecallRequest(owner=ADA, query=words(1200), room_tokens=1000, spare_tokens=10**6, spare_microusd=10**6)
    async with watched():
        recalled = await run(activities.recall, request)
    assert recalled.facts and not recalled.problem
    notes = tuple(Note(fact=f"The user's {words(25)}", said="x", about=words(2), only_one=True) for _ in range(8))
    async with watched():
        keep = KeepRequest(owner=ADA, task_id="new", at=known[-1].at, notes=notes, recalled=recalled)
        assert len((await run(activities.keep, keep)).ids) == 8
    assert len((await store.load(ADA)).facts) == FACTS
