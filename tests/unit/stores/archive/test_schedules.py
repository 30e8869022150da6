"""A user has no more schedules than may be, and each is kept as it was defined, with the sums of its runs."""

import asyncio
from datetime import timedelta

from tests.support.archived import NOON, ended, schedule, task
from tests.support.postgres import on_both
from theseus.contracts.task import TaskStatus
from theseus.stores.archive.port import Page
from theseus.stores.archive.sql import SqlArchive

pytestmark = on_both

ALL = Page(1000)


async def test_a_schedule_comes_back_as_it_was(kept: SqlArchive) -> None:
    made = schedule()
    assert await kept.schedules.add(made, 5)
    assert await kept.schedules.get("c") == made
    await kept.schedules.withdraw("c")
    assert await kept.schedules.get("c") is None


async def test_what_is_changed_is_changed_and_the_rest_stays(kept: SqlArchive) -> None:
    made = schedule()
    await kept.schedules.add(made, 5)
    other = made.definition.model_copy(update={"name": "weekly", "task_context": {"b": "ü"}})
    later = made.updated_at + timedelta(hours=1)
    await kept.schedules.hold("c", NOON, "ü")
    seen_before = made.model_copy(update={"user_id": "eve", "created_at": later, "paused_at": None})
    await kept.schedules.define(seen_before.model_copy(update={"definition": other, "updated_at": later}))
    known = {"definition": other, "updated_at": later, "paused_at": NOON, "pause_reason": "ü"}
    assert await kept.schedules.get("c") == made.model_copy(update=known), "neither the owner nor that it is held"
    await kept.schedules.hold("c", None, "")
    known |= {"paused_at": None, "pause_reason": ""}
    assert await kept.schedules.get("c") == made.model_copy(update=known)
    for at in (NOON, later):
        await kept.schedules.delete("c", at)
    assert await kept.schedules.get("c") == made.model_copy(update=known | {"deleted_at": NOON})


async def test_of_many_at_once_no_more_are_kept_than_may_be(kept: SqlArchive) -> None:
    added = await asyncio.gather(*(kept.schedules.add(schedule(f"c{n}"), 3) for n in range(10)))
    assert added.count(True) == 3
    assert await kept.schedules.add(schedule("bobs", user_id="bob"), 1), "each user has their own"
    assert (await kept.schedules.page("acme", "ada", is_paused=None, page=ALL))[1] == 3


async def test_lists_show_what_is_asked_the_newest_first(kept: SqlArchive) -> None:
    made = [schedule(f"c{n}", minute=n) for n in range(3)]
    made[1] = made[1].model_copy(update={"paused_at": NOON})
    gone = schedule("gone", minute=8).model_copy(update={"deleted_at": NOON})
    for each in (*made, gone, schedule("bobs", minute=9, user_id="bob"), schedule("eves", tenant_id="globex")):
        await kept.schedules.add(each, 9)

    async def ids(user: str | None, is_paused: bool | None = None, page: Page = ALL) -> list[str]:
        found, _ = await kept.schedules.page("acme", user, is_paused=is_paused, page=page)
        return [each.schedule_id for each in found]

    assert await ids("ada") == ["c2", "c1", "c0"] and await ids(None) == ["bobs", "c2", "c1", "c0"]
    assert await ids("ada", is_paused=True) == ["c1"] and await ids("ada", is_paused=False) == ["c2", "c0"]
    assert await ids("ada", page=Page(1, 1)) == ["c1"]


async def test_runs_are_summed(kept: SqlArchive) -> None:
    ends = [TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.FAILED, TaskStatus.CANCELLED]
    for n, status in enumerate(ends):
        await kept.end(ended(task(f"t{n}", minute=n, schedule_id="c"), status), ())
    await kept.begin(task("open", minute=7, schedule_id="c"))
    await kept.begin(task("other", schedule_id="d"))
    sums = await kept.schedules.sums(["c", "never ran"])
    assert set(sums) == {"c"}
    assert (sums["c"].runs, sums["c"].answered, sums["c"].failed) == (5, 2, 2)
    assert sums["c"].last_at == NOON + timedelta(minutes=7)
    assert not await kept.schedules.sums([])
