"""A tail gives each frame after a place once, whatever it still has at hand, and a reader never spins where frames are lost."""

import asyncio
from contextlib import aclosing
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.streams import end, progress
from theseus.gateway.streams import tail as tails
from theseus.gateway.streams.reader import Reader
from theseus.gateway.streams.since import Since
from theseus.gateway.streams.tail import Tail
from theseus.gateway.wire.events import Frame
from theseus.stores.memory_events import MemoryEvents

MINUTE = timedelta(minutes=1)


@given(told=st.integers(0, 40), most=st.integers(1, 40), place=st.integers(0, 45))
def test_the_frames_after_a_place(told: int, most: int, place: int) -> None:
    async def check() -> None:
        log = MemoryEvents()
        await log.publish("t", [*(progress("t", n) for n in range(told)), end("t")])
        tail = Tail(log, "t", (0, 0))
        await tail.follow()
        number = tail.number_after((place, 0))
        if number is None:
            assert place < tail.before[0] == told + 1 - min(most, told + 1)
            return
        seqs = [tail.frame(at).stored.seq for at in range(number, tail.came)]
        assert seqs == list(range(place + 1, told + 2))

    usual, tails.MOST_FRAMES = tails.MOST_FRAMES, most
    try:
        asyncio.run(check())
    finally:
        tails.MOST_FRAMES = usual


async def test_a_reader_whose_log_was_lost_goes_on_with_what_comes() -> None:
    log, lost = MemoryEvents(), MemoryEvents()
    await log.publish("t", [progress("t", n) for n in range(5)])
    tail = Tail(log, "t", (5, 0))
    following = asyncio.create_task(tail.follow())
    reader = Reader(lost, "t", Since(), ())
    async with asyncio.timeout(5), aclosing(reader.items(tail, MINUTE)) as items:
        first = asyncio.create_task(anext(items))
        await asyncio.sleep(0.05)
        await log.publish("t", [progress("t", 6)])
        found = await first
    assert [item.stored.seq for item in found if isinstance(item, Frame)] == [6]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
