"""Every test of the archive runs on SQLite and on a real PostgreSQL, each on a database of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from theseus.stores.archive.opening import archive
from theseus.stores.archive.sql import SqlArchive


@pytest_asyncio.fixture
async def kept(database: str) -> AsyncIterator[SqlArchive]:
    async with archive(database) as opened:
        yield opened
