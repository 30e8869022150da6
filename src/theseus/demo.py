"""`make demo`: starts everything, runs a few tasks one after another, shows where to look, stays up until Ctrl-C."""

import argparse
import asyncio
import json
import os
import shlex
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, JsonValue
from temporalio.client import Client

from theseus.client import Handle, start
from theseus.commands.following import follow
from theseus.commands.showing import spent
from theseus.commands.terminal import CANNOT_START, out
from theseus.config import Settings, environment, load
from theseus.contracts.control import (
    QUERY_CONTROL_STATE,
    SIGNAL_CANCEL,
    SIGNAL_PAUSE,
    SIGNAL_RESUME,
    ControlReason,
    ControlState,
)
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.embedded import temporal
from theseus.embedded.processes import Child, StartError, choose_port, until_ready, until_stopped

READY_SECONDS = 90
STOP_SECONDS = 30
PAUSED_SECONDS = 2
BEFORE_CANCEL_SECONDS = 2
CHAT = '{"role": "chat"}'
"""The role without tools: its prompt is short, so that also a small model on a small machine answers at once."""
PORTS = (("temporal", 7233), ("ui", 8233), ("redis", 6379), ("gateway", 8080))


class Ready(BaseModel):
    """What `theseus dev` says in its ready file."""

    temporal_address: str
    ui_url: str
    redis_url: str
    gateway_url: str | None = None
    model_base_url: str | None = None


@dataclass
class Stage:
    """What the demo plays on."""

    ready: Ready
    client: Client
    settings: Settings
    env: dict[str, str]
    unexpected: int = 0

    async def run(self, title: str, query: str, *options: str) -> None:
        """Runs a task through the CLI, its progress shown as it comes."""
        out(f"\n== {title}\n$ theseus run {shlex.join([query, *options])}")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "theseus.cli", "run", query, *options, "--json"),
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        if not said:
            self.unexpected += 1
            out("   no result: see the line above")
            return
        self.show(TaskResult.model_validate_json(said), TaskStatus.COMPLETED)

    async def begin(self, title: str, query: str) -> Handle:
        """Starts a task and does not wait for it."""
        task_id = f"task-{uuid.uuid4()}"
        task: dict[str, JsonValue] = {"query": query, "mode": "simple", "context": json.loads(CHAT)}
        out(
            f"\n== {title}\n$ theseus run --no-wait --mode simple --task-id {task_id} --context '{CHAT}' {shlex.quote(query)}"
        )
        return (await start(self.client, self.settings.task_queue, task_id, task)).handle

    async def send(self, handle: Handle, name: str) -> None:
        """Sends a control signal."""
        out(f"$ theseus {name} {handle.id}")
        await handle.signal(name, ControlReason(reason="shown in the demo", requested_by="demo"))

    def show(self, result: TaskResult, expected: TaskStatus) -> None:
        """A result for a newcomer: what came out, what it cost, where to look."""
        self.unexpected += result.status is not expected
        if result.result:
            out("   answer  " + "\n           ".join(result.result.strip().splitlines()))
        why = f": {result.error.message}" if result.error else ""
        out(f"   status  {result.status}{why}")
        out(f"   spent   {spent(result.usage)}")
        out(f"   look    {self.ready.ui_url}/namespaces/{temporal.NAMESPACE}/workflows/{result.task_id}")


async def play(stage: Stage) -> None:
    """All tasks of the demo, one after another."""
    session = f"demo-{uuid.uuid4().hex[:8]}"
    chat = ("--mode", "simple", "--session", session, "--context", CHAT)
    await stage.run("A question", "What is the capital of France?", *chat)
    await stage.run("The same session goes on", "And of Italy?", *chat)
    await stage.run("A task that needs a tool", "Use the calculator: what is 17*23?", "--mode", "simple")
    await _paused(stage)
    await _cancelled(stage)


async def _paused(stage: Stage) -> None:
    handle = await stage.begin("A task, paused and resumed", "What is the capital of Spain?")
    await stage.send(handle, SIGNAL_PAUSE)
    await asyncio.sleep(PAUSED_SECONDS)
    state = await handle.query(QUERY_CONTROL_STATE, result_type=ControlState)
    out(f"   {'held before: ' + state.checkpoint if state.is_paused else 'it had ended before the pause came'}")
    await stage.send(handle, SIGNAL_RESUME)
    stage.show(await follow(stage.settings, handle, lambda _: None), TaskStatus.COMPLETED)


async def _cancelled(stage: Stage) -> None:
    handle = await stage.begin("A task, cancelled while the model writes", "Write a very long story about a ship.")
    await asyncio.sleep(BEFORE_CANCEL_SECONDS)
    asked = time.monotonic()
    await stage.send(handle, SIGNAL_CANCEL)
    result = await follow(stage.settings, handle, lambda _: None)
    out(f"   closed {time.monotonic() - asked:.1f} s later")
    stage.show(result, TaskStatus.CANCELLED)


async def demo(data_dir: Path, llm: str, stop: asyncio.Event) -> int:
    """Starts the servers, plays, waits; 0 when every task ended as it should.

    Raises:
        StartError: the servers do not start.
    """
    env = dict(environment())
    leave = env.get("DEMO_EXIT", "") not in ("", "0")
    ready_file = data_dir / "ready.json"
    (data_dir / "logs").mkdir(parents=True, exist_ok=True)
    ready_file.unlink(missing_ok=True)
    log = data_dir / "logs" / "dev.log"
    log.unlink(missing_ok=True)
    out(f"Starting Temporal, Redis, a model and a worker; all they keep is in {data_dir}")
    began = time.monotonic()
    child = await Child.start("theseus dev", _dev(data_dir, llm, ready_file), env, log)
    try:
        await until_stopped(until_ready(child, READY_SECONDS, lambda: _exists(ready_file)), stop)
        if stop.is_set():
            return 0
        stage = await _stage(Ready.model_validate_json(ready_file.read_text()), data_dir, env)
        out(f"Ready after {time.monotonic() - began:.1f} s. Temporal UI: {stage.ready.ui_url}")
        await until_stopped(play(stage), stop)
        if not leave and not stop.is_set():
            out(_invitation(stage.ready))
            await until_stopped(_until_end(child), stop)
        return 1 if stage.unexpected else 0
    finally:
        out("\nStopping.")
        await child.stop(STOP_SECONDS)


def _dev(data_dir: Path, llm: str, ready_file: Path) -> list[str]:
    command = [sys.executable, "-m", "theseus.cli", "dev", "--data-dir", str(data_dir), "--llm", llm]
    for name, usual in PORTS:
        try:
            port = choose_port(usual, name, f"--{name}-port")
        except StartError:
            out(f"port {usual} ({name}) is taken: a free one is used")
            port = 0
        command += [f"--{name}-port", str(port)]
    return [*command, "--ready-file", str(ready_file)]


async def _stage(ready: Ready, data_dir: Path, env: dict[str, str]) -> Stage:
    client = await temporal.connect(int(ready.temporal_address.rpartition(":")[2]))
    if client is None:
        raise StartError(f"Temporal does not answer at {ready.temporal_address}")
    own = {name: value for name, value in env.items() if not name.startswith("TEMPORAL_")}
    own |= {
        "TEMPORAL_CONFIG_FILE": str(data_dir / "temporal.toml"),
        "TEMPORAL_ADDRESS": ready.temporal_address,
        "REDIS_URL": ready.redis_url,
    }
    return Stage(ready=ready, client=client, settings=Settings(redis_url=ready.redis_url), env=own)


def _invitation(ready: Ready) -> str:
    where = f"TEMPORAL_ADDRESS={ready.temporal_address} REDIS_URL={ready.redis_url}"
    return "\n".join(
        (
            "\n== Look around",
            *([f"   start and watch tasks:     {ready.gateway_url}"] if ready.gateway_url else []),
            f"   every task, step by step:  {ready.ui_url}",
            f'   a task of your own:        {where} .venv/bin/theseus run "..."',
            "   Ctrl-C ends it; what was kept is there again next time.",
        )
    )


async def _exists(file: Path) -> bool:
    return await asyncio.to_thread(file.exists)


async def _until_end(child: Child) -> None:
    code = await child.ended()
    raise StartError(f"theseus dev ended (exit {code}): {child.last_words()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="theseus demo", description="Shows what Theseus does. DEMO_EXIT=1 ends it after."
    )
    parser.add_argument("--data-dir", type=Path, default=None, help="where state is kept; default .theseus")
    parser.add_argument("--llm", default="auto", choices=("auto", "local", "scripted"), help="see theseus dev --help")
    asked = parser.parse_args(arguments)

    async def live() -> int:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        return await demo((asked.data_dir or load().data_dir).resolve(), asked.llm, stop)

    try:
        return asyncio.run(live())
    except StartError as error:
        sys.stderr.write(f"theseus demo: {error}\n")
        return CANNOT_START


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # the threads of Temporal's SDK may crash an interpreter that shuts down in the usual way
    os._exit(code)
