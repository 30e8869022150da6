"""A page that was fetched is kept once, as it was; a query has its place in a task's order, whoever asks again."""

import asyncio
from datetime import timedelta

from tests.unit.stores.conftest import Kind
from theseus.contracts.research import Snapshot, Source
from theseus.domain.research.sources import sha256, source_id


def page(url: str, text: str) -> Snapshot:
    return Snapshot(source=Source(id=source_id(url), url=url, domain="example.org", sha256=sha256(text)), text=text)


async def test_a_page_is_found_again_by_its_source(kind: Kind):
    store = kind.evidence()
    made = page("https://example.org/a", "what it says - ü\ud800".encode(errors="replace").decode())
    assert await store.put("task", made) == made
    assert await store.get("task", made.source.id) == made
    assert await store.get("other task", made.source.id) is None
    assert await store.get("task", "s-00000000") is None


async def test_the_same_text_under_another_address_is_the_first_source(kind: Kind):
    store = kind.evidence()
    first, twin = page("https://example.org/a", "same"), page("https://mirror.example/a", "same")
    await store.put("task", first)
    assert await store.put("task", twin) == first
    assert await store.get("task", twin.source.id) is None


async def test_of_two_twins_at_once_both_are_the_same_source(kind: Kind):
    store = kind.evidence()
    twins = [page(f"https://mirror{number}.example/", "same") for number in range(6)]
    kept = await asyncio.gather(*(store.put("task", twin) for twin in twins))
    assert len({each.source.id for each in kept}) == 1


async def test_a_page_that_has_changed_is_kept_as_it_is_now(kind: Kind):
    store = kind.evidence()
    await store.put("task", page("https://example.org/a", "old"))
    assert (await store.put("task", page("https://example.org/a", "new"))).text == "new"


async def test_what_a_page_said_before_it_changed_is_another_source_when_it_is_found_elsewhere(kind: Kind):
    store = kind.evidence()
    await store.put("task", page("https://example.org/a", "old"))
    await store.put("task", page("https://example.org/a", "new"))
    archived = page("https://archive.example/a", "old")
    assert await store.put("task", archived) == archived, "never the text that the page has now"
    assert await store.put("task", page("https://mirror.example/a", "new")) == page("https://example.org/a", "new")


async def test_queries_keep_the_order_in_which_they_came(kind: Kind):
    store = kind.evidence()
    assert await store.asked("task", "call-1", "one") == [("call-1", "one")]
    assert await store.asked("task", "call-2", "two - ü") == [("call-1", "one"), ("call-2", "two - ü")]
    assert await store.asked("task", "call-1", "changed") == [("call-1", "one")], "a retry keeps query and place"
    assert await store.asked("other", "call-3", "one") == [("call-3", "one")]


async def test_a_query_that_is_withdrawn_was_never_asked_and_can_be_asked_anew(kind: Kind):
    store = kind.evidence()
    await store.asked("task", "call-1", "one")
    await store.asked("task", "call-2", "two")
    await store.withdraw("task", "call-1")
    await store.withdraw("task", "unknown")
    assert await store.asked("task", "call-3", "one") == [("call-2", "two"), ("call-3", "one")]
    assert (await store.asked("task", "call-1", "one"))[-1] == ("call-1", "one"), "a retry takes a new place"


async def test_of_queries_at_once_each_sees_those_before_it(kind: Kind):
    store = kind.evidence()
    seen = await asyncio.gather(*(store.asked("task", f"call-{number}", "same") for number in range(6)))
    assert sorted(len(order) for order in seen) == [1, 2, 3, 4, 5, 6]


async def test_what_a_task_fetched_is_forgotten_in_time(kind: Kind):
    store = kind.evidence(ttl=timedelta(seconds=0.4))
    made = page("https://example.org/a", "text")
    await store.put("task", made)
    await asyncio.sleep(0.7)
    assert await store.get("task", made.source.id) is None
