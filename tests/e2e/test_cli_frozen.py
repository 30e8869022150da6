"""No command waits in silence for a Temporal that is there and does not answer: it says so in time, and what to do."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.service import RPCError

from tests.e2e.dev_process import clean_env, dev
from theseus import runtime
from theseus.client import Handle
from theseus.commands.deciding import update
from theseus.commands.patience import PATIENCE, Patient
from theseus.commands.terminal import CANNOT_START, CommandError, explained
from theseus.contracts.control import UPDATE_SEND_MESSAGE, MessageToTask

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

COMMANDS = {
    "run": ("run", "x"),
    "status": ("status", "x"),
    "watch": ("watch", "x"),
    "pause": ("pause", "x"),
    "say": ("say", "x", "hello"),
    "approve": ("approve", "x"),
    "review": ("review", "x"),
    "replay": ("replay", "x"),
    "doctor": ("doctor",),
}
SLACK = timedelta(seconds=15)
"""For the start of nine interpreters at once."""


def test_every_command_says_in_time_that_temporal_does_not_answer() -> None:
    # it takes connections, as a process that is stopped does, and says nothing
    with socket.create_server(("127.0.0.1", 0), backlog=100) as frozen:
        address = f"127.0.0.1:{frozen.getsockname()[1]}"
        env = clean_env() | {"TEMPORAL_ADDRESS": address, "REDIS_URL": "redis://127.0.0.1:1/0"}
        until = time.monotonic() + (PATIENCE + SLACK).total_seconds()
        began = {
            name: subprocess.Popen(
                [sys.executable, "-m", "theseus.cli", *command],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name, command in COMMANDS.items()
        }
        try:
            said = {name: each.communicate(timeout=until - time.monotonic()) for name, each in began.items()}
        finally:
            for each in began.values():
                each.kill()
                each.wait()
    for name, (shown, told) in said.items():
        words = shown if name == "doctor" else told
        assert address in words and "does not answer" in words and "start it again" in words, name
        assert began[name].returncode == (1 if name == "doctor" else 2), name
        assert name == "doctor" or len(told.splitlines()) == 1, told


async def test_a_call_to_a_temporal_that_stops_meanwhile_ends_too(tmp_path: Path) -> None:
    with dev(tmp_path, "--llm", "none", workers=0) as it:
        client = await runtime.connect(address=it.ready["temporal_address"], interceptors=[Patient()])
        handle: Handle = client.get_workflow_handle("x")
        with stopped(it.ready["pids"]["temporal"]):
            began = time.monotonic()
            with pytest.raises(RPCError) as late:
                await handle.describe()
            said = explained(late.value)
            assert "does not answer" in str(said) and said.exit_code == CANNOT_START
            with pytest.raises(CommandError, match=r"may have been taken.*theseus status x"):
                await update(handle, UPDATE_SEND_MESSAGE, MessageToTask(message_id="m", text="hello"))
            assert time.monotonic() - began < 40


@contextmanager
def stopped(pid: int) -> Generator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        while "(stopped)" not in Path(f"/proc/{pid}/status").read_text():
            time.sleep(0.01)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
