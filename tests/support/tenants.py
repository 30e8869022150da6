"""Gateways that ask who calls, and keys for them."""

import uuid
from datetime import UTC, datetime

from tests.support.gateway import Gateway
from theseus.contracts.accounts import KeyRecord, RoleOfUser
from theseus.gateway.who.secrets import digest, new_key, shown


async def key_for(
    door: Gateway, user: str, tenant: str, *, scopes: tuple[str, ...] = (), role: RoleOfUser = "user"
) -> dict[str, str]:
    """Headers with a new key of that user."""
    secret = new_key()
    record = KeyRecord(
        key_id=f"key-{uuid.uuid4()}",
        tenant_id=tenant,
        user_id=user,
        name="test",
        digest=digest(secret),
        shown=shown(secret),
        role=role,
        scopes=scopes,
        created_at=datetime.now(UTC),
    )
    assert await door.archive.accounts.add_key(record, 1000)
    return {"X-API-Key": secret}
