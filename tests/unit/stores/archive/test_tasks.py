"""What is kept of a task comes back as it was, once however often it is told, and lists show what they are asked for."""

import asyncio
from datetime import timedelta

import pytest

from tests.support.archived import NOON, ended, event, task
from tests.support.postgres import on_both
from theseus.contracts.archive import TaskRecord
from theseus.contracts.session import SessionKey
from theseus.contracts.task import AgentRecord, ModelUse, TaskMetadata, TaskStatus, Usage
from theseus.stores.archive.port import Ended, Page, SessionDeletedError, TaskFilter
from theseus.stores.archive.sql import SqlArchive

pytestmark = on_both

ALL = Page(1000)
ADAS = TaskFilter("acme", "ada")
KEY = SessionKey(session_id="s", tenant_id="acme", user_id="ada")


async def ids(kept: SqlArchive, wanted: TaskFilter, page: Page = ALL) -> list[str]:
    return [each.task_id for each in (await kept.tasks(wanted, page))[0]]


async def test_a_task_comes_back_as_it_was(kept: SqlArchive) -> None:
    made = task(context={"a": [1, 2.5, None, {"ü": "🎉"}]}, trigger="api", query="Grüße 🎉\n" * 1000)
    assert await kept.begin(made) and await kept.task("t") == made
    uses = [ModelUse(model="m", provider="p", executions=2, tokens=3_000_000_000, cost_microusd=7, percentage=100)]
    agents = [AgentRecord(agent_id=f"a-{n}", role="r", status=TaskStatus.COMPLETED) for n in range(3)]
    known = TaskMetadata(model_breakdown=uses, agents=agents)
    whole = ended(made, result="x" * 100_000, metadata=known, usage=Usage(total_tokens=3_000_000_000))
    for _ in range(2):
        await kept.end(whole, [event(1), event(2)])
        assert await kept.task("t") == whole
    assert await kept.task("nobody's") is None


async def test_of_many_who_begin_one_task_one_does(kept: SqlArchive) -> None:
    begun = await asyncio.gather(*(kept.begin(task(query=f"{n}")) for n in range(10)))
    assert begun.count(True) == 1
    assert (found := await kept.task("t")) is not None and found.query == f"{begun.index(True)}"


async def test_how_it_was_started_stays_and_how_it_ended_is_added(kept: SqlArchive) -> None:
    await kept.begin(task(trigger="grpc", query="as it was asked"))
    await kept.end(ended(task(minute=5, trigger="other", query="as the worker saw it")), ())
    found = await kept.task("t")
    assert found is not None and found.outcome is not None
    assert (found.query, found.trigger, found.created_at) == ("as it was asked", "grpc", NOON)


async def test_what_did_not_start_is_forgotten_and_what_ended_is_not(kept: SqlArchive) -> None:
    await kept.begin(task())
    await kept.withdraw("t")
    assert await kept.task("t") is None and await kept.sessions.get(KEY) is None
    await kept.begin(task())
    await kept.end(ended(task()), ())
    await kept.withdraw("t")
    assert await kept.task("t") is not None and await kept.sessions.get(KEY) is not None


async def test_a_deleted_session_takes_no_task_and_nothing_is_kept(kept: SqlArchive) -> None:
    await kept.begin(task("first"))
    await kept.sessions.delete(KEY, NOON)
    with pytest.raises(SessionDeletedError):
        await kept.begin(task("second"))
    assert await kept.task("second") is None


async def test_lists_are_of_one_tenant_and_of_what_is_asked(kept: SqlArchive) -> None:
    made = [
        task("open"),
        ended(task("done", minute=1)),
        ended(task("partly", minute=2), TaskStatus.PARTIAL),
        ended(task("failed", minute=3), TaskStatus.DENIED),
        ended(task("late", minute=4), TaskStatus.TIMED_OUT),
        ended(task("stopped", minute=5, session_id="other"), TaskStatus.CANCELLED),
        task("bobs", minute=6, user_id="bob", schedule_id="c"),
        task("eves", minute=7, tenant_id="globex"),
    ]
    for each in made:
        await kept.end(each, ()) if each.outcome else await kept.begin(each)
    adas = ["stopped", "late", "failed", "partly", "done", "open"]
    assert await ids(kept, ADAS) == adas
    assert await ids(kept, TaskFilter("acme")) == ["bobs", *adas]
    assert await ids(kept, TaskFilter("acme", "ada", session_id="other")) == ["stopped"]
    assert await ids(kept, TaskFilter("acme", schedule_id="c")) == ["bobs"]
    of = {Ended.OPEN: ["open"], Ended.ANSWERED: ["partly", "done"], Ended.FAILED: ["failed"]}
    for end, names in {**of, Ended.CANCELLED: ["stopped"], Ended.TIMED_OUT: ["late"]}.items():
        assert await ids(kept, TaskFilter("acme", "ada", ended=end)) == names
    assert await ids(kept, ADAS, Page(2, 1)) == ["late", "failed"]
    assert (await kept.tasks(ADAS, Page(2, 100))) == ([], 6)


async def test_events_are_kept_in_their_order_once_without_pieces_of_text(kept: SqlArchive) -> None:
    delta = event(2, "LLM_PARTIAL", payload={"step": 0, "attempt": 1, "index": 0})
    told = [event(1), delta, event(3), event(4)]
    await asyncio.gather(*(kept.end(ended(task()), told) for _ in range(3)))
    await kept.end(ended(task()), [*told, event(5)])
    page = await kept.events("t", Page(2, 1))
    assert (page.events, page.total) == ([event(3), event(4)], 4)
    assert (await kept.events("nobody's", ALL)).total == 0


async def test_characters_that_no_database_keeps_are_replaced(kept: SqlArchive) -> None:
    made = task(query="a\x00b\ud800c", context={"k\x00": ["\udfff", {"x": "\x00"}], "whole": "\\u0000 🎉"})
    await kept.begin(made)
    await kept.end(ended(made, result="x\x00y"), [event(1, message="m\x00")])
    found = await kept.task("t")
    assert found is not None and found.outcome is not None
    assert (found.query, found.outcome.result) == ("a\ufffdb\ufffdc", "x\ufffdy")
    assert found.context == {"k\ufffd": ["\ufffd", {"x": "\ufffd"}], "whole": "\\u0000 🎉"}
    assert [each.event.message for each in (await kept.events("t", ALL)).events] == ["m\ufffd"]


async def test_tasks_without_an_end_are_told_the_oldest_first_whoever_has_them(kept: SqlArchive) -> None:
    made = [task("b"), task("a"), task("c", minute=1, tenant_id="globex"), task("d", minute=2), task("e", minute=9)]
    for each in (*made, ended(task("done"))):
        await kept.begin(each)
    await kept.end(ended(task("done")), ())

    async def told(after: TaskRecord | None, most: int = 10) -> list[str]:
        found = await kept.unended(NOON, NOON + timedelta(minutes=5), after, most)
        assert all(each in made for each in found)
        return [each.task_id for each in found]

    assert await told(None) == ["a", "b", "c", "d"]
    assert await told(None, 1) == ["a"]
    assert await told(task("a"), 2) == ["b", "c"], "one that began at the same moment, too"
    assert await told(task("d", minute=2)) == []
    assert await kept.unended(NOON + timedelta(minutes=1), NOON + timedelta(minutes=1), None, 10) == [made[2]]
