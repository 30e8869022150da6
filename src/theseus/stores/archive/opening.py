"""Opens the archive of an address: `sqlite:///path` or `postgresql://...`, with its tables there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine

from theseus.stores.archive.sql import SqlArchive
from theseus.stores.archive.tables import Table

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


@asynccontextmanager
async def archive(url: str) -> AsyncGenerator[SqlArchive]:
    """The archive at that address, while the context is open.

    Raises:
        ValueError: no address of a database that we know.
    """
    address = _with_driver(make_url(url))
    engine = create_async_engine(address, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        Path(address.database or ".").parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine.sync_engine, "connect", _shared)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Table.metadata.create_all)
        yield SqlArchive(engine)
    finally:
        await engine.dispose()


def _with_driver(url: URL) -> URL:
    name = url.drivername.split("+")[0]
    if name not in _DRIVERS:
        raise ValueError(f"{url.drivername}: not a database that we know (sqlite, postgresql)")
    return url.set(drivername=_DRIVERS[name])


def _shared(connection: DBAPIConnection, _record: object) -> None:
    # several workers and gateways of one machine write the same file
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "busy_timeout=10000", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
