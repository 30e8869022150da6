"""Opens the archive of an address: `sqlite:///path` or `postgresql://...`, brought to the shape of today."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from theseus.stores.archive.database import reaching
from theseus.stores.archive.kept_text import as_json
from theseus.stores.archive.port import ArchiveDownError, UnfitArchiveError
from theseus.stores.archive.sql import SqlArchive
from theseus.stores.archive.upgrading import HEAD, revision, upgrade

_log = logging.getLogger("theseus.archive")

CONNECTING = timedelta(seconds=10)
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


@asynccontextmanager
async def archive(url: str) -> AsyncGenerator[SqlArchive]:
    """The archive at that address, while the context is open; one that is away is gone on without until it is needed.

    Raises:
        UnfitArchiveError: no address of a database that we know, or one that a newer Theseus made.
    """
    async with engine(url) as opened:
        kept = SqlArchive(opened)
        try:
            await kept.prepare()
        except ArchiveDownError as error:
            _log.warning("%s; it is tried again when it is needed", error)
        yield kept


async def upgraded(url: str) -> tuple[str | None, str, str]:
    """Brings the database at that address to the shape of today; gives the revision it was at, the one it is at, its name.

    Raises:
        UnfitArchiveError: no address of a database that we know, or one that a newer Theseus made.
        ArchiveDownError: it is away.
    """
    async with engine(url) as opened:
        with reaching(opened):
            was, now = await upgrade(opened)
        return was, now, opened.url.render_as_string()


async def looked_at(url: str) -> tuple[str | None, str, str]:
    """The revision that the database at that address is at, the one that this version needs, its name; changes nothing.

    Raises:
        UnfitArchiveError: no address of a database that we know, or one that a newer Theseus made.
        ArchiveDownError: it is away.
    """
    async with engine(url) as opened:
        with reaching(opened):
            return await revision(opened), HEAD, opened.url.render_as_string()


@asynccontextmanager
async def engine(url: str) -> AsyncGenerator[AsyncEngine]:
    """Connections to the database at that address, whatever it holds, while the context is open.

    Raises:
        UnfitArchiveError: no address of a database that we know.
    """
    address = _with_driver(url)
    # what users ask is a parameter, too, and an error is logged
    usual: dict[str, Any] = {"pool_pre_ping": True, "json_serializer": as_json, "hide_parameters": True}
    if address.drivername == _DRIVERS["sqlite"]:
        # who waits for the file has no place in a line, and of many at once some would never come to it: they wait here
        usual |= {"pool_size": 1, "max_overflow": 0}
    else:
        usual |= {"connect_args": {"timeout": CONNECTING.total_seconds()}}
    opened = create_async_engine(address, **usual)
    if opened.dialect.name == "sqlite":
        Path(address.database or ".").parent.mkdir(parents=True, exist_ok=True)
        event.listen(opened.sync_engine, "connect", _shared)
    try:
        yield opened
    finally:
        await opened.dispose()


def _with_driver(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # what the parser says holds the password
        raise UnfitArchiveError(
            "not an address such as postgresql://USER:PASSWORD@HOST/NAME or sqlite:///PATH"
        ) from None
    name = url.drivername.split("+")[0]
    if name not in _DRIVERS:
        raise UnfitArchiveError(f"{url.drivername}: not a database that we know (sqlite, postgresql)")
    return url.set(drivername=_DRIVERS[name])


def _shared(connection: DBAPIConnection, _record: object) -> None:
    # several workers and gateways of one machine write the same file
    cursor = connection.cursor()
    for setting in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
