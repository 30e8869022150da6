"""Lists of 100,000 tasks: every task on one page, in one order, and no page costs more for what lies before it."""

import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Engine, event, text
from temporalio.testing import WorkflowEnvironment

from tests.support.archived import ended, task
from tests.support.gateway import Gateway, gateway
from tests.support.world import world
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import running
from theseus.gateway.callers import OPEN_TENANT, OPEN_USER
from theseus.stores.archive.opening import archive, engine
from theseus.stores.archive.port import Ended, Page, TaskFilter

MANY = 100_000
FAILED = 10
ALL = TaskFilter(OPEN_TENANT, OPEN_USER)

# seven tasks begin at the same moment, and one in ten thousand failed
_NUMBERS = {
    "sqlite": "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {many})",
    "postgresql": "with numbers as (select n from generate_series(1, {many}) n)",
}
_MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 1770000000 + n / 7, 'unixepoch')",
    "postgresql": "to_timestamp(1770000000 + n / 7)",
}
_ID = {"sqlite": "printf('t%06d', n)", "postgresql": "'t' || lpad(n::text, 6, '0')"}
_COPY = """
insert into tasks {numbers}
select {task_id}, tenant_id, user_id, session_id, query, context, mode, "trigger", schedule_id, {moment}, completed_at,
    case when n % ({many} / {failed}) = 0 then 'failed' else status end, total_tokens, cost_microusd, outcome
from tasks cross join numbers where tasks.task_id = 'pattern'
"""


@dataclass
class Long:
    """A gateway before an archive of so many tasks, its address, and what it asks of the database."""

    door: Gateway
    url: str
    asked: list[tuple[str, tuple[object, ...]]]

    async def plan(self, wanted: TaskFilter) -> str:
        """How the database finds the last page and the count of a list."""
        self.asked.clear()
        await self.door.archive.tasks(wanted, Page(20, 90_000))
        return await self.explained()

    async def explained(self) -> str:
        """How the database finds what was asked for since then."""
        prefix = "explain query plan" if self.url.startswith("sqlite") else "explain"
        lines: list[str] = []
        async with engine(self.url) as opened, opened.connect() as connection:
            for statement, values in [each for each in self.asked if "FROM tasks" in each[0]]:
                rows = await connection.exec_driver_sql(f"{prefix} {statement}", values)
                lines += [str(row[-1]) for row in rows]
        return "\n".join(lines)


def inner(plan: str) -> str:
    """What PostgreSQL does to find the page's ids; their rows are sorted afterwards."""
    return plan.partition("ANY_subquery")[2]


@pytest_asyncio.fixture(scope="module", params=["sqlite", "postgresql"])
async def long(
    request: pytest.FixtureRequest, temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Long]:
    folder: Path = tmp_path_factory.mktemp("long")
    kind: str = request.param
    url = f"sqlite:///{folder / 'archive.db'}"
    if kind == "postgresql":
        url = await request.getfixturevalue("postgresql").database()
    pattern = ended(task("pattern", tenant_id=OPEN_TENANT, user_id=OPEN_USER), result="words " * 100)
    copy = _COPY.format(
        numbers=_NUMBERS[kind].format(many=MANY), many=MANY, failed=FAILED, moment=_MOMENT[kind], task_id=_ID[kind]
    )
    asked: list[tuple[str, tuple[object, ...]]] = []
    async with archive(url) as kept, engine(url) as opened:
        await kept.end(pattern, ())
        async with opened.begin() as connection:
            await connection.execute(text(copy))
            await connection.execute(text("delete from tasks where task_id = 'pattern'"))
        async with opened.connect() as connection:
            settled = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await settled.execute(text("analyze" if kind == "sqlite" else "vacuum analyze tasks"))

        def heard(_connection: object, _cursor: object, statement: str, values: tuple[object, ...], *_: object) -> None:
            asked.append((statement, values))

        event.listen(Engine, "before_cursor_execute", heard)
        async with (
            running(Script()) as model,
            world(temporal.client, model, folder, archive=kept, work=False) as there,
            gateway(there, folder, kept=kept) as door,
        ):
            yield Long(door, url, asked)
        event.remove(Engine, "before_cursor_execute", heard)


async def test_every_task_is_on_one_page_in_one_order(long: Long) -> None:
    order = [f"t{n:06}" for n in range(MANY, 0, -1)]
    chosen = random.Random(7).sample(range(MANY), 40)
    for offset in (0, 1, 99, 100, MANY // 2, MANY - 100, MANY - 1, *chosen):
        found, total = await long.door.archive.tasks(ALL, Page(100, offset))
        assert ([each.task_id for each in found], total) == (order[offset : offset + 100], MANY), offset


async def test_the_last_page_comes_over_http(long: Long) -> None:
    began = time.perf_counter()
    answer = (await long.door.http.get("/api/v1/tasks", params={"limit": 20, "offset": MANY - 5})).json()
    took = time.perf_counter() - began
    assert [each["task_id"] for each in answer["tasks"]] == [f"t{n:06}" for n in range(5, 0, -1)]
    assert answer["total_count"] == MANY
    assert took < 2, "a hundredth of a second and a half; here so much for a busy machine"
    beyond = (await long.door.http.get("/api/v1/tasks", params={"offset": MANY * 2})).json()
    assert (beyond["tasks"], beyond["total_count"]) == ([], MANY)
    failed = (await long.door.http.get("/api/v1/tasks", params={"status": "FAILED", "offset": FAILED - 1})).json()
    assert ([each["task_id"] for each in failed["tasks"]], failed["total_count"]) == (["t010000"], FAILED)


@pytest.mark.parametrize("user", [OPEN_USER, None])
@pytest.mark.parametrize("end", [None, Ended.FAILED, Ended.OPEN])
async def test_what_is_passed_over_is_not_read_and_nothing_is_sorted(
    long: Long, user: str | None, end: Ended | None
) -> None:
    plan = await long.plan(TaskFilter(OPEN_TENANT, user, ended=end))
    if long.url.startswith("sqlite"):
        index = "ix_tasks_tenant_id_user_id_created_at_task_id_status" if user else "ix_tasks_tenant_id_created_at_task"
        assert plan.count(f"COVERING INDEX {index}") == 2 and plan.count("TEMP B-TREE") <= 1, plan
        return
    assert "Seq Scan" not in plan, plan
    if end is Ended.OPEN and "ix_tasks_open" in plan:
        # where hardly any are open, an index holds them alone
        return
    assert "_task_id_status on tasks" in plan, plan
    # few are found by how they ended; all others are passed over in the index
    assert "(status" in plan if end else plan.count("Index Only Scan") == 2 and "Sort Key" not in inner(plan), plan


async def test_tasks_without_an_end_are_found_without_looking_at_the_others(long: Long) -> None:
    began = task("t050000", tenant_id=OPEN_TENANT)
    long.asked.clear()
    assert await long.door.archive.unended(began.created_at - timedelta(days=180), datetime.now(UTC), began, 20) == []
    plan = await long.explained()
    assert "ix_tasks_open" in plan and "Seq Scan" not in plan and "TEMP B-TREE" not in plan, plan
