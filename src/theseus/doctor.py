"""`theseus doctor`: looks at everything a task needs and says, for what is wrong, what to do."""

import json
from dataclasses import asdict, dataclass

from redis import exceptions
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from theseus import runtime
from theseus.activities.llm.catalogue import Catalogue, CatalogueError
from theseus.commands import terminal
from theseus.commands.terminal import out
from theseus.config import Settings, environment
from theseus.stores.archive.port import ArchiveDownError, UnfitArchiveError
from theseus.stores.redis import connect_redis


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `fix` says what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


async def doctor(settings: Settings, *, fix: bool, as_json: bool) -> int:
    """Looks at everything and prints it; 1 when something is wrong. `fix` registers missing search attributes."""
    temporal = await _temporal(settings, fix=fix)
    has_workers = any(finding.name == "workers" and finding.ok for finding in temporal)
    kept = [await _redis(settings), await _archive(settings)]
    findings = [*temporal, *kept, _models(settings, has_workers=has_workers)]
    if as_json:
        out(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            out(f"{'ok ' if finding.ok else 'BAD'}  {finding.name:<18} {finding.detail}")
            if not finding.ok:
                out(f"     {'':<18} -> {finding.fix}")
    return 0 if all(finding.ok for finding in findings) else 1


async def _temporal(settings: Settings, *, fix: bool) -> list[Finding]:
    try:
        client = await terminal.client()
    except ConnectionError as error:
        return [Finding("Temporal", False, str(error), "start `theseus dev`, or set TEMPORAL_ADDRESS")]
    where = client.service_client.config.target_host
    reached = Finding("Temporal", True, f"answers at {where}")
    return [
        reached,
        await _namespace(client),
        await _attributes(client, fix=fix),
        await _workers(client, settings.task_queue),
    ]


async def _namespace(client: Client) -> Finding:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        how = f"temporal operator namespace create -n {client.namespace}, or set TEMPORAL_NAMESPACE"
        return Finding("namespace", False, f"{client.namespace}: {error.message}", how)
    return Finding("namespace", True, client.namespace)


async def _attributes(client: Client, *, fix: bool) -> Finding:
    try:
        missing = await (runtime.ensure_search_attributes if fix else runtime.missing_search_attributes)(client)
    except RPCError as error:
        return Finding(
            "search attributes", False, f"cannot be listed: {error.message}", "see the rights of the API key"
        )
    if not missing:
        return Finding("search attributes", True, "all registered")
    how = "an administrator of the namespace has to register them" if fix else "theseus doctor --fix"
    return Finding("search attributes", False, f"missing, or of another type: {', '.join(missing)}", how)


async def _workers(client: Client, task_queue: str) -> Finding:
    try:
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
    except RPCError as error:
        return Finding("workers", False, f"task queue {task_queue}: {error.message}", "see that the namespace exists")
    identities = sorted({poller.identity for poller in answer.pollers})
    if not identities:
        how = "start one: theseus worker (and see that THESEUS_TASK_QUEUE is the same everywhere)"
        return Finding("workers", False, f"nothing polls task queue {task_queue}", how)
    return Finding("workers", True, f"{len(identities)} on task queue {task_queue}: {', '.join(identities)}")


async def _redis(settings: Settings) -> Finding:
    where = settings.redis_url.rpartition("@")[2].removeprefix("redis://")
    try:
        client = connect_redis(settings.redis_url)
    except ValueError:
        return Finding("Redis", False, "REDIS_URL cannot be read", "set REDIS_URL to redis://HOST:PORT/0")
    try:
        await client.ping()  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues] - untyped in redis
    except (exceptions.RedisError, OSError) as error:
        return Finding("Redis", False, f"{where}: {error}", "start one (`theseus dev` has one), or set REDIS_URL")
    finally:
        await client.aclose()
    return Finding("Redis", True, f"answers at {where}")


async def _archive(settings: Settings) -> Finding:
    if settings.database_url is None:
        return Finding("archive", True, "DATABASE_URL is not set: gateways keep one in their data folder, workers none")
    try:
        from theseus.stores.archive import opening

        was, needed, where = await opening.looked_at(settings.archive_url)
    except ModuleNotFoundError as error:
        return Finding("archive", False, f"{error.name} is not installed", "pip install 'theseus-worker[archive]'")
    except UnfitArchiveError as error:
        return Finding("archive", False, str(error), "correct DATABASE_URL, or start the version that fits")
    except ArchiveDownError as error:
        return Finding("archive", False, str(error), "start the database, or correct DATABASE_URL")
    if was != needed:
        behind = f"at revision {was}" if was else "empty"
        return Finding("archive", True, f"{where} is {behind}; who opens it next brings it to {needed}")
    return Finding("archive", True, f"{where} is at revision {needed}")


def _models(settings: Settings, *, has_workers: bool) -> Finding:
    try:
        catalogue = Catalogue.load(settings.models_file, environment())
    except CatalogueError as error:
        return Finding("models", False, str(error), "correct the file that THESEUS_MODELS_FILE names, or unset it")
    usable = catalogue.usable_providers
    if not usable and has_workers:
        return Finding("models", True, "no key in this environment; the workers that poll have their own")
    if not usable:
        how = "set a provider's key (such as OPENAI_API_KEY) where workers run; `theseus dev` brings a local model"
        return Finding("models", False, "no provider has a key or an address in this environment", how)
    return Finding("models", True, f"usable from this environment: {', '.join(usable)}")
