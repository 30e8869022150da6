"""A task that ended is kept with as many of its events as can be read: never none because of its events."""

from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from tests.support.archived import Broken, ended, task
from theseus.activities.archive import ArchiveActivities
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Page
from theseus.stores.ports import StoreDownError


@pytest.mark.parametrize("fault", [StoreDownError("Redis is away"), ValueError("a type of a later version")])
async def test_events_that_cannot_be_read_cost_the_task_nothing_else(tmp_path: Path, fault: Exception) -> None:
    async with archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept:
        activities = ArchiveActivities(kept, Broken(fault))
        assert await ActivityEnvironment().run(activities.keep, ended(task("t")))
        record = await kept.task("t")
        assert record is not None and record.outcome is not None
        assert [stored.seq for stored in (await kept.events("t", Page(10))).events] == [1, 2]
