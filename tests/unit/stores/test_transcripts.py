"""A transcript gives back every node that was put, whole or in parts, until its conversation is forgotten."""

import asyncio
from datetime import timedelta
from typing import Protocol

import pytest

from theseus.stores.ports import TranscriptStore


class Kind(Protocol):
    def transcripts(self, ttl: timedelta = ...) -> TranscriptStore: ...


async def test_nodes_come_back_as_they_were_put_and_stay_apart(kind: Kind):
    store = kind.transcripts()
    await store.put("c1", {"a": "één", "b": '{"x": "\\u0000 🙂"}'})
    await store.put("c1", {"c": ""})
    await store.put("c2", {"a": "other"})
    assert await store.get("c1") == {"a": "één", "b": '{"x": "\\u0000 🙂"}', "c": ""}
    assert await store.get("c2") == {"a": "other"}
    assert await store.get("c3") == {}


async def test_putting_nothing_is_allowed(kind: Kind):
    store = kind.transcripts()
    await store.put("c", {})
    assert await store.get("c") == {}


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 1, 2, 0, 0]])
async def test_a_node_in_parts_is_there_once_all_parts_are(kind: Kind, order: list[int]):
    store = kind.transcripts()
    parts = ["añb", "", "🙂 end"]
    for number, part in enumerate(order):
        assert await store.get("c") == ({} if set(order[:number]) != {0, 1, 2} else {"n": "añb🙂 end"})
        await store.put_part("c", "n", part, 3, parts[part])
    assert await store.get("c") == {"n": "añb🙂 end"}


async def test_parts_cut_in_another_way_do_not_mix(kind: Kind):
    store = kind.transcripts()
    await store.put_part("c", "n", 0, 3, "a")
    await store.put_part("c", "n", 1, 3, "b")
    await store.put_part("c", "n", 0, 2, "ab")
    assert await store.get("c") == {}
    await store.put_part("c", "n", 1, 2, "c")
    assert await store.get("c") == {"n": "abc"}


@pytest.mark.parametrize(("part", "parts"), [(3, 3), (-1, 3), (0, 0)])
async def test_a_part_that_cannot_be_is_refused(kind: Kind, part: int, parts: int):
    with pytest.raises(ValueError, match="is not one of"):
        await kind.transcripts().put_part("c", "n", part, parts, "x")


async def test_many_large_parts_arrive_together(kind: Kind):
    store = kind.transcripts()
    parts = [f"{number:04d}" + "x" * 200_000 for number in range(16)]
    await asyncio.gather(*(store.put_part("c", "n", number, 16, text) for number, text in enumerate(parts)))
    assert (await store.get("c"))["n"] == "".join(parts)


async def test_a_conversation_lives_from_put_to_put(kind: Kind):
    store = kind.transcripts(ttl=timedelta(seconds=0.6))
    await store.put("c", {"a": "1"})
    for number in range(3):
        await asyncio.sleep(0.3)
        await store.put("c", {f"b{number}": "2"})
    assert "a" in await store.get("c")
    await store.put_part("c", "n", 0, 2, "x")
    await asyncio.sleep(0.8)
    await store.put_part("c", "n", 1, 2, "y")
    assert await store.get("c") == {}
