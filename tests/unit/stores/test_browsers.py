"""Where an agent's browser stands is found as it was kept last, and by nobody else."""

import asyncio
from datetime import timedelta

from tests.unit.stores.conftest import Kind
from theseus.contracts.session import SessionKey
from theseus.contracts.stored import BrowserPlace

ADA = SessionKey(session_id="s", user_id="ada")
ELSEWHERE = SessionKey(session_id="s", user_id="ada", tenant_id="other")
HERE = BrowserPlace(url="https://example.org/ü?a=1#b", visit="one", numbers=7)


async def test_the_last_place_is_found(kind: Kind):
    store = kind.browsers()
    await store.put(ADA, "task", "agent", HERE)
    assert await store.get(ADA, "task", "agent") == HERE
    later = HERE.model_copy(update={"url": "https://example.org/", "visit": "two"})
    await store.put(ADA, "task", "agent", later)
    assert await store.get(ADA, "task", "agent") == later


async def test_another_agent_or_task_has_no_place_of_it(kind: Kind):
    store = kind.browsers()
    await store.put(ADA, "task", "agent", HERE)
    assert await store.get(ADA, "task", "") is None
    assert await store.get(ADA, "other", "agent") is None
    assert await store.get(ADA, "task/agent", "") is None


async def test_a_task_of_somebody_else_with_the_same_id_has_no_place_of_it(kind: Kind):
    store = kind.browsers()
    await store.put(ADA, "task", "agent", HERE)
    for other in (SessionKey(session_id="s", user_id="eve"), SessionKey(session_id="s"), ELSEWHERE):
        assert await store.get(other, "task", "agent") is None


async def test_a_place_is_forgotten_in_time(kind: Kind):
    store = kind.browsers(ttl=timedelta(seconds=0.4))
    await store.put(ADA, "task", "agent", HERE)
    await asyncio.sleep(0.7)
    assert await store.get(ADA, "task", "agent") is None
