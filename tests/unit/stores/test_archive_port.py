"""SQLite and PostgreSQL keep sessions and schedules alike: summed, paged, deleted, and never more than may be."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.postgres import Postgres, binaries, postgres
from theseus.contracts.archive import TaskRecord
from theseus.contracts.schedule import ScheduleDefinition, ScheduleRecord
from theseus.contracts.session import SessionKey
from theseus.contracts.task import Mode, TaskResult, TaskStatus, Usage
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Archive, Page, SessionDeletedError, TaskFilter

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL = Page(100)
KEY = SessionKey(session_id="s", tenant_id="acme", user_id="ann")


@pytest.fixture(scope="module")
def server() -> Generator[Postgres]:
    with postgres() as running:
        yield running


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Archive]:
    if request.param == "postgresql" and binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    is_sqlite = request.param == "sqlite"
    async with archive(f"sqlite:///{tmp_path / 'archive.db'}" if is_sqlite else fresh(request)) as opened:
        yield opened


def fresh(request: pytest.FixtureRequest) -> str:
    server: Postgres = request.getfixturevalue("server")
    return server.database()


def task(number: int, status: TaskStatus | None = None, **keys: Any) -> TaskRecord:
    at = NOW + timedelta(minutes=number)
    outcome = None
    if status is not None:
        usage = Usage(total_tokens=10, cost_microusd=1_000)
        outcome = TaskResult(task_id=f"t-{number}", status=status, usage=usage)
    named: dict[str, Any] = {"tenant_id": "acme", "user_id": "ann", "session_id": "s", **keys}
    ended = at + timedelta(seconds=5) if status is not None else None
    return TaskRecord(
        task_id=f"t-{number}",
        query=f"q{number}",
        mode=Mode.SIMPLE,
        created_at=at,
        completed_at=ended,
        outcome=outcome,
        **named,
    )


async def test_a_session_is_summed_over_its_tasks(kept: Archive) -> None:
    for number, status in enumerate((TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.TIMED_OUT, None)):
        await kept.begin(task(number))
        if status is not None:
            await kept.end(task(number, status), ())
    found = await kept.sessions.get(KEY)
    assert found is not None
    assert (found.tasks, found.answered, found.failed, found.total_tokens, found.cost_microusd) == (4, 1, 2, 30, 3_000)
    assert (found.latest_query, found.latest_status, found.first_mode) == ("q3", None, Mode.SIMPLE)
    assert (found.created_at, found.updated_at) == (NOW, NOW + timedelta(minutes=3))
    turns, total = await kept.sessions.turns(KEY, Page(2, 1))
    assert [turn.query for turn in turns] == ["q1", "q2"] and total == 4


async def test_sessions_come_by_their_last_use(kept: Archive) -> None:
    for number, session_id in enumerate(("a", "b", "a", "c")):
        await kept.begin(task(number, session_id=session_id))
    await kept.begin(task(9, user_id="bob", session_id="d"))
    found, total = await kept.sessions.page("acme", "ann", Page(2))
    assert [each.session_id for each in found] == ["c", "a"] and total == 3


async def test_a_deleted_session_takes_no_new_tasks_and_keeps_its_old(kept: Archive) -> None:
    await kept.begin(task(1))
    await kept.sessions.delete(KEY, NOW)
    await kept.sessions.delete(KEY, NOW + timedelta(hours=1))
    found = await kept.sessions.get(KEY)
    assert found is not None and found.deleted_at == NOW
    with pytest.raises(SessionDeletedError):
        await kept.begin(task(2))
    assert await kept.task("t-2") is None
    assert not await kept.begin(task(1)), "what is there is there"
    await kept.end(task(1, TaskStatus.COMPLETED), ())
    ended = await kept.task("t-1")
    assert ended is not None and ended.outcome is not None


async def test_a_session_whose_only_task_did_not_start_is_forgotten(kept: Archive) -> None:
    await kept.begin(task(1))
    await kept.begin(task(2))
    await kept.withdraw("t-2")
    assert await kept.sessions.get(KEY) is not None
    await kept.withdraw("t-1")
    assert await kept.sessions.get(KEY) is None


def schedule(number: int, **keys: Any) -> ScheduleRecord:
    definition = ScheduleDefinition(
        name=f"n{number}",
        cron_expression="0 9 * * *",
        task_query="q",
        task_context={"a": [1, "b"]},
        budget_microusd=5,
        timeout_seconds=60,
    )
    at = NOW + timedelta(minutes=number)
    named: dict[str, Any] = {"tenant_id": "acme", "user_id": "ann", "created_at": at, "updated_at": at, **keys}
    return ScheduleRecord(schedule_id=f"schedule-{number}", definition=definition, **named)


async def test_a_schedule_is_kept_as_it_is_and_its_owner_never_changes(kept: Archive) -> None:
    record = schedule(1)
    assert await kept.schedules.add(record, 5)
    assert await kept.schedules.get("schedule-1") == record
    changed = record.model_copy(update={"paused_at": NOW, "pause_reason": "x"})
    await kept.schedules.put(changed.model_copy(update={"user_id": "eve", "tenant_id": "evil"}))
    assert await kept.schedules.get("schedule-1") == changed
    await kept.schedules.withdraw("schedule-1")
    assert await kept.schedules.get("schedule-1") is None


async def test_schedules_come_newest_first_by_owner_and_state(kept: Archive) -> None:
    for number in range(3):
        await kept.schedules.add(schedule(number, paused_at=NOW if number == 1 else None), 9)
    await kept.schedules.add(schedule(3, user_id="bob"), 9)
    await kept.schedules.add(schedule(4, tenant_id="evil"), 9)
    await kept.schedules.add(schedule(5, deleted_at=NOW), 9)

    async def names(user_id: str | None, is_paused: bool | None, page: Page = ALL) -> tuple[list[str], int]:
        found, total = await kept.schedules.page("acme", user_id, is_paused=is_paused, page=page)
        return [each.definition.name for each in found], total

    assert await names("ann", None) == (["n2", "n1", "n0"], 3)
    assert await names("ann", False) == (["n2", "n0"], 2) and await names("ann", True) == (["n1"], 1)
    assert await names(None, None, Page(2, 1)) == (["n2", "n1"], 4)


async def test_no_user_gets_more_schedules_than_may_be_however_many_ask_at_once(kept: Archive) -> None:
    added = await asyncio.gather(*(kept.schedules.add(schedule(number), 3) for number in range(8)))
    assert sum(added) == 3
    assert (await kept.schedules.page("acme", "ann", is_paused=None, page=ALL))[1] == 3
    assert await kept.schedules.add(schedule(9, user_id="bob"), 3), "others have their own"


async def test_the_runs_of_schedules_are_summed(kept: Archive) -> None:
    for number, status in enumerate((TaskStatus.COMPLETED, TaskStatus.CANCELLED, None)):
        await kept.begin(task(number, schedule_id="schedule-1", trigger="schedule", session_id=""))
        if status is not None:
            await kept.end(task(number, status, session_id=f"own-{number}"), ())
    await kept.begin(task(7))
    sums = await kept.schedules.sums(["schedule-1", "schedule-2"])
    assert set(sums) == {"schedule-1"}
    told = sums["schedule-1"]
    assert (told.runs, told.answered, told.failed, told.last_at) == (3, 1, 1, NOW + timedelta(minutes=2))
    runs, total = await kept.tasks(TaskFilter(tenant_id="acme", schedule_id="schedule-1"), ALL)
    assert total == 3 and {run.session_id for run in runs} == {"own-0", "own-1", ""}, "a worker knows the session"
