"""A session is there from its first task on, sums up its tasks, and is seen by its user alone."""

from datetime import timedelta

from tests.support.archived import NOON, ended, event, task
from tests.support.postgres import on_both
from theseus.contracts.archive import TaskRecord
from theseus.contracts.session import SessionKey
from theseus.contracts.task import Mode, TaskStatus, Usage
from theseus.stores.archive.port import Page
from theseus.stores.archive.sql import SqlArchive

pytestmark = on_both

ALL = Page(1000)
KEY = SessionKey(session_id="s", tenant_id="acme", user_id="ada")


async def keep(kept: SqlArchive, *records: TaskRecord) -> None:
    for each in records:
        await kept.begin(each)
        if each.outcome is not None:
            await kept.end(each, [event(n) for n in range(1, 4)])


async def test_a_session_sums_up_its_tasks(kept: SqlArchive) -> None:
    spent = Usage(total_tokens=2_000_000_000, cost_microusd=3_000_000_000)
    await keep(
        *(kept, ended(task("a", mode=Mode.RESEARCH, query="first"), usage=spent)),
        *(ended(task("b", minute=1), TaskStatus.PARTIAL, usage=spent), ended(task("c", minute=2), TaskStatus.DENIED)),
        *(task("d", minute=3, query="last"), task("e", minute=9, session_id="s", user_id="bob")),
    )
    found = await kept.sessions.get(KEY)
    assert found is not None
    assert (found.tasks, found.answered, found.failed) == (4, 2, 1)
    assert (found.total_tokens, found.cost_microusd) == (4_000_000_000, 6_000_000_000)
    assert (found.is_research, found.first_mode, found.latest_task_id) == (True, Mode.RESEARCH, "d")
    assert (found.latest_query, found.latest_status) == ("last", None)
    assert (found.created_at, found.updated_at) == (NOON, NOON + timedelta(minutes=3))


async def test_lists_show_a_users_own_the_last_used_first(kept: SqlArchive) -> None:
    await keep(kept, *(task(f"t{n}", minute=n, session_id=f"s{n}") for n in range(4)))
    await keep(kept, task("x", user_id="bob"), task("y", tenant_id="globex"))
    await keep(kept, task("again", minute=9, session_id="s1"))
    await kept.sessions.delete(KEY.model_copy(update={"session_id": "s2"}), NOON)
    found, total = await kept.sessions.page("acme", "ada", ALL)
    assert ([each.session_id for each in found], total) == (["s1", "s3", "s0"], 3)
    found, total = await kept.sessions.page("acme", "ada", Page(1, 1))
    assert ([each.session_id for each in found], total) == (["s3"], 3)


async def test_a_title_is_given_and_a_deletion_is_marked_once(kept: SqlArchive) -> None:
    await keep(kept, task())
    await kept.sessions.rename(KEY, "Ü 🎉")
    later = NOON + timedelta(days=1)
    await kept.sessions.delete(KEY, NOON)
    await kept.sessions.delete(KEY, later)
    found = await kept.sessions.get(KEY)
    assert found is not None and (found.title, found.deleted_at) == ("Ü 🎉", NOON)
    bobs = KEY.model_copy(update={"user_id": "bob"})
    await kept.sessions.rename(bobs, "mine")
    assert await kept.sessions.get(bobs) is None


async def test_turns_are_told_in_their_order_with_their_events_up_to_a_bound(kept: SqlArchive) -> None:
    await keep(kept, *(ended(task(f"t{n}", minute=n)) for n in range(3)), task("bobs", user_id="bob"))
    found, total = await kept.sessions.turns(KEY, Page(2, 1))
    assert ([each.task_id for each in found], total) == (["t1", "t2"], 3)
    told = await kept.sessions.events(["t0", "t2"], 6)
    assert told is not None and {name: len(each) for name, each in told.items()} == {"t0": 3, "t2": 3}
    assert [each.seq for each in told["t0"]] == [1, 2, 3]
    assert await kept.sessions.events(["t0", "t2"], 5) is None
    assert not await kept.sessions.events([], 5)
