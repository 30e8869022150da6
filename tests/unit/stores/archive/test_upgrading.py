"""Whoever opens a database first brings it to the shape of the tables, with all that it holds; nobody writes into a newer one."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Integer, MetaData, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.archived import NOON, task
from tests.support.postgres import on_both
from theseus.stores.archive import upgrading
from theseus.stores.archive.opening import archive, engine
from theseus.stores.archive.port import Page, TaskFilter
from theseus.stores.archive.tables import Moment, Table

REVISIONS = Path(upgrading.__file__).parent / "migrations"
OPEN = """
import asyncio, sys
from theseus.stores.archive.opening import archive
async def main():
    async with archive(sys.argv[1]) as kept:
        print(await kept.task("t"))
asyncio.run(main())
"""


def differences(connection: Connection) -> list[Any]:
    how = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=how), Table.metadata)


def shape(connection: Connection) -> dict[str, Any]:
    """All that SQL can tell of the tables."""
    known = inspect(connection)
    return {
        name: {
            "columns": [(each["name"], str(each["type"]), each["nullable"]) for each in known.get_columns(name)],
            "key": known.get_pk_constraint(name),
            "unique": known.get_unique_constraints(name),
            "indexes": sorted(known.get_indexes(name), key=str),
        }
        for name in known.get_table_names()
        if name != "alembic_version"
    }


async def rows(connection: AsyncConnection) -> dict[str, list[Any]]:
    """All rows of all tables."""
    found: dict[str, list[Any]] = {}
    for table in Table.metadata.sorted_tables:
        asked = await connection.execute(text(f"select * from {table.name} order by 1"))
        found[table.name] = [dict(row) for row in asked.mappings()]
    return found


async def made_by(revision: str, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of an earlier time."""
    with monkeypatch.context() as then:
        then.setattr(upgrading, "HEAD", revision)
        async with engine(database) as opened:
            await upgrading.upgrade(opened)


async def fill(connection: AsyncConnection) -> None:
    """Puts rows into every table as it is now, whatever its columns."""
    tables = MetaData()
    await connection.run_sync(tables.reflect)
    for table in tables.sorted_tables:
        if table.name == "alembic_version":
            continue
        wanted = Table.metadata.tables[table.name].columns
        for number in range(3):
            row: dict[str, Any] = {}
            for column in table.columns:
                kind = wanted[column.name].type if column.name in wanted else column.type
                row[column.name] = value(kind, number)
            await connection.execute(Table.metadata.tables[table.name].insert().values(row))


def value(kind: Any, number: int) -> Any:
    if isinstance(kind, Moment):
        return NOON
    if isinstance(kind, Integer):
        return number
    return {"n": number} if "JSON" in str(kind) else f"{number}"


async def test_the_last_step_is_the_one_that_is_named() -> None:
    config = Config()
    config.set_main_option("script_location", str(REVISIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [upgrading.HEAD]
    revisions = [each.revision for each in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True) and all(len(each) == 4 for each in revisions), (
        "compared as texts"
    )


@on_both
async def test_the_revisions_lead_to_the_tables(database: str) -> None:
    async with archive(database), engine(database) as opened, opened.connect() as connection:
        assert await connection.run_sync(differences) == []


@on_both
async def test_an_old_database_is_brought_up_with_all_that_it_holds(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made_by("0001", database, monkeypatch)
    async with engine(database) as opened:
        async with opened.begin() as connection:
            assert await connection.run_sync(differences) != [], "it is old"
            await fill(connection)
            before = await rows(connection)
        assert all(len(each) == 3 for each in before.values()) and len(before) >= 8
        async with archive(database):
            pass
        async with opened.connect() as connection:
            assert await connection.run_sync(differences) == []
            assert await rows(connection) == before


@on_both
async def test_a_database_from_before_there_were_revisions_is_taken_over(database: str) -> None:
    async with engine(database) as opened:
        async with opened.begin() as connection:
            await connection.run_sync(Table.metadata.create_all)
            for name in ("tenant_id_user_id_created_at_task_id", "tenant_id_created_at_task_id"):
                columns = name.replace("_id", "#").replace("_at", "@").replace("_", ", ").replace("#", "_id")
                await connection.execute(text(f"create index ix_tasks_{name} on tasks ({columns.replace('@', '_at')})"))
                await connection.execute(text(f"drop index ix_tasks_{name}_status"))
            await connection.execute(text("drop index ix_tasks_open"))
            await fill(connection)
            before = await rows(connection)
        async with archive(database):
            pass
        async with opened.connect() as connection:
            assert await connection.run_sync(differences) == []
            assert await rows(connection) == before


@on_both
async def test_of_many_processes_that_start_at_once_one_does_it_and_all_get_in(database: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", OPEN, database), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        for _ in range(4)
    ]
    for process in processes:
        said, _ = await process.communicate()
        assert process.returncode == 0 and said == b"None\n", said.decode()


@on_both
async def test_a_revision_that_fails_leaves_the_database_as_it_was(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made_by("0001", database, monkeypatch)
    async with engine(database) as opened:
        async with opened.begin() as connection:
            # the second of the indexes that are to make way is not there
            await connection.execute(text("drop index ix_tasks_tenant_id_created_at_task_id"))
        async with opened.connect() as connection:
            before = await connection.run_sync(shape)
        with pytest.raises(Exception, match="ix_tasks_tenant_id_created_at_task_id"):
            await upgrading.upgrade(opened)
        async with opened.connect() as connection:
            assert await connection.run_sync(shape) == before
            assert await connection.scalar(text("select version_num from alembic_version")) == "0001"


@on_both
async def test_a_newer_database_is_refused_and_left_alone(database: str) -> None:
    async with archive(database) as kept:
        await kept.begin(task())
    async with engine(database) as opened, opened.begin() as connection:
        await connection.execute(text("update alembic_version set version_num = '9000'"))
    with pytest.raises(ValueError, match=r"newer Theseus .*9000"):
        async with archive(database):
            pass
    async with engine(database) as opened, opened.connect() as connection:
        assert await connection.scalar(text("select version_num from alembic_version")) == "9000"


@on_both
async def test_one_that_is_up_to_date_is_only_read(database: str) -> None:
    """So a user of the database who may not change tables can open it."""
    async with archive(database), engine(database) as opened, opened.begin() as connection:
        if opened.dialect.name == "sqlite":
            # somebody writes: who would lock the database would wait for it
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.exec_driver_sql("lock table alembic_version in share mode")
        async with asyncio.timeout(5), archive(database) as kept:
            assert await kept.tasks(TaskFilter("acme"), Page(1)) == ([], 0)


@pytest.mark.parametrize("address", ["mysql://u:hidden@h/n", "nonsense hidden", "", "postgresql://u:hidden@h:port/n"])
async def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ValueError, match=r"not an? ") as refused:
        async with archive(address):
            pass
    assert "hidden" not in str(refused.value)


@on_both
async def test_the_command_says_what_it_did(database: str) -> None:
    async def said() -> str:
        command = (sys.executable, "-m", "theseus", "archive", "upgrade")
        environment = {**os.environ, "DATABASE_URL": database}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=environment)
        told, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
        return told.decode()

    assert f"was brought from nothing to {upgrading.HEAD}" in await said()
    assert f"is at revision {upgrading.HEAD} already" in await said()
