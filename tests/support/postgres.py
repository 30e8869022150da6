"""A PostgreSQL of Debian's packages, in a folder of its own and on a socket there, while the context is open."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def binaries() -> Path | None:
    """Where its programs are; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@dataclass(frozen=True)
class Postgres:
    """One that runs; `folder` holds its data and its socket."""

    programs: Path
    folder: Path

    def database(self) -> str:
        """Makes an empty database; gives its address."""
        name = f"t{uuid.uuid4().hex}"
        self.run("createdb", "--host", self.folder, "--username", "theseus", name)
        return f"postgresql://theseus@/{name}?host={self.folder}"

    def run(self, program: str, *arguments: str | Path) -> None:
        """Runs one of its programs, as a user that is not root: it does not start as root."""
        user = "postgres" if os.geteuid() == 0 else None
        asked = [self.programs / program, *arguments]
        subprocess.run(asked, user=user, check=True, capture_output=True, cwd=self.folder)


@contextmanager
def postgres() -> Generator[Postgres]:
    """Starts one."""
    programs = binaries()
    assert programs is not None, "PostgreSQL is not installed: apt-get install postgresql"
    made = Postgres(programs, Path(tempfile.mkdtemp(prefix="pg-")))
    if os.geteuid() == 0:
        shutil.chown(made.folder, "postgres")
    data = ("--pgdata", made.folder / "data")
    made.run("initdb", *data, "--username", "theseus", "--auth", "trust", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={made.folder} -c fsync=off"
    made.run("pg_ctl", *data, "--wait", "--silent", "--log", made.folder / "log", "--options", options, "start")
    try:
        yield made
    finally:
        made.run("pg_ctl", *data, "--wait", "--silent", "--mode", "immediate", "stop")
        shutil.rmtree(made.folder)
