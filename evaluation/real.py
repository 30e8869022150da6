"""The same research by a real model: what is true of its report whatever its prose is worth. `python -m evaluation.real`.

The model is that of a provider whose key is set, else the local one.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from temporalio.client import Client

from evaluation.corpus import Corpus
from evaluation.measures import citing, economy, histories, obeying, quoting, spending
from evaluation.outcome import Outcome
from evaluation.rows import Row, table
from evaluation.site import LOOPBACK, Site, port_of, reserved, resolve, serving
from evaluation.trial import WORKFLOW, result_of, sizes_of
from tests.support.servers import free_port
from tests.support.temporal import dev_server
from tests.support.world import memory_stores
from theseus import worker
from theseus.activities.llm.catalogue import Catalogue
from theseus.config import Settings, environment
from theseus.contracts.task import Limits
from theseus.embedded import local_model

LIMITS = Limits(tokens=1_000_000, cost_microusd=1_000_000, wall_clock_seconds=1200)
"""A dollar at most."""
LONGEST_LOADING_SECONDS = 60
CONTEXT = {"force_research": True, "research_strategy": "standard", "enable_fact_extraction": True}


async def of_real_model(client: Client, seed: int, folder: Path, environ: Mapping[str, str]) -> list[Row]:
    """The rows of one research on the corpus of a seed, by the models that this environment leads to."""
    listener = reserved()
    corpus = Corpus.planted(seed, port=port_of(listener))
    site = Site(corpus)
    async with serving(site, listener) as url:
        settings = Settings(
            task_queue=f"real-{uuid.uuid4()}",
            data_dir=folder,
            searxng_url=url,
            fetch_allow=(f"{LOOPBACK}:{port_of(listener)}",),
        )
        async with worker.working(client, settings, memory_stores(), environ, resolve=resolve):
            handle = await client.start_workflow(
                WORKFLOW,
                {"query": corpus.query, "context": CONTEXT, "limits": LIMITS.model_dump()},
                id=f"eval-{uuid.uuid4()}",
                task_queue=settings.task_queue,
            )
            outcome = Outcome.of(await result_of(handle))
        print(f"\n{outcome.result.result}\n", flush=True)
        return [
            *citing(outcome, site.visits),
            *quoting(corpus, outcome),
            *spending(outcome, LIMITS),
            *histories(await sizes_of(client, handle)),
            obeying(corpus, site.visits),
            economy(outcome),
        ]


@asynccontextmanager
async def models() -> AsyncGenerator[Mapping[str, str], None]:
    """The environment of a worker whose model is there while the context is open.

    Raises:
        StartError: no key is set, and there is no local model.
    """
    if Catalogue.load(None, environment()).usable_providers:
        yield environment()
        return
    port = free_port()
    url = f"http://{LOOPBACK}:{port}/v1"
    with _serving_local(port):
        ends = time.monotonic() + LONGEST_LOADING_SECONDS
        while not await local_model.answers(url) and time.monotonic() < ends:
            await asyncio.sleep(0.2)
        yield {"THESEUS_LOCAL_BASE_URL": url}


@contextmanager
def _serving_local(port: int) -> Generator[None, None, None]:
    with subprocess.Popen(local_model.command(*local_model.weights(environment()), port)) as server:
        try:
            yield
        finally:
            server.terminate()


async def main(seed: int) -> int:
    """Prints the report and its rows; 1 when a goal is missed."""
    async with models() as environ, dev_server() as env:
        with tempfile.TemporaryDirectory() as name:
            rows = await of_real_model(env.client, seed, Path(name), environ)
    print(table(rows), flush=True)
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 1)))
