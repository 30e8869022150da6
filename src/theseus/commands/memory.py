"""`theseus memory`: what is remembered of a user, shown and forgotten."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from theseus.commands.options import Json
from theseus.commands.terminal import CANNOT_START, CommandError, out, say
from theseus.config import Settings, load
from theseus.contracts.memory import Fact, Owner
from theseus.domain.remembering import without, without_all
from theseus.stores.ports import MemoryStore, StoreDownError

memory = typer.Typer(
    name="memory", help="Show or forget what is known of a user.", no_args_is_help=True, rich_markup_mode=None
)


def _named(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("it is empty; is a variable of your script unset?")
    return value


User = Annotated[str, typer.Option("--user", callback=_named, help="Whose memory it is.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose user it is.")]


@memory.command("list")
def show(user: User, tenant: Tenant = "", as_json: Json = False) -> None:
    """List the facts kept of a user, oldest first.

    Each line: id, day, kind, fact, and the task that it was told in.
    """
    asyncio.run(_show(load(), Owner(tenant_id=tenant, user_id=user), as_json=as_json))


@memory.command()
def forget(
    user: User,
    fact_ids: Annotated[list[str] | None, typer.Argument(metavar="FACT_ID", help="Which facts.")] = None,
    tenant: Tenant = "",
    everything: Annotated[bool, typer.Option("--all", help="All facts of the user.")] = False,
    as_json: Json = False,
) -> None:
    """Forget facts of a user for good.

    A task under way does not bring them back.
    """
    if bool(fact_ids) == everything:
        raise typer.BadParameter("give either ids of facts, as `theseus memory list` shows them, or --all")
    owner = Owner(tenant_id=tenant, user_id=user)
    asyncio.run(_forget(load(), owner, fact_ids or (), as_json=as_json))


async def _show(settings: Settings, owner: Owner, *, as_json: bool) -> None:
    async with _memories(settings) as memories:
        facts = (await memories.load(owner)).facts
    if as_json:
        out(json.dumps([fact.model_dump(mode="json") for fact in facts], ensure_ascii=False))
        return
    for fact in facts:
        out(f"{fact.id}  {fact.day}  {fact.kind:<10}  {' '.join(fact.text.split())}  ({fact.task_id})")
    if not facts:
        say(f"nothing is known of {_whose(owner)}")


async def _forget(settings: Settings, owner: Owner, fact_ids: Sequence[str], *, as_json: bool) -> None:
    async with _memories(settings) as memories:
        before = (await memories.load(owner)).facts
        known = {fact.id for fact in before}
        if missing := [name for name in fact_ids if name not in known]:
            raise CommandError(
                f"no fact {', '.join(missing)} is kept of {_whose(owner)}; nothing was forgotten: see `theseus memory list`"
            )
        after = (await memories.revise(owner, (), without(fact_ids) if fact_ids else without_all)).facts
    left = {fact.id for fact in after}
    gone: list[Fact] = [fact for fact in before if fact.id not in left]
    if as_json:
        out(json.dumps({"forgotten": [fact.id for fact in gone]}))
    else:
        out(f"{len(gone)} {'fact' if len(gone) == 1 else 'facts'} of {_whose(owner)} forgotten")


def _whose(owner: Owner) -> str:
    return f"user {owner.user_id}" + (f" of tenant {owner.tenant_id}" if owner.tenant_id else "")


@asynccontextmanager
async def _memories(settings: Settings) -> AsyncGenerator[MemoryStore]:
    from theseus.stores.redis import RedisMemory, connect_redis

    client = connect_redis(settings.redis_url)
    try:
        yield RedisMemory(client, ttl=settings.memory_ttl)
    except StoreDownError as error:
        raise CommandError(str(error), CANNOT_START) from error
    finally:
        await client.aclose()
