"""Accounts in the archive."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import delete, func, or_, select, update

from theseus.contracts.accounts import KeyRecord, TokenRecord, UserRecord
from theseus.stores.archive.account_tables import KeyTable, TokenTable, UserTable
from theseus.stores.archive.database import Database
from theseus.stores.archive.tables import Table

Record = TypeVar("Record", bound=BaseModel)


class _FullError(Exception):
    """The user has as many keys as may be."""


class SqlAccounts:
    """Implements the port `AccountArchive`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(self, user: UserRecord) -> bool:
        """See the port."""
        return await self._add(UserTable, user, UserTable.user_id)

    async def user(self, user_id: str) -> UserRecord | None:
        """See the port."""
        return await self._one(UserRecord, UserTable, UserTable.user_id == user_id)

    async def user_of(self, email: str) -> UserRecord | None:
        """See the port."""
        return await self._one(UserRecord, UserTable, UserTable.email == email)

    async def add_key(self, key: KeyRecord, most: int) -> bool:
        """See the port."""
        is_good = KeyTable.revoked_at.is_(None) & or_(
            KeyTable.expires_at.is_(None), KeyTable.expires_at > key.created_at
        )
        whose = (KeyTable.tenant_id == key.tenant_id) & (KeyTable.user_id == key.user_id)
        try:
            async with self._database.transaction() as session:
                # so that two at once cannot both be the last
                await self._database.one_at_a_time(session, f"keys {key.tenant_id} {key.user_id}")
                await session.execute(self._database.insert(KeyTable).values(_row(key)))
                count = await session.scalar(select(func.count()).select_from(KeyTable).where(whose, is_good))
                if (count or 0) > most:
                    raise _FullError
        except _FullError:
            return False
        return True

    async def key(self, key_id: str) -> KeyRecord | None:
        """See the port."""
        return await self._one(KeyRecord, KeyTable, KeyTable.key_id == key_id)

    async def key_of(self, digest: str) -> KeyRecord | None:
        """See the port."""
        return await self._one(KeyRecord, KeyTable, KeyTable.digest == digest)

    async def keys(self, tenant_id: str | None = None, user_id: str | None = None) -> Sequence[KeyRecord]:
        """See the port."""
        wanted = select(KeyTable).order_by(KeyTable.created_at.desc(), KeyTable.key_id)
        if tenant_id is not None:
            wanted = wanted.where(KeyTable.tenant_id == tenant_id)
        if user_id is not None:
            wanted = wanted.where(KeyTable.user_id == user_id)
        async with self._database.transaction() as session:
            return [_record(KeyRecord, row) for row in await session.scalars(wanted)]

    async def revoke_key(self, key_id: str, at: datetime) -> None:
        """See the port."""
        shut = update(KeyTable).where(KeyTable.key_id == key_id, KeyTable.revoked_at.is_(None)).values(revoked_at=at)
        async with self._database.transaction() as session:
            await session.execute(shut)

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """See the port."""
        async with self._database.transaction() as session:
            await session.execute(update(KeyTable).where(KeyTable.key_id == key_id).values(last_used_at=at))

    async def add_token(self, token: TokenRecord) -> None:
        """See the port."""
        async with self._database.transaction() as session:
            await session.execute(delete(TokenTable).where(TokenTable.expires_at < datetime.now(UTC)))
            await session.execute(self._database.insert(TokenTable).values(_row(token)))

    async def spend_token(self, digest: str, at: datetime) -> TokenRecord | None:
        """See the port."""
        unused = (TokenTable.digest == digest) & TokenTable.used_at.is_(None)
        async with self._database.transaction() as session:
            spent = update(TokenTable).where(unused).values(used_at=at).returning(TokenTable)
            row = (await session.scalars(spent)).one_or_none()
            if row is not None:
                return _record(TokenRecord, row).model_copy(update={"used_at": None})
            row = (await session.scalars(select(TokenTable).where(TokenTable.digest == digest))).one_or_none()
            return _record(TokenRecord, row) if row is not None else None

    async def revoke_family(self, family: str) -> None:
        """See the port."""
        async with self._database.transaction() as session:
            await session.execute(delete(TokenTable).where(TokenTable.family == family))

    async def _add(self, table: type[Table], record: BaseModel, key: Any) -> bool:
        new = self._database.insert(table).values(_row(record)).on_conflict_do_nothing().returning(key)
        async with self._database.transaction() as session:
            return (await session.execute(new)).scalar_one_or_none() is not None

    async def _one(self, kind: type[Record], table: type[Table], which: Any) -> Record | None:
        async with self._database.transaction() as session:
            row = (await session.scalars(select(table).where(which))).one_or_none()
            return _record(kind, row) if row is not None else None


def _row(record: BaseModel) -> dict[str, Any]:
    return record.model_dump() | ({"scopes": list(record.scopes)} if isinstance(record, KeyRecord) else {})


def _record(kind: type[Record], row: Table) -> Record:
    return kind.model_validate({name: getattr(row, name) for name in kind.model_fields})
