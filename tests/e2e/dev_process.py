"""`theseus dev` as users run it: a process of its own on free ports."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

READY_SECONDS = 90


def clean_env() -> dict[str, str]:
    """The environment without anything that leads to a provider, a Temporal or a Redis."""
    led = ("_API_KEY", "_BASE_URL", "REDIS_URL", "DATABASE_URL")
    return {
        k: v
        for k, v in os.environ.items()
        if not k.endswith(led) and not k.startswith(("TEMPORAL_", "THESEUS_", "GATEWAY_"))
    }


def theseus(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs one command of the CLI to its end."""
    return subprocess.run(
        [sys.executable, "-m", "theseus.cli", *arguments],
        env=env or clean_env(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@dataclass
class DevProcess:
    """A running `theseus dev`."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    log: Path

    @property
    def env(self) -> dict[str, str]:
        """An environment in which the CLI speaks to it."""
        return clean_env() | {"TEMPORAL_ADDRESS": self.ready["temporal_address"], "REDIS_URL": self.ready["redis_url"]}

    @property
    def pids(self) -> list[int]:
        """All processes that it started."""
        pids = self.ready["pids"]
        return [*(pid for name, pid in pids.items() if name != "workers"), *pids["workers"]]

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One command of the CLI against it."""
        return theseus(*arguments, env=self.env, stdin=stdin)

    def until_running(self, task: str) -> None:
        """Waits until there is such a task and it answers."""
        asyncio.run(self._until(task, lambda _approvals: True))

    def until_asked(self, task: str) -> None:
        """Waits until a task wants a person's approval."""
        asyncio.run(self._until(task, bool))

    async def _until(self, task: str, check: Callable[[Any], bool]) -> None:
        handle = (await Client.connect(self.ready["temporal_address"])).get_workflow_handle(task)
        for _ in range(200):
            with contextlib.suppress(RPCError):
                if check(await handle.query("pending_approvals")):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{task} did not come so far")

    def end(self, how: signal.Signals) -> int:
        """Ends it and gives its exit code."""
        self.process.send_signal(how)
        return self.process.wait(40)


@contextmanager
def dev(
    folder: Path, *options: str, workers: int = 1, gateway: bool = False, env: Mapping[str, str] | None = None
) -> Generator[DevProcess, None, None]:
    """Runs it, with its state in `folder`/data, while the context is open; with the gateway where that is asked for."""
    ready_file, log = folder / "ready.json", folder / "dev.log"
    ready_file.unlink(missing_ok=True)
    ports = [part for name in ("temporal", "ui", "redis") for part in (f"--{name}-port", "0")]
    ports += ["--gateway-port", "0"] if gateway else ["--no-gateway"]
    command = [sys.executable, "-m", "theseus.cli", "dev", "--data-dir", str(folder / "data"), *ports]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--workers", str(workers), "--ready-file", str(ready_file), *options],
            env=clean_env() | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield DevProcess(process, _ready(process, ready_file, log), log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def _ready(process: subprocess.Popen[bytes], file: Path, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while not file.exists():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)
    return json.loads(file.read_text())


def alive(pids: list[int]) -> list[int]:
    """Those that still run (a zombie does not)."""
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon_gone(pids: list[int], seconds: float = 5) -> bool:
    """Whether all of them end within the time."""
    deadline = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pids)
