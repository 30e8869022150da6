"""Servers that tests share, started once; each test has its own task queue, stores and script."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.gateway import Gateway, gateway
from tests.support.study import Study, studying
from tests.support.temporal import dev_server
from tests.support.world import World, world
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import ScriptedModel, running
from theseus.stores.archive.opening import archive


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


@pytest_asyncio.fixture
async def door(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[Gateway]:
    """The gateway over HTTP, with nobody asked who they are, before a worker that keeps ended tasks."""
    async with (
        archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept,
        world(temporal.client, model, tmp_path, archive=kept) as there,
        gateway(there, tmp_path) as made,
    ):
        yield made
