"""A reader of a task's events sees each one once, in order, wherever it starts and whenever the writer writes."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from redis.asyncio import Redis

from theseus.contracts.events import (
    EndFacts,
    Event,
    LLMPartial,
    PartialFacts,
    Progressed,
    StoredEvent,
    StreamEnd,
)
from theseus.stores.ports import EventLog
from theseus.stores.redis import RedisEvents

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Kind(Protocol):
    def events(self, ttl: timedelta = ..., cap: int = ...) -> EventLog: ...


def told(n: int, message: str = "") -> Event:
    return Progressed(type="PROGRESS", workflow_id="t", timestamp=AT, key=f"w:{n}", message=message or f"m{n}")


def delta(n: int) -> Event:
    place = PartialFacts(step=1, attempt=1, index=n)
    return LLMPartial(workflow_id="t", timestamp=AT, message=f"d{n}", payload=place)


def end(key: str | None = "w:end") -> Event:
    return StreamEnd(workflow_id="t", timestamp=AT, key=key, payload=EndFacts(status="completed"))


async def now(log: EventLog, after: str = "0", task: str = "t") -> list[StoredEvent]:
    return [stored async for stored in log.read(task, after, follow=False)]


async def until_end(log: EventLog, after: str = "0", task: str = "t") -> list[StoredEvent]:
    return [stored async for stored in log.read(task, after)]


def said(stored: Sequence[StoredEvent]) -> list[str]:
    return [one.event.message or one.event.type for one in stored]


async def test_events_come_back_whole_in_order_and_numbered(kind: Kind):
    log = kind.events()
    events = [told(1, "grüße 🙂"), delta(0), end()]
    await log.publish("t", events)
    found = await now(log)
    assert [one.event for one in found] == events
    assert [one.seq for one in found] == [1, 2, 3]


async def test_a_milestone_is_published_once_and_a_delta_each_time(kind: Kind):
    log = kind.events()
    await log.publish("t", [told(1), delta(0)])
    await log.publish("t", [told(1), told(2), told(2), delta(0)])
    found = await now(log)
    assert said(found) == ["m1", "d0", "m2", "d0"]
    assert [one.seq for one in found] == [1, 2, 3, 4]


async def test_tasks_do_not_see_each_other(kind: Kind):
    log = kind.events()
    await log.publish("t", [told(1)])
    await log.publish("t}", [told(1, "other")])
    assert said(await now(log)) == ["m1"]
    assert said(await now(log, task="t}")) == ["other"]


async def test_publishing_nothing_is_allowed(kind: Kind):
    log = kind.events()
    await log.publish("t", [])
    assert await now(log) == []


async def test_nothing_comes_after_the_end_and_it_is_the_only_one(kind: Kind):
    log = kind.events()
    await log.publish("t", [told(1), end(), end(None), told(2)])
    await log.publish("t", [delta(9), end("w:other")])
    assert said(await now(log)) == ["m1", "STREAM_END"]
    assert said(await until_end(log)) == ["m1", "STREAM_END"]


async def test_a_reader_that_was_first_waits_for_the_first_event(kind: Kind):
    log = kind.events()
    reader = asyncio.create_task(until_end(log))
    await asyncio.sleep(0.3)
    assert not reader.done()
    await log.publish("t", [told(1)])
    await asyncio.sleep(0.1)
    await log.publish("t", [end()])
    assert said(await asyncio.wait_for(reader, 5)) == ["m1", "STREAM_END"]


async def test_an_event_reaches_a_waiting_reader_at_once(kind: Kind):
    log = kind.events()
    loop = asyncio.get_running_loop()
    arrived: list[float] = []

    async def read() -> None:
        async for _ in log.read("t"):
            arrived.append(loop.time())

    reader = asyncio.create_task(read())
    sent: list[float] = []
    for n in range(20):
        await asyncio.sleep(0.02)
        sent.append(loop.time())
        await log.publish("t", [delta(n)])
    await log.publish("t", [end()])
    await asyncio.wait_for(reader, 5)
    delays = sorted(got - out for got, out in zip(arrived, sent, strict=False))
    assert delays[len(delays) // 2] < 0.15


async def test_a_quiet_stream_outlasts_a_blocking_read(kind: Kind):
    log = kind.events()
    await log.publish("t", [told(1)])
    reader = asyncio.create_task(until_end(log))
    await asyncio.sleep(2.4)
    assert not reader.done()
    await log.publish("t", [end()])
    assert said(await asyncio.wait_for(reader, 5)) == ["m1", "STREAM_END"]


async def test_resuming_at_any_event_gives_exactly_the_rest(kind: Kind):
    log = kind.events()
    await log.publish("t", [*(told(n) for n in range(30)), end()])
    everything = await now(log)
    for place, stored in enumerate(everything):
        assert await now(log, stored.stream_id) == everything[place + 1 :]
        assert await asyncio.wait_for(until_end(log, stored.stream_id), 5) == everything[place + 1 :]


async def test_no_gap_and_no_repeat_for_readers_that_resume_while_writers_race(kind: Kind):
    log = kind.events()

    async def write(writer: int) -> None:
        for n in range(0, 60, 3):
            await log.publish("t", [told(1000 * writer + n + i) for i in range(3)])
            await asyncio.sleep(0)

    async def read(leave_after: int) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        while not found or found[-1].event.type != "STREAM_END":
            taken = 0
            async for stored in log.read("t", found[-1].stream_id if found else "0"):
                found.append(stored)
                taken += 1
                if taken == leave_after:
                    break
        return found

    readers = [asyncio.create_task(read(size)) for size in (1, 2, 7, 50, 10_000)]
    await asyncio.gather(*(write(writer) for writer in range(3)))
    await log.publish("t", [end()])
    results = await asyncio.wait_for(asyncio.gather(*readers), 60)
    everything = await now(log)
    assert [one.seq for one in everything] == list(range(1, 182))
    assert all(result == everything for result in results)


async def test_a_long_stream_is_read_whole(kind: Kind):
    log = kind.events()
    for start in range(0, 1_700, 100):
        await log.publish("t", [delta(n) for n in range(start, start + 100)])
    await log.publish("t", [end()])
    for found in (await now(log), await until_end(log)):
        assert [one.seq for one in found] == list(range(1, 1_702))


async def test_reading_without_following_ends_where_the_stream_ended_then_though_the_writer_goes_on(kind: Kind):
    log = kind.events()
    await log.publish("t", [delta(n) for n in range(600)])
    found: list[StoredEvent] = []
    async for stored in log.read("t", follow=False):
        found.append(stored)
        if len(found) < 1_000:
            await log.publish("t", [delta(600 + len(found))])
    assert [one.seq for one in found] == list(range(1, 601))


async def test_a_stream_keeps_about_its_cap_and_the_newest(kind: Kind):
    log = kind.events(cap=1_000)
    for start in range(0, 3_000, 100):
        await log.publish("t", [delta(n) for n in range(start, start + 100)])
    seqs = [one.seq for one in await now(log)]
    assert 1_000 <= len(seqs) <= 1_200
    assert seqs == list(range(3_001 - len(seqs), 3_001))


@pytest.mark.parametrize("after", ["", "$", "-", "+", "abc", "1-2-3", "-1", "1-", "9" * 20, "\u0661"])
async def test_a_place_that_is_none_is_refused(kind: Kind, after: str):
    with pytest.raises(ValueError, match="is not an event's stream_id"):
        await now(kind.events(), after)


async def test_events_are_forgotten_after_their_time(kind: Kind):
    log = kind.events(ttl=timedelta(seconds=0.4))
    await log.publish("t", [told(1), end()])
    await asyncio.sleep(0.6)
    assert await now(log) == []
    await log.publish("t", [told(1)])
    assert said(await now(log)) == ["m1"]


async def test_a_reader_can_be_cancelled_and_the_log_goes_on(kind: Kind):
    log = kind.events()
    readers = [asyncio.create_task(until_end(log)) for _ in range(5)]
    await asyncio.sleep(0.1)
    for reader in readers:
        reader.cancel()
    assert all(
        isinstance(ended, asyncio.CancelledError) for ended in await asyncio.gather(*readers, return_exceptions=True)
    )
    await log.publish("t", [told(1), end()])
    assert said(await until_end(log)) == ["m1", "STREAM_END"]


async def test_another_process_sees_the_same_stream(valkey: Redis):
    first = RedisEvents(valkey, ttl=timedelta(minutes=1), cap=1_000, prefix="shared")
    second = RedisEvents(valkey, ttl=timedelta(minutes=1), cap=1_000, prefix="shared")
    await first.publish("t", [told(1)])
    await second.publish("t", [told(1), told(2)])
    assert said(await now(first)) == ["m1", "m2"]


async def test_the_end_of_a_task_is_known_by_its_id_and_not_before(kind: Kind):
    log = kind.events()
    assert await log.end("t") is None
    await log.publish("t", [told(1)])
    assert await log.end("t") is None
    await log.publish("t", [end()])
    assert await log.end("t") == (await now(log))[-1].stream_id
