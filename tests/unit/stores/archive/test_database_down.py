"""A database that is away is said to be away, whatever way it is gone, and is used again as soon as it is back."""

import asyncio
import sqlite3
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.archived import task
from tests.support.postgres import Cluster, cluster
from theseus.stores.archive import database, opening
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import ArchiveDownError, Page, TaskFilter
from theseus.stores.archive.sql import SqlArchive

ADAS = TaskFilter("acme", "ada")


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server that may be stopped."""
    with cluster() as running:
        yield running


async def count(kept: SqlArchive) -> int:
    return (await kept.tasks(ADAS, Page(1)))[1]


async def test_a_server_that_stops_and_comes_back(server: Cluster) -> None:
    async with archive(await server.database()) as kept:
        assert await kept.begin(task("before"))
        server.stop()
        for _ in range(2):
            with pytest.raises(ArchiveDownError, match="does not answer"):
                await kept.begin(task("meanwhile"))
        server.start()
        assert await kept.begin(task("after")) and await count(kept) == 2


async def test_a_server_that_is_away_at_the_start_is_used_once_it_is_there(server: Cluster) -> None:
    url = await server.database()
    server.stop()
    async with archive(url) as kept:
        with pytest.raises(ArchiveDownError):
            await count(kept)
        server.start()
        assert sorted(await asyncio.gather(*(count(kept) for _ in range(5)))) == [0] * 5


async def test_a_server_that_has_no_room_or_no_such_database(postgresql: Cluster, server: Cluster) -> None:
    async with archive((await postgresql.database()).replace("/test_", "/none_")) as kept:
        with pytest.raises(ArchiveDownError, match="does not exist"):
            await count(kept)
    url = await server.database()
    server.stop()
    server.start(max_connections="4", superuser_reserved_connections="0")
    async with archive(url) as one, archive(url) as other:
        held = [one.begin(task(f"{n}", query="x" * 1_000_000)) for n in range(10)]
        done = await asyncio.gather(*held, *(count(other) for _ in range(10)), return_exceptions=True)
    assert {type(each) for each in done} <= {bool, int, ArchiveDownError}, done
    assert any(isinstance(each, ArchiveDownError) for each in done)


async def test_a_server_that_answers_nothing_is_away(postgresql: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)
        writer.close()

    monkeypatch.setattr(opening, "CONNECTING", timedelta(seconds=0.5))
    async with (
        await asyncio.start_server(silent, "127.0.0.1", 0) as mute,
        archive(f"postgresql://ada@127.0.0.1:{mute.sockets[0].getsockname()[1]}/none") as kept,
    ):
        with pytest.raises(ArchiveDownError, match="does not answer"):
            await asyncio.wait_for(count(kept), 5)
    url = await postgresql.database()
    async with archive(url) as kept, opening.engine(url) as other, other.connect() as connection:
        assert await kept.begin(task())
        await connection.execute(text("lock table tasks"))
        monkeypatch.setattr(database, "PATIENCE", timedelta(seconds=0.5))
        asked = await asyncio.wait_for(asyncio.gather(*(count(kept) for _ in range(30)), return_exceptions=True), 20)
        assert {type(each) for each in asked} == {ArchiveDownError}, asked
        await connection.rollback()
        assert await count(kept) == 1


async def test_a_file_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "archive.db").mkdir()
    async with archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept:
        with pytest.raises(ArchiveDownError, match="unable to open"):
            await count(kept)
        (tmp_path / "archive.db").rmdir()
        assert await kept.begin(task())


async def test_a_password_is_in_no_error() -> None:
    async with archive("postgresql://ada:hidden@127.0.0.1:1/none") as kept:
        with pytest.raises(ArchiveDownError) as refused:
            await count(kept)
    assert "hidden" not in str(refused.value) and "127.0.0.1" in str(refused.value)


async def test_what_users_ask_is_in_no_error(tmp_path: Path) -> None:
    async with archive(f"sqlite:///{tmp_path / 'archive.db'}") as kept:
        asked = "my secret plans"
        with sqlite3.connect(tmp_path / "archive.db") as other:
            other.execute("drop table tasks")
        with pytest.raises(ArchiveDownError) as refused:
            await kept.begin(task("t", query=asked))
    told = "".join(traceback.format_exception(refused.value))
    assert "INSERT INTO tasks" in told and asked not in told
