"""`theseus dev`: starts the servers and workers, watches over them, ends them all."""

import asyncio
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from temporalio.client import Client

from theseus.activities.llm.catalogue import NO_KEY, Catalogue
from theseus.embedded import front, local_model, temporal, valkey
from theseus.embedded.crew import Crew
from theseus.embedded.processes import LOOPBACK, Check, Child, StartError, choose_port, until_ready, until_stopped

Choice = Literal["auto", "local", "scripted", "none"]
START_SECONDS = 60
STOP_SECONDS = 10
NO_GATEWAY = "none (pip install 'theseus-worker[gateway]')"
SHUTDOWN_GRACE_SECONDS = 3
"""How long a worker of `theseus dev` may finish what it does; what it does not finish is done again after the next start."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class DevOptions:
    """What `theseus dev` was asked for. A port of 0 takes a free one; 0 workers start the servers alone.

    Without a `gateway_port`, or without its libraries, there is no gateway. Without a `database_url` the archive is in
    the data directory.
    """

    data_dir: Path
    temporal_port: int = 7233
    ui_port: int = 8233
    redis_port: int = 6379
    gateway_port: int | None = 8080
    llm: Choice = "auto"
    script: Path | None = None
    workers: int = 1
    task_queue: str = "theseus"
    models_file: Path | None = None
    ready_file: Path | None = None
    database_url: str | None = None


@dataclass(frozen=True)
class Model:
    """The model in use, in words; how it is started, if it is; the environment in which workers find it."""

    words: str
    base_url: str | None = None
    command: list[str] = field(default_factory=list[str])
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Places:
    """Where everything listens, all on the loopback."""

    temporal_port: int
    ui_port: int
    redis_port: int
    gateway_port: int | None
    model: Model

    @property
    def temporal_address(self) -> str:
        """host:port of Temporal."""
        return f"{LOOPBACK}:{self.temporal_port}"

    @property
    def ui_url(self) -> str:
        """Temporal's web UI."""
        return f"http://{LOOPBACK}:{self.ui_port}"

    @property
    def gateway_url(self) -> str | None:
        """REST, and the page to watch tasks."""
        return f"http://{LOOPBACK}:{self.gateway_port}" if self.gateway_port is not None else None

    @property
    def redis_url(self) -> str:
        """What REDIS_URL is set to."""
        return valkey.url(self.redis_port)


class Dev:
    """One run of `theseus dev`.

    Args:
        options: what was asked for.
        env: the environment that children inherit, as far as it does not lead them elsewhere.
        say: shows a line to the person at the terminal.
    """

    def __init__(self, options: DevOptions, env: Mapping[str, str], say: Say) -> None:
        self._options = options
        self._env = env
        self._say = say
        self._servers: list[Child] = []
        self._crew: Crew | None = None
        self._logs = options.data_dir / "logs"

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set; then, or on any error, ends all it started.

        Raises:
            StartError: something could not start, or a server ended.
        """
        options = self._options
        for folder in (options.data_dir, self._logs, options.data_dir / "valkey"):
            folder.mkdir(parents=True, exist_ok=True)
        with _locked(options.data_dir):
            self._forget_ready_file()
            if self._env.get("DATABASE_URL") and options.database_url is None:
                self._say(
                    f"DATABASE_URL is not used: the archive is in {options.data_dir}, unless --database-url is given"
                )
            try:
                await until_stopped(self._live(), stop)
            finally:
                await self._end()

    async def _live(self) -> None:
        options = self._options
        model = self._choose_model()
        places = Places(
            temporal_port=choose_port(options.temporal_port, "Temporal", "--temporal-port"),
            ui_port=choose_port(options.ui_port, "the Temporal UI", "--ui-port"),
            redis_port=choose_port(options.redis_port, "Redis", "--redis-port"),
            gateway_port=self._gateway_port(),
            model=model,
        )
        crew = self._crew = Crew(options.workers, self._worker_env(places), self._say, lambda: self._tell_ready(places))
        await self._start("temporal", temporal.command(options.data_dir, places.temporal_port, places.ui_port))
        await self._start("valkey", valkey.command(options.data_dir, places.redis_port))
        if model.command:
            await self._start("model", model.command)
        if places.gateway_port is not None:
            env = front.environment(self._worker_env(places), places.ui_url)
            await self._start("gateway", front.command(places.gateway_port), env)
        # workers and the gateway wait for Temporal by themselves: all start side by side
        watch, work = asyncio.create_task(self._watch()), asyncio.create_task(crew.work())
        ready = asyncio.create_task(self._until_ready(places, crew))
        try:
            while not ready.done():
                await asyncio.wait([watch, work, ready], return_when=asyncio.FIRST_COMPLETED)
                _raise_first(watch, work, ready)
            self._tell_ready(places)
            self._say(_banner(options, places))
            await asyncio.wait([watch, work], return_when=asyncio.FIRST_COMPLETED)
            _raise_first(watch, work)
        finally:
            for task in (watch, work, ready):
                task.cancel()
            await asyncio.gather(watch, work, ready, return_exceptions=True)

    async def _until_ready(self, places: Places, crew: Crew) -> None:
        clients: list[Client] = []

        async def connected() -> bool:
            client = await temporal.connect(places.temporal_port)
            clients.extend([client] if client else [])
            return bool(clients)

        checks: dict[str, Check] = {
            "temporal": connected,
            "valkey": lambda: valkey.answers(places.redis_url),
            "gateway": lambda: front.answers(places.gateway_url or ""),
            "model": lambda: local_model.answers(places.model.base_url or ""),
        }
        for child in self._servers:
            await until_ready(child, START_SECONDS, checks[child.name])
        await crew.until_polling(clients[0], self._options.task_queue, START_SECONDS)

    def _gateway_port(self) -> int | None:
        wanted = self._options.gateway_port
        if wanted is None or not front.is_installed():
            return None
        return choose_port(wanted, "the gateway", "--gateway-port")

    def _choose_model(self) -> Model:
        options = self._options
        catalogue = Catalogue.load(options.models_file, self._env)
        usable = catalogue.usable_providers
        if options.llm == "none" or (options.llm == "auto" and usable):
            return Model(", ".join(usable) or "none (no provider's key is set)", env=dict(self._env))
        port = choose_port(0, "the model", "--llm")
        base_url = f"http://{LOOPBACK}:{port}/v1"
        if options.llm == "scripted":
            named = ["--script", str(options.script)] if options.script else []
            command = [sys.executable, "-m", "theseus.cli", "fake-model", "--port", str(port), *named]
            words = f"scripted ({options.script or 'default answers'})"
            found_by = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": NO_KEY}
        else:
            file, shipped = local_model.weights(self._env)
            command = local_model.command(file, shipped, port)
            words, found_by = f"local ({file.name})", {"THESEUS_LOCAL_BASE_URL": base_url}
        # what else is configured would win over the model that was asked for
        others = _variables(catalogue)
        env = {name: value for name, value in self._env.items() if name not in others} | found_by
        return Model(words, base_url, command, env)

    def _worker_env(self, places: Places) -> dict[str, str]:
        # the environment of the shell may lead to another Temporal, or to the database of some other program
        own = {name: value for name, value in places.model.env.items() if not _leads_elsewhere(name)}
        if self._options.database_url is not None:
            own["DATABASE_URL"] = self._options.database_url
        no_profile = self._options.data_dir / "temporal.toml"
        no_profile.touch()
        # the gateway tells of tasks that Temporal has forgotten
        archive = {"THESEUS_ARCHIVE": "1"} if places.gateway_port is not None else {}
        return {"THESEUS_SHUTDOWN_GRACE": f"PT{SHUTDOWN_GRACE_SECONDS}S", **archive, **own} | {
            "TEMPORAL_CONFIG_FILE": str(no_profile),
            "TEMPORAL_ADDRESS": places.temporal_address,
            "TEMPORAL_NAMESPACE": temporal.NAMESPACE,
            "REDIS_URL": places.redis_url,
            "THESEUS_TASK_QUEUE": self._options.task_queue,
            "THESEUS_DATA_DIR": str(self._options.data_dir),
        }

    async def _start(self, name: str, command: list[str], env: Mapping[str, str] | None = None) -> Child:
        child = await Child.start(name, command, env or self._env, self._logs / f"{name}.log")
        self._servers.append(child)
        return child

    async def _watch(self) -> None:
        ends = {asyncio.ensure_future(child.ended()): child for child in self._servers}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        child = ends[done.pop()]
        said = child.last_words()
        raise StartError(
            f"{child.name} ended (exit {child.exit_code}){': ' + said if said else ''}; its log is {child.log}"
        )

    def _tell_ready(self, places: Places) -> None:
        file = self._options.ready_file
        if file is None:
            return
        pids: dict[str, int | list[int]] = {child.name: child.pid for child in self._servers}
        pids["workers"] = self._crew.pids if self._crew else []
        ready = {
            "temporal_address": places.temporal_address,
            "ui_url": places.ui_url,
            "redis_url": places.redis_url,
            "gateway_url": places.gateway_url,
            "model_base_url": places.model.base_url,
            "pids": pids,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.part")
        part.write_text(json.dumps(ready, indent=2) + "\n")
        part.replace(file)

    def _forget_ready_file(self) -> None:
        """One that an earlier run left would send who waits for it to servers that are gone."""
        file = self._options.ready_file
        if file is not None and file.is_dir():
            raise StartError(f"--ready-file {file}: is a directory; name a file")
        if file is not None:
            file.unlink(missing_ok=True)

    async def _end(self) -> None:
        if self._options.ready_file is not None:
            self._options.ready_file.unlink(missing_ok=True)
        if self._crew is not None:
            await self._crew.stop(SHUTDOWN_GRACE_SECONDS + STOP_SECONDS)
        await asyncio.gather(*(child.stop(STOP_SECONDS) for child in self._servers))


def _leads_elsewhere(variable: str) -> bool:
    return variable.startswith("TEMPORAL_") or variable.upper() == "DATABASE_URL"


def _variables(catalogue: Catalogue) -> set[str | None]:
    """The variables that make providers usable now."""
    used = [catalogue.provider(name) for name in catalogue.usable_providers]
    return {variable for entry in used for variable in (entry.key_variable, entry.base_url_variable)}


@contextmanager
def _locked(folder: Path) -> Generator[None, None, None]:
    with (folder / "dev.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise StartError(
                f"{folder} is in use by another `theseus dev` (process {owner}): end that one, or choose another --data-dir"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _raise_first(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        if task.done():
            task.result()


def _banner(options: DevOptions, places: Places) -> str:
    workers = f"{options.workers} on task queue {options.task_queue}" if options.workers else "none (--workers 0)"
    return "\n".join(
        (
            "",
            "  Theseus is ready.",
            "",
            f"  Gateway      {places.gateway_url or NO_GATEWAY}",
            f"  Temporal UI  {places.ui_url}",
            f"  Temporal     {places.temporal_address}",
            f"  Redis        {places.redis_url}",
            f"  Model        {places.model.words}",
            f"  Workers      {workers}",
            f"  Data         {options.data_dir}  (logs in {options.data_dir / 'logs'})",
            "",
            *_how_to_run(places),
            "  Ctrl-C ends it.",
            "",
        )
    )


def _how_to_run(places: Places) -> list[str]:
    usual = (f"{LOOPBACK}:7233", "redis://127.0.0.1:6379/0")
    where = (
        ""
        if (places.temporal_address, places.redis_url) == usual
        else (f"TEMPORAL_ADDRESS={places.temporal_address} REDIS_URL={places.redis_url} ")
    )
    return [
        "  Try, in another terminal:",
        f'    {where}theseus run "What is the capital of France?"',
        *_how_to_ask(places),
        "",
    ]


def _how_to_ask(places: Places) -> list[str]:
    if places.gateway_url is None:
        return []
    return [f'    curl {places.gateway_url}/api/v1/tasks -d \'{{"query": "What is the capital of France?"}}\'']


def run_dev(options: DevOptions, env: Mapping[str, str], say: Say) -> None:
    """Runs `theseus dev` in the foreground until Ctrl-C, SIGTERM or SIGHUP.

    Raises:
        StartError: something could not start, or a server ended.
    """

    async def live() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await Dev(options, env, say).run(stop)

    asyncio.run(live())
