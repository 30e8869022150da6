"""One SQL database behind all that the archive keeps: transactions, the inserts of its dialect, and when it is away."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoRoomError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from theseus.stores.archive.port import ArchiveDownError
from theseus.stores.archive.tables import Table
from theseus.stores.archive.upgrading import upgrade

PATIENCE = timedelta(seconds=20)
"""How long a transaction may take in all, with the wait for a connection: whoever asked is told then that nobody answers."""
_AWAY = ("08", "25006", "28", "3D", "40", "53", "55P03", "57", "58")
"""SQLSTATEs of what passes, or is set right outside: no connection, a standby, no such user or database, a deadlock,
no room, a lock that was not had, a shutdown, a fault of its system."""


class Database:
    """SQLite or PostgreSQL.

    Args:
        engine: of SQLAlchemy, asynchronous.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_ready = False
        self._upgrading = asyncio.Lock()
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @property
    def _is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    async def prepare(self) -> None:
        """Brings the database to the shape of the tables, once.

        Raises:
            ArchiveDownError: it is away; the next transaction tries again.
            UnfitArchiveError: a newer Theseus has changed it.
        """
        async with self._upgrading:
            if not self._is_ready:
                with reaching(self._engine):
                    await upgrade(self._engine)
                self._is_ready = True

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """All or nothing of what is done in the context.

        Raises:
            ArchiveDownError: the database is away.
        """
        if not self._is_ready:
            await self.prepare()
        with reaching(self._engine):
            async with asyncio.timeout(PATIENCE.total_seconds()), self._sessions.begin() as session:
                yield session

    async def one_at_a_time(self, session: AsyncSession, whose: str) -> None:
        """Until the transaction ends, others who ask for the same wait. In SQLite who has written does so anyway."""
        if self._is_postgresql:
            lock = text("select pg_advisory_xact_lock(hashtextextended(:whose, 0))")
            await session.execute(lock, {"whose": whose})

    def insert(self, table: type[Table]) -> Any:
        """An insert that can say what happens when the row is there."""
        return (postgresql if self._is_postgresql else sqlite).insert(table)


@contextmanager
def reaching(engine: AsyncEngine) -> Generator[None]:
    """Turns every error of a database that is away into `ArchiveDownError`."""
    try:
        yield
    except (DBAPIError, NoRoomError, OSError) as error:
        if isinstance(error, DBAPIError) and not _is_away(error):
            raise
        said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0] or "it takes too long"
        raise ArchiveDownError(f"the archive at {engine.url.render_as_string()} does not answer: {said}") from error


def _is_away(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_AWAY)
    # a value that the driver cannot send is an InterfaceError, too, and comes of a ValueError
    cause = error.orig.__cause__ if error.orig is not None else None
    return isinstance(error, OperationalError | InterfaceError) and not isinstance(cause, ValueError)
