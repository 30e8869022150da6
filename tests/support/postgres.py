"""A PostgreSQL of Debian's package: a cluster of its own in a folder of its own, on a socket; each test gets a database.

It refuses to run as root, so there it runs as the user whom its package brings.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
"""Runs a test, or all of a module, once on each database that an archive may be kept in."""

_PLACES = "/usr/lib/postgresql"
_FAST = {"fsync": "off", "full_page_writes": "off"}


def programs() -> Path | None:
    """The folder of the newest PostgreSQL that is installed."""
    found = shutil.which("initdb")
    if found is not None and (beside := Path(found).resolve().parent / "postgres").exists():
        return beside.parent
    versions = [path.parent.parent for path in Path(_PLACES).glob("*/bin/initdb")]
    return max(versions, key=lambda path: int(path.name)) / "bin" if versions else None


def needed() -> Path:
    """The same; the test is skipped without one, and in continuous integration, which brings it, fails."""
    found = programs()
    if found is None:
        words = "PostgreSQL is not installed: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    return found


@dataclass
class Cluster:
    """A server, which may be stopped and started again."""

    programs: Path
    folder: Path
    user: str | None

    def start(self, **more: str) -> None:
        """Starts it with these settings, and waits until it takes connections."""
        settings = {**_FAST, **more, "listen_addresses": "", "unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self.run("pg_ctl", "start", "--wait", "-D", self.data, "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Breaks off what is under way."""
        self.run("pg_ctl", "stop", "-D", self.data, "--mode", "immediate")

    @property
    def data(self) -> str:
        """The folder of its data."""
        return str(self.folder / "data")

    async def database(self) -> str:
        """The address of a new, empty database."""
        name = f"test_{uuid.uuid4().hex}"
        connect: Any = asyncpg.connect  # pyright: ignore[reportUnknownVariableType] - its arguments have no types
        connection = await connect(host=str(self.folder), user="theseus", database="postgres")
        try:
            await connection.execute(f"create database {name}")
        finally:
            await connection.close()
        return f"postgresql://theseus@/{name}?host={self.folder}"

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of its programs.

        Raises:
            AssertionError: it failed; with what it said.
        """
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log = self.folder / "log"
        said = done.stdout or (log.read_text(encoding="utf-8") if log.exists() else "")
        assert done.returncode == 0, f"{program}: {said[-2000:]}"


@contextmanager
def cluster() -> Generator[Cluster]:
    """A running cluster, thrown away afterwards."""
    found = needed()
    # not pytest's own folder: another user cannot enter it
    folder = Path(tempfile.mkdtemp(prefix="theseus-pg-"))
    made = Cluster(found, folder, _whom())
    try:
        if made.user is not None:
            shutil.chown(folder, made.user, made.user)
        made.run(
            *("initdb", "-D", made.data, "--auth=trust", "--username=theseus", "--encoding=UTF8"),
            *("--locale=C.UTF-8", "--no-sync"),
        )
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


def _whom() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise AssertionError("PostgreSQL does not run as root, and there is no user postgres or nobody")
