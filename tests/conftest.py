"""Servers that tests share, started once; each test has its own task queue, stores and script."""

import faulthandler
import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.postgres import Cluster, cluster
from tests.support.study import Study, studying
from tests.support.temporal import dev_server
from tests.support.world import World, world
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import ScriptedModel, running
from theseus.stores.archive.opening import archive

# a busy machine is no fault of what is tested
settings.register_profile("theseus", deadline=None)
settings.load_profile("theseus")


class Failures:
    """Prints a failure when it happens: a run that is cut short has said what failed."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            terminal = self.config.get_terminal_writer()
            terminal.line()
            terminal.sep("-", f"failed in {report.when}: {report.nodeid} after {report.duration:.0f} s")
            terminal.line(report.longreprtext)


STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STDERR] = os.dup(2)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failures(config))


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """A test that failed has no time limit any more: pytest and its plugins take it away. Its end has to have one."""
    seconds, ends = node.config.getini("faulthandler_timeout"), node.config.getini("faulthandler_exit_on_timeout")
    if not node.config.getoption("usepdb"):
        faulthandler.dump_traceback_later(float(seconds), file=node.config.stash[STDERR], exit=ends)


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it again in each garbage collection held workflows up for long."""
    gc.collect()
    gc.freeze()


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    async with dev_server() as env:
        yield env


@pytest_asyncio.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with running(Script()) as server:
        yield server


@pytest_asyncio.fixture
async def there(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    async with world(temporal.client, model, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def idle(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose workers the test starts and stops itself."""
    async with world(temporal.client, model, tmp_path, work=False) as made:
        yield made


@pytest_asyncio.fixture
async def study(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[Study]:
    async with studying(temporal.client, model, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A server that tests share; one that stops it has a cluster of its own."""
    with cluster() as running:
        yield running


@pytest_asyncio.fixture
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: SQLite, or as a test is parametrized by `on_both`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'archive.db'}"
    made: Cluster = request.getfixturevalue("postgresql")
    return await made.database()


@pytest_asyncio.fixture
async def door(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path, database: str
) -> AsyncIterator[Gateway]:
    """The gateway over HTTP, with nobody asked who they are, before a worker that keeps ended tasks."""
    async with (
        archive(database) as kept,
        world(temporal.client, model, tmp_path, archive=kept) as there,
        gateway(there, tmp_path) as made,
    ):
        yield made
