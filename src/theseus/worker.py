"""The worker: settings -> stores, providers -> activities -> Worker.run(). Lists all that runs."""

import asyncio
import logging
import signal
import sys
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from theseus import health, logs, runtime, sandbox
from theseus.activities.archive import ArchiveActivities
from theseus.activities.attachments import AttachmentActivities
from theseus.activities.events import EventActivities
from theseus.activities.inputs import TaskInputs
from theseus.activities.library.activity import LibraryActivities
from theseus.activities.library.rendering import Rendering
from theseus.activities.library.shelf import library_folders
from theseus.activities.library.skills import Skills
from theseus.activities.library.templates import Templates
from theseus.activities.llm.activity import LLMActivities
from theseus.activities.llm.catalogue import Catalogue, CatalogueError, UnusableError
from theseus.activities.llm.embedding import CatalogueEmbedder
from theseus.activities.llm.providers import Providers
from theseus.activities.llm.quota import Quota
from theseus.activities.memory import MemoryActivities
from theseus.activities.sessions import SessionActivities
from theseus.activities.tasks import TaskActivities, WorkerSetting
from theseus.activities.tools.activity import ToolActivities
from theseus.activities.tools.allowance import Allowance
from theseus.activities.tools.declarations import ToolFileError
from theseus.activities.tools.egress import Resolve
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.registry import Registry, Tool
from theseus.activities.tools.sources import Sources
from theseus.browsing import called_alone, tools_of_browser
from theseus.config import Settings, SettingsError, environment, load
from theseus.offering import offering
from theseus.roles.presets import PRESETS, role_named
from theseus.stores.archive.port import Archive, UnfitArchiveError
from theseus.stores.ports import Stores
from theseus.stores.redis import (
    RedisArtifacts,
    RedisBrowsers,
    RedisEvents,
    RedisEvidence,
    RedisMemory,
    RedisOffers,
    RedisRates,
    RedisSessions,
    RedisTranscripts,
    connect_redis,
)
from theseus.toolbox import own_tools, vendors_tools
from theseus.tracing import Tracing
from theseus.workflows.registry import WORKFLOWS

_log = logging.getLogger("theseus.worker")

POLLERS = PollerBehaviorAutoscaling()
EXIT_PAUSE = 0.2
"""Seconds between the worker's end and the process's: the SDK may crash the interpreter at exit without them."""


@asynccontextmanager
async def redis_stores(settings: Settings) -> AsyncGenerator[Stores]:
    """The stores on the Redis of the settings; nothing is asked of it before it is needed. And the archive, where asked for."""
    client = connect_redis(settings.redis_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(client.aclose)
        yield Stores(
            sessions=RedisSessions(client, ttl=settings.session_ttl, cap=settings.session_messages),
            transcripts=RedisTranscripts(client, ttl=settings.transcript_ttl),
            artifacts=RedisArtifacts(client, ttl=settings.session_ttl),
            events=RedisEvents(client, ttl=settings.event_ttl, cap=settings.event_cap),
            rates=RedisRates(client),
            evidence=RedisEvidence(client, ttl=settings.evidence_ttl),
            browsers=RedisBrowsers(client, ttl=settings.transcript_ttl),
            memory=RedisMemory(client, ttl=settings.memory_ttl),
            offers=RedisOffers(client),
            archive=await _archive(settings, stack),
        )


async def _archive(settings: Settings, stack: AsyncExitStack) -> Archive | None:
    if not settings.archives:
        return None
    try:
        from theseus.stores.archive.opening import archive
    except ModuleNotFoundError as error:
        raise SettingsError(f"the archive needs {error.name}: pip install 'theseus-worker[archive]'") from error
    try:
        return await stack.enter_async_context(archive(settings.archive_url))
    except UnfitArchiveError as error:
        raise SettingsError(f"DATABASE_URL: {error}") from error


class Attributes:
    """Whether the namespace has all our search attributes; asked again now and then until it does."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.registered = False

    async def watch(self) -> None:
        """Registers them, where it may; returns when they are there."""
        while True:
            missing = await runtime.ensure_search_attributes(self._client)
            if not missing:
                self.registered = True
                return
            _log.warning("search attributes are missing (%s): run `theseus doctor --fix`", ", ".join(missing))
            await asyncio.sleep(60)


def activities(
    stores: Stores,
    catalogue: Catalogue,
    providers: Providers,
    registry: Registry,
    ready: tuple[TaskActivities, LibraryActivities],
    inputs: TaskInputs,
) -> Sequence[Callable[..., Any]]:
    """Every activity that a worker runs, but those of `of_memory`; `ready` are those that are made already."""
    task, library = ready
    llm = LLMActivities(
        catalogue=catalogue,
        providers=providers,
        quota=Quota(catalogue, stores.rates),
        transcripts=stores.transcripts,
        sessions=stores.sessions,
        artifacts=stores.artifacts,
        events=stores.events,
        tool_specs=registry.specs,
        roles=role_named,
    )
    session = SessionActivities(stores.sessions)
    attachment = AttachmentActivities(inputs, stores.artifacts, Extraction())
    archive = ArchiveActivities(stores.archive, stores.events)
    tool = ToolActivities(registry, stores.artifacts, inputs.context, stores.events)
    event = EventActivities(stores.events)
    return [
        task.facts,
        task.cancel,
        llm.complete,
        llm.restore,
        attachment.store,
        session.load,
        session.append,
        session.save_summary,
        tool.run,
        event.publish,
        archive.keep,
        library.load,
        library.load_skill,
        library.render,
    ]


def _of_tasks(
    client: Client, catalogue: Catalogue, registry: Registry, attributes: Attributes, settings: Settings, stores: Stores
) -> TaskActivities:
    return TaskActivities(
        client,
        catalogue,
        registry.facts,
        lambda: attributes.registered,
        WorkerSetting(settings.approvals, archives=stores.archive is not None, memory=settings.memory),
    )


def of_memory(
    settings: Settings, stores: Stores, catalogue: Catalogue, providers: Providers
) -> Sequence[Callable[..., Any]]:
    """The activities on users' memories, with the embedding model of the settings.

    Raises:
        SettingsError: it cannot be used.
    """
    embedder = None
    if settings.embedding_model is not None:
        try:
            entry = catalogue.embedding(settings.embedding_model)
        except UnusableError as error:
            raise SettingsError(f"THESEUS_EMBEDDING_MODEL={settings.embedding_model}: {error}") from error
        embedder = CatalogueEmbedder(catalogue, providers, entry)
    memory = MemoryActivities(stores.memory, settings.memory_facts, embedder)
    return [memory.recall, memory.keep]


def _library(settings: Settings, registry: Registry, rendering: Rendering) -> LibraryActivities:
    templates = Templates(library_folders(settings.templates, "templates"))
    skills = Skills(library_folders(settings.skills, "skills"))
    library = LibraryActivities(
        templates, skills, rendering, registry.facts, PRESETS, falls_back=settings.template_fallback
    )
    library.look()
    return library


def _polling(client: Client, settings: Settings, all_activities: Sequence[Callable[..., Any]]) -> Worker:
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=all_activities,
        interceptors=[Tracing()],
        workflow_runner=sandbox.runner(),
        workflow_task_poller_behavior=POLLERS,
        activity_task_poller_behavior=POLLERS,
        max_concurrent_activities=settings.max_activities,
        max_concurrent_workflow_tasks=settings.max_workflow_tasks,
        max_cached_workflows=settings.max_cached_workflows,
        max_heartbeat_throttle_interval=runtime.HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=runtime.HEARTBEAT_THROTTLE,
        sticky_queue_schedule_to_start_timeout=runtime.STICKY_TIMEOUT,
        graceful_shutdown_timeout=settings.shutdown_grace,
    )


@asynccontextmanager
async def working(
    client: Client,
    settings: Settings,
    stores: Stores,
    environ: Mapping[str, str],
    tools: Sequence[Tool] = (),
    resolve: Resolve | None = None,
) -> AsyncGenerator[Worker]:
    """A worker that polls while the context is open, and finishes what it can when it closes.

    Args:
        client: the Temporal that it works for.
        settings: how it works.
        stores: what its activities keep things in.
        environ: where keys and base URLs of providers are found, by the names that the catalogue gives.
        tools: tools of your own, beside the built-in ones.
        resolve: how names of websites become addresses, for a web of one's own; the system's way if absent.

    Raises:
        CatalogueError: the models file is wrong.
        ToolFileError: a file of tools is wrong.
        SettingsError: a search provider, an adapter, a browser, bash or an embedding model is asked for that this worker
            cannot have.
    """
    catalogue = Catalogue.load(settings.models_file, environ)
    own = await own_tools(settings, stores, resolve)
    sources = Sources.load(settings.mcp_file, settings.openapi_file, environ, settings.fetch_allow)
    queue_of_its_own = f"{settings.task_queue}-{uuid.uuid4()}"
    async with AsyncExitStack() as stack:
        surfing = await stack.enter_async_context(
            tools_of_browser(settings, stores.browsers, queue_of_its_own, resolve)
        )
        vendors = await vendors_tools(settings, environ, [*own, *surfing, *tools], stack)
        registry = Registry([*own, *surfing, *tools, *vendors], sources.names, Allowance.load(settings.tenant_tools))
        await stack.enter_async_context(sources.serving(registry.put))
        providers = Providers(catalogue)
        stack.push_async_callback(providers.aclose)
        await providers.warm()
        attributes = Attributes(client)
        attributes.registered = not await runtime.ensure_search_attributes(client)
        watch = None if attributes.registered else asyncio.create_task(attributes.watch())
        task = _of_tasks(client, catalogue, registry, attributes, settings, stores)
        rendering = await stack.enter_async_context(Rendering())
        library = _library(settings, registry, rendering)
        works = [
            *activities(stores, catalogue, providers, registry, (task, library), TaskInputs(client)),
            *of_memory(settings, stores, catalogue, providers),
        ]
        worker = _polling(client, settings, works)
        told = offering(stores.offers, settings.task_queue, registry)
        async with called_alone(client, settings, queue_of_its_own, works if surfing else ()), worker, told:
            yield worker
        if watch is not None:
            watch.cancel()


async def serve(settings: Settings, *, stop: asyncio.Event) -> None:
    """Runs a worker until `stop` is set.

    Raises:
        ConnectionError: no Temporal answers, or it does not have the namespace.
        CatalogueError: the models file is wrong.
        ToolFileError: a file of tools is wrong.
        SettingsError: an address cannot be listened on, or a tool is asked for that this worker cannot have.
    """
    client = await runtime.connect(runtime.telemetry(settings), wait=timedelta(seconds=30))
    await runtime.require_namespace(client)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(redis_stores(settings))
        worker = await stack.enter_async_context(working(client, settings, stores, environment()))
        if settings.health_address is not None:
            check = _checker(client, worker, stop)
            try:
                await stack.enter_async_context(health.endpoint(settings.health_address, check))
            except OSError as error:
                raise SettingsError(f"THESEUS_HEALTH_ADDRESS={settings.health_address}: {error.strerror}") from error
        _log.info("worker polls task queue %s at %s", settings.task_queue, client.service_client.config.target_host)
        await stop.wait()
        _log.info("worker stops: what runs has %g s to finish", settings.shutdown_grace.total_seconds())
    await asyncio.sleep(EXIT_PAUSE)


def _checker(client: Client, worker: Worker, stop: asyncio.Event) -> health.Check:
    async def check() -> str | None:
        if stop.is_set() or not worker.is_running:
            return "the worker is stopping"
        try:
            healthy = await client.service_client.check_health(timeout=timedelta(seconds=3))
        except RPCError as error:
            return f"Temporal does not answer: {error.message}"
        return None if healthy else "Temporal is not serving"

    return check


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await serve(settings, stop=stop)


def main() -> int:
    """Runs a worker by the environment alone until SIGTERM or Ctrl-C; gives the exit code."""
    try:
        settings = load()
        logs.set_up(settings)
        asyncio.run(_run(settings))
    except (OSError, CatalogueError, SettingsError, ToolFileError) as error:
        sys.stderr.write(f"theseus worker: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
