"""A memory belongs to one user, is changed in single steps however many change it, and what is removed leaves no trace."""

import asyncio
import struct
from collections.abc import Sequence
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from tests.support.memory import ADA, fact
from tests.unit.stores.conftest import Kind
from theseus.contracts.memory import Change, Fact, Known, Owner, Recalled
from theseus.domain.remembering import Rule, marks_of, settled, without, without_all
from theseus.stores.ports import MemoryStore
from theseus.stores.redis import RedisMemory

HOME = fact("The user lives in Aarhus.", "t1")
TEA = fact("The user drinks green tea.", "t2", days=1)
NOW = Recalled(revision=1000)


def becomes(**change: Sequence[Fact] | Sequence[str] | bool) -> Rule:
    return lambda _: Change.model_validate(change)


async def add(store: MemoryStore, *facts: Fact, owner: Owner = ADA, recalled: Recalled = NOW, cap: int = 500) -> Known:
    return await store.revise(owner, marks_of(facts, recalled), settled(facts, recalled, cap))


async def texts(store: MemoryStore, owner: Owner = ADA) -> list[str]:
    return [kept.text for kept in (await store.load(owner)).facts]


async def test_facts_are_kept_whole_and_come_in_the_order_in_which_they_were_told(kind: Kind):
    store = kind.memory()
    strange = fact('{"half": "half"} \x00 ✓', "t0", days=-1, keywords=("a", "ü"), about="signs", only_one=True)
    known = await add(store, TEA, strange, HOME)
    assert known.facts == (strange, HOME, TEA) == (await store.load(ADA)).facts
    assert known.revision == 1 and set(known.used.values()) == {1}


async def test_a_task_that_adds_again_adds_nothing(kind: Kind):
    store = kind.memory()
    first = await add(store, HOME, TEA)
    assert await add(store, HOME, TEA) == first
    await store.revise(ADA, (), without([HOME.id]))
    await add(store, HOME, TEA)
    assert await texts(store) == [TEA.text], "nor does it bring back what was forgotten"
    await store.revise(ADA, (), without_all)
    await add(store, HOME, TEA)
    assert await texts(store) == []


async def test_forty_tasks_at_once_lose_and_double_nothing(kind: Kind):
    store = kind.memory()
    facts = [fact(f"The user owns the ship named vessel{n}.", f"t{n}") for n in range(40)]
    await asyncio.gather(*(add(store, each) for each in [*facts, *facts]))
    assert sorted(await texts(store)) == sorted(each.text for each in facts)
    assert (await store.load(ADA)).revision == 40


async def test_a_full_memory_forgets_what_was_not_wanted_for_longest(kind: Kind):
    store = kind.memory()
    facts = [fact(f"The user owns the ship named vessel{n}.", f"t{n}", days=n) for n in range(4)]
    for each in facts[:3]:
        await add(store, each, cap=3)
    await store.want(ADA, [facts[0].id])
    await add(store, facts[3], cap=3)
    assert await texts(store) == [facts[n].text for n in (0, 2, 3)]


@pytest.mark.parametrize(
    "other",
    [
        Owner(tenant_id="acme", user_id="bob"),
        Owner(tenant_id="evil", user_id="ada"),
        Owner(user_id="ada"),
        Owner(user_id="acme/ada"),
        Owner(tenant_id="acme/ada", user_id=" "),
        Owner(tenant_id="acme}", user_id="ada"),
        Owner(tenant_id="acme", user_id="ada}:facts"),
    ],
)
async def test_nobody_else_reaches_a_memory_whatever_ids_they_make_up(kind: Kind, other: Owner):
    store = kind.memory()
    await add(store, HOME)
    await store.put_vectors(ADA, "m", {HOME.id: [1.0]})
    assert await store.load(other) == Known()
    await store.revise(other, (), without_all)
    await store.want(other, [HOME.id])
    await store.put_vectors(other, "m", {HOME.id: [2.0]})
    assert await store.vectors(other, "m") == {}
    await add(store, TEA, owner=other)
    assert await texts(store) == [HOME.text] and await store.vectors(ADA, "m") == {HOME.id: (1.0,)}


async def test_without_a_user_there_is_no_memory(kind: Kind):
    store, nobody = kind.memory(), Owner(tenant_id="acme", user_id="")
    with pytest.raises(ValueError, match="user"):
        await add(store, HOME, owner=nobody)
    with pytest.raises(ValueError, match="user"):
        await store.load(nobody)


async def test_what_is_forgotten_leaves_neither_text_nor_vector(kind: Kind):
    store = kind.memory()
    await add(store, HOME, TEA)
    await store.put_vectors(ADA, "m", {HOME.id: [1.0], TEA.id: [2.0]})
    await store.revise(ADA, (), without([HOME.id]))
    await store.put_vectors(ADA, "m", {HOME.id: [3.0]})
    await store.want(ADA, [HOME.id])
    known = await store.load(ADA)
    assert (known.facts, list(known.used)) == ((TEA,), [TEA.id])
    assert await store.vectors(ADA, "m") == {TEA.id: (2.0,)}
    await store.revise(ADA, (), without_all)
    assert await store.vectors(ADA, "m") == {} and (await store.load(ADA)).facts == ()


async def test_nothing_of_a_forgotten_fact_can_be_read_in_redis(valkey: Redis):
    store = RedisMemory(valkey, ttl=timedelta(minutes=1), prefix="traces")
    await add(store, HOME)
    await store.put_vectors(ADA, "m", {HOME.id: [1.0]})
    await store.revise(ADA, (), without([HOME.id]))
    left = b""
    for key in await valkey.keys("traces:*"):  # pyright: ignore[reportUnknownMemberType] - **kwargs has no type
        left += await valkey.dump(key) or b""
    assert b"Aarhus" not in left and struct.pack("<f", 1.0) not in left


async def test_vectors_are_of_the_model_that_made_them(kind: Kind):
    store = kind.memory()
    await add(store, HOME, TEA)
    await store.put_vectors(ADA, "small", {HOME.id: [0.5, -2.0], TEA.id: [1.0, 0.0]})
    await store.put_vectors(ADA, "large", {TEA.id: [0.25, 0.5, 8.0]})
    assert await store.vectors(ADA, "small") == {HOME.id: (0.5, -2.0)}
    assert await store.vectors(ADA, "large") == {TEA.id: (0.25, 0.5, 8.0)}


async def test_marks_say_at_which_revision_something_happened(kind: Kind):
    store = kind.memory()
    await store.revise(ADA, (), becomes(marks=["one"]))
    await store.revise(ADA, (), becomes(marks=["two"], clears=True))
    seen: list[Known] = []

    def look(known: Known) -> Change:
        seen.append(known)
        return Change()

    await store.revise(ADA, ["one", "two", "three"], look)
    assert (seen[0].marks, seen[0].revision, seen[0].cleared) == ({"one": 1, "two": 2}, 2, 2)
    assert len(seen) == 1 and (await store.load(ADA)).revision == 2, "a change of nothing is none"


async def test_a_memory_lives_from_touch_to_touch(kind: Kind):
    store = kind.memory(ttl=timedelta(seconds=0.6))
    await add(store, HOME)
    for _ in range(3):
        await asyncio.sleep(0.3)
        assert await texts(store) == [HOME.text]
    await asyncio.sleep(0.8)
    assert await store.load(ADA) == Known()


async def test_all_keys_of_a_memory_share_a_slot_and_expire_together(valkey: Redis):
    store = RedisMemory(valkey, ttl=timedelta(minutes=1), prefix="slots-of-memory")
    await add(store, HOME)
    await store.put_vectors(ADA, "m", {HOME.id: [1.0]})
    keys = await valkey.keys("slots-of-memory:*")  # pyright: ignore[reportUnknownMemberType] - **kwargs has no type
    slots = {key_slot(key) for key in keys if isinstance(key, bytes)}
    lives = [await valkey.pttl(key) for key in keys]
    assert len(keys) == 5 and len(slots) == 1
    assert all(50_000 < life <= 60_000 for life in lives)
