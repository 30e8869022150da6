"""An address is one user's, a user has no more keys than may be, and a refresh token is spent once, also by many at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.archived import NOON
from tests.support.postgres import on_both
from theseus.contracts.accounts import KeyRecord, TokenRecord, UserRecord
from theseus.stores.archive.sql import SqlArchive

pytestmark = on_both

LATER = NOON + timedelta(days=1)


def user(user_id: str, email: str = "ada@example.org") -> UserRecord:
    return UserRecord(user_id=user_id, tenant_id="acme", email=email, name="Ada Ü", password="$h", created_at=NOON)


def key(key_id: str, *, minute: int = 0, **more: Any) -> KeyRecord:
    known: dict[str, Any] = {"tenant_id": "acme", "user_id": "ada", "name": "ci", "shown": "sk_live_a", **more}
    return KeyRecord(key_id=key_id, digest=f"of {key_id}", created_at=NOON + timedelta(minutes=minute), **known)


def token(digest: str, *, days: int = 1, family: str = "f") -> TokenRecord:
    return TokenRecord(digest=digest, family=family, user_id="ada", expires_at=datetime.now(UTC) + timedelta(days=days))


async def test_an_address_is_one_users_also_when_many_ask_at_once(kept: SqlArchive) -> None:
    added = await asyncio.gather(*(kept.accounts.add_user(user(f"u{n}")) for n in range(8)))
    assert added.count(True) == 1
    found = await kept.accounts.user_of("ada@example.org")
    assert found is not None and found == user(found.user_id) == await kept.accounts.user(found.user_id)
    assert await kept.accounts.add_user(user("bob", "bob@example.org"))
    assert await kept.accounts.user("nobody") is None and await kept.accounts.user_of("no@example.org") is None


async def test_a_key_comes_back_as_it_was_and_is_found_by_its_hash(kept: SqlArchive) -> None:
    made = key("k", scopes=("tasks:read",), expires_at=LATER, role="admin")
    assert await kept.accounts.add_key(made, 5)
    assert await kept.accounts.key("k") == made == await kept.accounts.key_of("of k")
    await kept.accounts.touch_key("k", LATER)
    await kept.accounts.revoke_key("k", NOON)
    await kept.accounts.revoke_key("k", LATER)
    shut = made.model_copy(update={"last_used_at": LATER, "revoked_at": NOON})
    assert await kept.accounts.key("k") == shut
    assert await kept.accounts.key_of("k") is None


async def test_a_user_has_no_more_good_keys_than_may_be_also_when_many_are_made_at_once(kept: SqlArchive) -> None:
    await kept.accounts.add_key(key("over", expires_at=NOON), 3)
    await kept.accounts.add_key(key("shut", revoked_at=NOON), 3)
    added = await asyncio.gather(*(kept.accounts.add_key(key(f"k{n}", minute=n), 3) for n in range(10)))
    assert added.count(True) == 3
    await kept.accounts.add_key(key("bobs", minute=99, user_id="bob"), 1)
    await kept.accounts.add_key(key("eves", tenant_id="globex"), 1)
    adas = [each.key_id for each in await kept.accounts.keys("acme", "ada")]
    assert len(adas) == 5 and set(adas) > {"over", "shut"}
    acmes = [each.key_id for each in await kept.accounts.keys("acme")]
    assert acmes[0] == "bobs", "the newest first"
    assert len(acmes) == 6 and len(await kept.accounts.keys()) == 7


async def test_a_token_is_spent_once_also_by_many_at_once(kept: SqlArchive) -> None:
    await kept.accounts.add_token(token("d"))
    spent = await asyncio.gather(*(kept.accounts.spend_token("d", NOON) for _ in range(8)))
    assert [each is not None and each.used_at is None for each in spent].count(True) == 1
    assert all(each is not None for each in spent)
    assert await kept.accounts.spend_token("nobody's", NOON) is None


async def test_a_login_that_is_ended_takes_its_tokens_along_and_those_that_are_over_go(kept: SqlArchive) -> None:
    for made in (token("old", days=-1, family="g"), token("a"), token("b"), token("other", family="h")):
        await kept.accounts.add_token(made)
    assert await kept.accounts.spend_token("old", NOON) is None
    await kept.accounts.revoke_family("f")
    assert await kept.accounts.spend_token("a", NOON) is None and await kept.accounts.spend_token("b", NOON) is None
    assert await kept.accounts.spend_token("other", NOON) is not None
