"""`theseus archive`: the database of ended tasks, brought to the shape that this version needs."""

import asyncio

import typer

from theseus.commands.terminal import CANNOT_START, CommandError, out
from theseus.config import load
from theseus.stores.archive.port import ArchiveDownError, UnfitArchiveError

archive = typer.Typer(
    name="archive", help="Upgrade the database of ended tasks.", no_args_is_help=True, rich_markup_mode=None
)


@archive.callback()
def _archive() -> None:
    """Only a group: a single command would be taken for it."""


@archive.command()
def upgrade() -> None:
    """Bring the database of DATABASE_URL to the shape that this version needs.

    Whoever opens it does so, too; this is for a user of the database who may change tables, where others may not.
    """
    out(asyncio.run(_upgraded(load().archive_url)))


async def _upgraded(url: str) -> str:
    try:
        from theseus.stores.archive import opening
    except ModuleNotFoundError as error:
        words = f"the archive needs {error.name}: pip install 'theseus-worker[archive]'"
        raise CommandError(words, CANNOT_START) from error
    try:
        was, now, where = await opening.upgraded(url)
    except UnfitArchiveError as error:
        raise CommandError(f"DATABASE_URL: {error}", CANNOT_START) from error
    except ArchiveDownError as error:
        raise CommandError(str(error), CANNOT_START) from error
    return (
        f"{where} is at revision {now} already"
        if was == now
        else f"{where} was brought from {was or 'nothing'} to {now}"
    )
