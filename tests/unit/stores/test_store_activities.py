"""The activities on stores do what their name says, and a store that is down is a failure that Temporal retries."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from theseus.activities.events import EventActivities
from theseus.activities.sessions import SessionActivities
from theseus.contracts.errors import ErrorType
from theseus.contracts.events import EventBatch, Progressed
from theseus.contracts.session import LoadSession, SaveSummary, SessionKey, SessionSummary, SessionView, Turn
from theseus.domain.tokens import estimate
from theseus.stores.memory import MemorySessions
from theseus.stores.memory_events import MemoryEvents
from theseus.stores.redis import RedisEvents, RedisSessions, connect_redis

KEY = SessionKey(session_id="s", user_id="ann")
TURN = Turn(key=KEY, task_id="t", user_text="q", user_tokens=1, answer_text="a", answer_tokens=2)
AT = datetime(2026, 1, 2, tzinfo=UTC)


def saying(text: str, through_seq: int = 2) -> SaveSummary:
    return SaveSummary(key=KEY, summary=SessionSummary(text=text, tokens=estimate(text), through_seq=through_seq))


def batch(*keys: str) -> EventBatch:
    events = [Progressed(type="PROGRESS", workflow_id="t", timestamp=AT, key=key) for key in keys]
    return EventBatch(events=[*events])


def test_the_names_are_the_ones_that_histories_know():
    sessions, events = SessionActivities(MemorySessions()), EventActivities(MemoryEvents())
    found = [
        getattr(method, "__temporal_activity_definition").name
        for owner in (sessions, events)
        for _, method in inspect.getmembers(owner, inspect.ismethod)
        if hasattr(method, "__temporal_activity_definition")
    ]
    assert sorted(found) == ["events.publish", "session.append", "session.load", "session.save_summary"]


async def test_a_turn_that_was_appended_is_loaded_and_a_retry_adds_nothing():
    env, on = ActivityEnvironment(), SessionActivities(MemorySessions())
    assert await env.run(on.load, LoadSession(key=KEY, last=5)) == SessionView()
    assert [await env.run(on.append, TURN), await env.run(on.append, TURN)] == [True, False]
    view = await env.run(on.load, LoadSession(key=KEY, last=5))
    assert [(head.role, head.tokens) for head in view.heads] == [("user", 1), ("assistant", 2)]


async def test_a_summary_is_kept_without_personal_data_and_its_tokens_are_counted_anew():
    env, on = ActivityEnvironment(), SessionActivities(MemorySessions())
    await env.run(on.append, TURN)
    await env.run(on.save_summary, saying("write to ann.lee+private.mail@mail.example.com"))
    kept = (await env.run(on.load, LoadSession(key=KEY, last=5))).summary
    assert kept is not None
    assert "ann.lee" not in kept.text and kept.text.startswith("write to ")
    assert kept.tokens == estimate(kept.text) and kept.through_seq == 2


async def test_milestones_are_published_once_in_order_to_the_task_they_name():
    env, log = ActivityEnvironment(), MemoryEvents()
    on = EventActivities(log)
    await env.run(on.publish, batch("w:1", "w:2"))
    await env.run(on.publish, batch("w:1", "w:2", "w:3"))
    assert [stored.event.key async for stored in log.read("t", follow=False)] == ["w:1", "w:2", "w:3"]


@pytest.mark.parametrize("call", ["load", "append", "save_summary", "publish"])
async def test_a_store_that_is_down_is_a_retryable_failure_that_says_where(call: str):
    client = connect_redis("redis://:hunter2@127.0.0.1:1/0")
    sessions = SessionActivities(RedisSessions(client, ttl=timedelta(days=1), cap=500))
    events = EventActivities(RedisEvents(client, ttl=timedelta(days=1), cap=1000))
    asked: dict[str, tuple[Any, Any]] = {
        "load": (sessions.load, LoadSession(key=KEY, last=5)),
        "append": (sessions.append, TURN),
        "save_summary": (sessions.save_summary, saying("x")),
        "publish": (events.publish, batch("w:1")),
    }
    with pytest.raises(ApplicationError, match=r"Redis at 127\.0\.0\.1:1 cannot be used now") as caught:
        await ActivityEnvironment().run(*asked[call])
    await client.aclose()
    assert caught.value.type == ErrorType.STORE_DOWN and not caught.value.non_retryable
    assert "hunter2" not in str(caught.value)
