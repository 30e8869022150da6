"""A session keeps every turn once, in order, for its owner alone."""

import asyncio
from datetime import timedelta
from typing import Protocol

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from theseus.contracts.session import SessionKey, SessionSummary, SessionView, Turn
from theseus.stores.ports import SessionStore
from theseus.stores.redis import RedisSessions

KEY = SessionKey(session_id="s", tenant_id="acme", user_id="ann")


class Kind(Protocol):
    def sessions(self, ttl: timedelta = ..., cap: int = ...) -> SessionStore: ...


def turn(task_id: str, key: SessionKey = KEY, text: str = "") -> Turn:
    return Turn(
        key=key,
        task_id=task_id,
        user_text=text or f"ask {task_id}",
        user_tokens=3,
        answer_text=f"answer {task_id}",
        answer_tokens=5,
    )


def summary(through_seq: int, text: str = "in short") -> SessionSummary:
    return SessionSummary(text=text, tokens=2, through_seq=through_seq)


async def texts(store: SessionStore, key: SessionKey = KEY, last: int = 500) -> list[str]:
    heads = (await store.load(key, last)).heads
    return [message.text for message in await store.read(key, [head.seq for head in heads])]


async def test_a_turn_is_two_messages_with_numbers_roles_and_tokens(kind: Kind):
    store = kind.sessions()
    assert await store.append(turn("t1", text="grüße 🙂"))
    heads = (await store.load(KEY, 50)).heads
    assert [(h.seq, h.role, h.tokens) for h in heads] == [(1, "user", 3), (2, "assistant", 5)]
    asked, answered = await store.read(KEY, [1, 2])
    assert (asked.text, asked.seq, asked.role, asked.task_id, asked.tokens) == ("grüße 🙂", 1, "user", "t1", 3)
    assert (answered.text, answered.seq, answered.role) == ("answer t1", 2, "assistant")
    assert asked.at is not None and asked.at.tzinfo is not None


async def test_a_task_appends_once_however_often_it_is_retried(kind: Kind):
    store = kind.sessions()
    assert [await store.append(turn("t1")) for _ in range(3)] == [True, False, False]
    done = await asyncio.gather(*(store.append(turn("t2")) for _ in range(20)))
    assert done.count(True) == 1
    assert await texts(store) == ["ask t1", "answer t1", "ask t2", "answer t2"]


async def test_turns_of_many_tasks_interleave_without_loss_and_stay_together(kind: Kind):
    store = kind.sessions()
    await asyncio.gather(*(store.append(turn(f"t{n}")) for n in range(40)))
    heads = (await store.load(KEY, 500)).heads
    assert [h.seq for h in heads] == list(range(1, 81))
    found = await texts(store)
    assert {f"ask t{n}" for n in range(40)} | {f"answer t{n}" for n in range(40)} == set(found)
    assert all(answer == asked.replace("ask", "answer") for asked, answer in zip(found[::2], found[1::2], strict=True))


async def test_a_full_session_forgets_the_oldest_and_numbers_never_change(kind: Kind):
    store = kind.sessions(cap=6)
    for n in range(1, 6):
        await store.append(turn(f"t{n}"))
    assert [h.seq for h in (await store.load(KEY, 500)).heads] == [5, 6, 7, 8, 9, 10]
    assert [m.text for m in await store.read(KEY, [10, 2, 5])] == ["answer t5", "ask t3"]
    assert await store.append(turn("t1")) is False


@pytest.mark.parametrize(
    ("last", "seqs"), [(3, [4, 5, 6]), (6, [1, 2, 3, 4, 5, 6]), (100, [1, 2, 3, 4, 5, 6]), (0, [])]
)
async def test_load_gives_the_last_messages_oldest_first(kind: Kind, last: int, seqs: list[int]):
    store = kind.sessions()
    for n in range(3):
        await store.append(turn(f"t{n}"))
    assert [h.seq for h in (await store.load(KEY, last)).heads] == seqs


async def test_reading_nothing_gives_nothing(kind: Kind):
    assert await kind.sessions().read(KEY, []) == []


async def test_an_unknown_session_is_empty(kind: Kind):
    store = kind.sessions()
    assert await store.load(KEY, 50) == SessionView()
    assert await store.read(KEY, [1]) == []


@pytest.mark.parametrize(
    "other",
    [
        SessionKey(session_id="s", tenant_id="acme", user_id="bob"),
        SessionKey(session_id="s", tenant_id="evil", user_id="ann"),
        SessionKey(session_id="s"),
        SessionKey(session_id="ann/s", tenant_id="acme"),
        SessionKey(session_id="s", tenant_id="acme/ann"),
        SessionKey(session_id="s", tenant_id="acme%2Fann"),
        SessionKey(session_id="s}", tenant_id="acme", user_id="ann"),
        SessionKey(session_id="s:heads", tenant_id="acme", user_id="ann"),
    ],
)
async def test_nobody_else_reaches_a_session_whatever_ids_they_make_up(kind: Kind, other: SessionKey):
    store = kind.sessions()
    await store.append(turn("t1"))
    await store.save_summary(other, summary(9, "planted"))
    assert await store.load(other, 50) == SessionView()
    assert await store.read(other, [1, 2]) == []
    await store.append(turn("t1", other, text="theirs"))
    assert await texts(store) == ["ask t1", "answer t1"]
    assert (await store.load(KEY, 50)).summary is None
    assert await texts(store, other) == ["theirs", "answer t1"]


async def test_ids_with_the_same_letters_cut_elsewhere_are_other_sessions(kind: Kind):
    store = kind.sessions()
    keys = [
        SessionKey(session_id="d", tenant_id="a/b", user_id="c"),
        SessionKey(session_id="d", tenant_id="a", user_id="b/c"),
        SessionKey(session_id="c/d", tenant_id="a", user_id="b"),
        SessionKey(session_id="d", tenant_id="a%2Fb", user_id="c"),
    ]
    for number, key in enumerate(keys):
        await store.append(turn("t1", key, text=f"of {number}"))
    assert [(await texts(store, key))[0] for key in keys] == ["of 0", "of 1", "of 2", "of 3"]


async def test_a_newer_summary_wins_and_an_older_one_never_does(kind: Kind):
    store = kind.sessions()
    await store.append(turn("t1"))
    await store.save_summary(KEY, summary(9, "nine ✓"))
    await store.save_summary(KEY, summary(10, "ten"))
    await store.save_summary(KEY, summary(9, "late nine"))
    assert (await store.load(KEY, 50)).summary == summary(10, "ten")
    await store.save_summary(KEY, summary(10, "ten again"))
    assert (await store.load(KEY, 50)).summary == summary(10, "ten again")


async def test_a_summary_alone_does_not_make_a_session(kind: Kind):
    store = kind.sessions()
    await store.save_summary(KEY, summary(4))
    assert (await store.load(KEY, 50)).summary is None


async def test_a_session_lives_from_touch_to_touch(kind: Kind):
    store = kind.sessions(ttl=timedelta(seconds=0.6))
    await store.append(turn("t1"))
    await store.save_summary(KEY, summary(1))
    for _ in range(3):
        await asyncio.sleep(0.3)
        view = await store.load(KEY, 50)
        assert len(view.heads) == 2 and view.summary is not None
    await asyncio.sleep(0.8)
    assert await store.load(KEY, 50) == SessionView()
    assert await store.append(turn("t1")) is True
    assert [h.seq for h in (await store.load(KEY, 50)).heads] == [1, 2]


async def test_all_keys_of_a_session_share_a_slot_and_expire_together(valkey: Redis):
    store = RedisSessions(valkey, ttl=timedelta(minutes=1), cap=500, prefix="slots")
    await store.append(turn("t1"))
    await store.save_summary(KEY, summary(1))
    keys = await valkey.keys("slots:*")  # pyright: ignore[reportUnknownMemberType] - **kwargs has no type
    slots = {key_slot(key) for key in keys if isinstance(key, bytes)}
    lives = [await valkey.pttl(key) for key in keys]
    assert len(keys) == 4 and len(slots) == 1
    assert all(50_000 < life <= 60_000 for life in lives)
