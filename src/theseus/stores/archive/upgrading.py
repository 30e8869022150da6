"""Brings a database to the shape of the tables, whoever opens it first, and refuses one that a newer Theseus made."""

import logging
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from theseus.stores.archive.port import UnfitArchiveError

HEAD = "0003"
"""The last revision of `migrations/`."""
PATIENCE = timedelta(minutes=5)
"""How long a process waits for another one that is at it."""

_LOCK = 0x7468657365757301
_REVISIONS = Path(__file__).parent / "migrations"
_log = logging.getLogger("theseus.archive")


async def upgrade(engine: AsyncEngine) -> tuple[str | None, str]:
    """Does the revisions that are missing, all or none; gives the one that the database was at, and the one it is at now.

    One process at a time does it, the others wait. A database that is at the last revision is only read.

    Raises:
        UnfitArchiveError: it is at a revision that is not known here.
    """
    was = await revision(engine)
    if was == HEAD:
        return was, was
    async with engine.connect() as connection, connection.begin():
        await _alone(connection)
        was = await connection.run_sync(_revision)
        if was != HEAD:
            await connection.run_sync(_run)
            _log.info("the archive was brought from revision %s to %s", was or "none", HEAD)
    return was, HEAD


async def revision(engine: AsyncEngine) -> str | None:
    """The revision that a database is at, None before the first; nothing is changed.

    Raises:
        UnfitArchiveError: it is not known here.
    """
    async with engine.connect() as connection:
        return await connection.run_sync(_revision)


async def _alone(connection: AsyncConnection) -> None:
    """Shuts others out until the transaction ends."""
    patience = round(PATIENCE.total_seconds() * 1000)
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"set local lock_timeout = {patience}")
        await connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        return
    usual = await connection.scalar(text("PRAGMA busy_timeout"))
    await connection.exec_driver_sql(f"PRAGMA busy_timeout={patience}")
    # the driver would begin only at the first row that is written, and change tables outside of that
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    await connection.exec_driver_sql(f"PRAGMA busy_timeout={usual}")


def _revision(connection: Connection) -> str | None:
    """The revision that a database is at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("select version_num from alembic_version"))
    if revision is not None and revision > HEAD:
        where = connection.engine.url.render_as_string()
        raise UnfitArchiveError(
            f"the archive at {where} was changed by a newer Theseus (it is at revision {revision}, this one knows {HEAD}): "
            "start that version, or open a copy from before"
        )
    return revision


def _run(connection: Connection) -> None:
    # a fifth of a second of imports, for who needs them
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
