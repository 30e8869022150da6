"""`theseus keys`: API keys of the gateway, made, listed and revoked by who runs it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from theseus.commands.options import Json
from theseus.commands.terminal import CANNOT_START, CommandError, out, say
from theseus.config import load
from theseus.contracts.accounts import KeyWish
from theseus.contracts.task import Id

if TYPE_CHECKING:
    from theseus.gateway.who.accounts import Accounts
    from theseus.stores.archive.account_port import AccountArchive

keys = typer.Typer(
    name="keys", help="Make, list or revoke API keys of the gateway.", no_args_is_help=True, rich_markup_mode=None
)

Tenant = Annotated[str, typer.Option("--tenant", help="Whose key it is; tenants see nothing of each other.")]


@keys.command()
def create(  # noqa: PLR0913 - one parameter an option
    user: Annotated[str, typer.Option("--user", help="Who owns what is started with it.")],
    tenant: Tenant = "",
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "made by theseus keys",
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="What it may do; without one, all.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="It sees and steers all tasks of the tenant.")] = False,
    days: Annotated[int | None, typer.Option("--days", min=1, max=3650, help="When it ends; without, never.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, the only time that it can be seen."""
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    wish = KeyWish(name=name, scopes=tuple(scopes or ()), expires_at=until, role="admin" if admin else "user")
    asyncio.run(_create(_id(user), _id(tenant) if tenant else "", wish, as_json=as_json))


@keys.command("list")
def show(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of one tenant alone.")] = None, as_json: Json = False
) -> None:
    """List keys, the newest first: how they begin, whose they are, what they may do."""
    asyncio.run(_show(tenant, as_json))


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `theseus keys list` shows it.")]) -> None:
    """Shut a key: from now on it opens nothing."""
    asyncio.run(_revoke(key_id))


async def _create(user: str, tenant: str, wish: KeyWish, *, as_json: bool) -> None:
    async with _accounts() as (accounts, _):
        from theseus.gateway.callers import Caller
        from theseus.gateway.refusals import Refusal

        try:
            made = await accounts.new_key(Caller(user, tenant, "cli", is_admin=True), wish)
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal
    if as_json:
        out(json.dumps({"id": made.record.key_id, "key": made.secret}))
        return
    out(made.secret)
    say(f"{made.record.key_id} of {_whose(user, tenant)}; the key is not shown again")


def _id(value: str) -> str:
    try:
        return TypeAdapter[str](Id).validate_python(value)
    except ValidationError as error:
        raise typer.BadParameter(f"{value!r} is no id: {error.errors()[0]['msg']}") from error


async def _show(tenant: str | None, as_json: bool) -> None:
    async with _accounts() as (_, kept):
        found = await kept.keys(tenant)
    now = datetime.now(UTC)
    if as_json:
        out(json.dumps([each.model_dump(mode="json", exclude={"digest"}) for each in found], ensure_ascii=False))
        return
    for key in found:
        state = "good" if key.is_good(now) else "revoked" if key.revoked_at else "over"
        may = ", ".join(key.scopes) or "all"
        out(
            f"{key.key_id}  {key.shown:<12}  {state:<8}  {key.role:<6} {_whose(key.user_id, key.tenant_id)}: {key.name} ({may})"
        )
    if not found:
        say("there are no keys: theseus keys create --user NAME")


async def _revoke(key_id: str) -> None:
    async with _accounts() as (_, kept):
        if await kept.key(key_id) is None:
            raise CommandError(f"there is no key {key_id}: see `theseus keys list`")
        await kept.revoke_key(key_id, datetime.now(UTC))
    out(f"{key_id} revoked")


def _whose(user: str, tenant: str) -> str:
    return f"{user} of {tenant}" if tenant else user


@asynccontextmanager
async def _accounts() -> AsyncGenerator[tuple["Accounts", "AccountArchive"]]:
    try:
        from theseus.gateway.who.accounts import Accounts
        from theseus.stores.archive.opening import archive
        from theseus.stores.archive.port import ArchiveDownError, UnfitArchiveError
    except ModuleNotFoundError as error:
        words = f"keys need {error.name}: pip install 'theseus-worker[gateway]'"
        raise CommandError(words, CANNOT_START) from error
    settings = load()
    try:
        async with archive(settings.archive_url) as kept:
            yield Accounts(kept.accounts, None, is_open=False), kept.accounts
    except UnfitArchiveError as error:
        raise CommandError(f"DATABASE_URL: {error}", CANNOT_START) from error
    except ArchiveDownError as error:
        raise CommandError(str(error), CANNOT_START) from error
