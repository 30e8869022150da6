"""One SQL database behind all that the archive keeps: transactions, the inserts of its dialect, and when it is away."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from theseus.stores.archive.port import ArchiveDownError
from theseus.stores.archive.tables import Table


class Database:
    """SQLite or PostgreSQL.

    Args:
        engine: of SQLAlchemy, asynchronous; its database has the tables already.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; else it is SQLite."""
        return self._engine.dialect.name == "postgresql"

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """All or nothing of what is done in the context.

        Raises:
            ArchiveDownError: the database is away.
        """
        try:
            async with self._sessions.begin() as session:
                yield session
        except (DBAPIError, OSError) as error:
            if isinstance(error, DBAPIError) and not _is_away(error):
                raise
            raise ArchiveDownError(f"the archive at {self._engine.url.render_as_string()} does not answer") from error

    def insert(self, table: type[Table]) -> Any:
        """An insert that can say what happens when the row is there."""
        return (postgresql if self.is_postgresql else sqlite).insert(table)


def _is_away(error: DBAPIError) -> bool:
    return error.connection_invalidated or type(error).__name__ in ("OperationalError", "InterfaceError")
