"""One at a time does a request; what it answered is what all after it get, until a day is over."""

import asyncio
from datetime import timedelta

from tests.unit.stores.conftest import Kind
from theseus.contracts.answers import Claim, KeptAnswer

MINUTE = timedelta(minutes=1)
MINE, BUSY = Claim(state="mine"), Claim(state="busy")
DONE = KeptAnswer(status=201, headers={"location": "/ü"}, body='{"a": "ü\\ud800"}')


async def test_of_many_at_once_one_does_it(kind: Kind):
    claims = await asyncio.gather(*(kind.answers().claim("r", str(n), lease=MINUTE) for n in range(50)))
    if kind.client is None:
        store = kind.answers()
        claims = await asyncio.gather(*(store.claim("r", str(n), lease=MINUTE) for n in range(50)))
    assert claims.count(MINE) == 1 and claims.count(BUSY) == 49


async def test_what_was_answered_is_given_to_all_after_it_and_stays(kind: Kind):
    store = kind.answers()
    assert await store.claim("r", "a", lease=MINUTE) == MINE
    assert await store.claim("r", "a", lease=MINUTE) == MINE, "who has it may renew it"
    await store.keep("r", "a", DONE)
    await store.keep("r", "b", DONE.model_copy(update={"status": 500}))
    assert await store.claim("r", "b", lease=MINUTE) == Claim(state="answered", answer=DONE)
    assert await store.claim("other", "b", lease=MINUTE) == MINE


async def test_what_is_given_up_may_be_done_by_another_but_not_what_another_holds(kind: Kind):
    store = kind.answers()
    await store.claim("r", "a", lease=MINUTE)
    await store.release("r", "b")
    assert await store.claim("r", "b", lease=MINUTE) == BUSY
    await store.release("r", "a")
    assert await store.claim("r", "b", lease=MINUTE) == MINE


async def test_a_holder_that_died_loses_its_claim_and_an_answer_is_forgotten_in_time(kind: Kind):
    store = kind.answers(ttl=timedelta(seconds=0.4))
    await store.claim("r", "a", lease=timedelta(seconds=0.2))
    await asyncio.sleep(0.3)
    assert await store.claim("r", "b", lease=MINUTE) == MINE
    await store.keep("r", "b", DONE)
    await asyncio.sleep(0.6)
    assert await store.claim("r", "c", lease=MINUTE) == MINE
