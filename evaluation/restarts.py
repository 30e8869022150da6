"""M11: the worker of a research is killed in each of its phases; the report stays the same, and nothing is paid for twice."""

import asyncio
import hashlib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from temporalio.client import Client

from evaluation.corpus import Corpus
from evaluation.evidence import evidence_in
from evaluation.measures import Restart, restarting
from evaluation.rows import Row
from evaluation.script import ROLES, ResearchScript
from evaluation.side_by_side import role_of
from evaluation.site import LOOPBACK, Site, port_of, reserved, serving
from evaluation.trial import CONTEXT, WORKFLOW, result_of
from tests.support.servers import valkey
from tests.support.studies import WRITER
from theseus.activities.llm.scripted.logged import LoggedRequest
from theseus.activities.llm.scripted.script import Asked, Reply, Rule, Script
from theseus.activities.llm.scripted.server import ScriptedModel, running
from theseus.config import environment

MODEL_SECONDS = 0.5
QUEUE = "eval-restarts"
UNTOLD_SECONDS = 1.0
"""An answer that came so shortly before the kill was in flight still: the worker had not told Temporal of it."""
DOUBTED = "Nobody talks about it, because everybody has grown used to it"
"""No evidence says so in these words or in others: rules doubt it, and a model denies it."""


class DoubtedScript(ResearchScript):
    """A model whose draft has use for all roles, whatever was planted."""

    def choose(self, asked: Asked) -> tuple[Rule, Reply]:
        """The answer of the role that is asked; the writer says more than the evidence does."""
        rule, reply = super().choose(asked)
        cards = evidence_in(asked.last_user, self._corpus) if asked.system.startswith(WRITER) else []
        if cards:
            reply = reply.model_copy(update={"text": f"{reply.text}\n\n{DOUBTED} [[{cards[0].id}]]."})
        return rule, reply


class _Workers:
    """The one worker process that there is at a time."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Generator[None, None, None]:
        """There is a worker while the context is open."""
        self._start()
        try:
            yield
        finally:
            self._kill()

    def replace(self) -> None:
        """Kills the worker as a crash would, and starts another."""
        self._kill()
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evaluation.worker"], env={**environment(), **self._environ}
        )

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


async def restarts(client: Client, seed: int, folder: Path) -> list[Row]:
    """Runs the same research once undisturbed, and once for each phase with a worker that is killed in it."""
    listener = reserved()
    corpus = Corpus.planted(seed, port=port_of(listener), plain=True)
    site, script = Site(corpus), DoubtedScript(corpus, MODEL_SECONDS)
    with valkey(folder) as redis_url:
        async with serving(site, listener) as url, running(Script()) as model:
            model.play(script)
            place = f"{LOOPBACK}:{port_of(listener)}"
            workers = _Workers(
                {
                    "TEMPORAL_ADDRESS": client.service_client.config.target_host,
                    "REDIS_URL": redis_url,
                    "THESEUS_DATA_DIR": str(folder),
                    "THESEUS_TASK_QUEUE": QUEUE,
                    "SEARXNG_URL": url,
                    "THESEUS_FETCH_ALLOW": place,
                    "OPENAI_API_KEY": "eval",
                    "OPENAI_BASE_URL": model.base_url,
                }
            )
            return restarting(await _killed_in_each(client, corpus.query, model, workers))


async def _killed_in_each(client: Client, query: str, model: ScriptedModel, workers: _Workers) -> list[Restart]:
    with workers.running():
        undisturbed, _ = await _researched(client, query, model, workers, "")
    found: list[Restart] = []
    for phase in ROLES:
        with workers.running():
            report, killed_at = await _researched(client, query, model, workers, phase)
        # a phase that never came has shown nothing
        is_same = killed_at is not None and report == undisturbed
        found.append(Restart(phase, is_same, _repeated(model.requests, killed_at or 0.0)))
    return found


async def _researched(
    client: Client, query: str, model: ScriptedModel, workers: _Workers, phase: str
) -> tuple[str, float | None]:
    """One research, its worker killed once when a call of this phase is under way.

    Gives the report's hash, and when the kill was, in seconds since the epoch; None where there was none.
    """
    killed_at: float | None = None
    model.clear()
    handle = await client.start_workflow(
        WORKFLOW, {"query": query, "context": dict(CONTEXT)}, id=f"eval-{uuid.uuid4()}", task_queue=QUEUE
    )
    result = asyncio.create_task(result_of(handle))
    while phase and not result.done():
        await asyncio.sleep(0.02)
        if any(role_of(each) == phase and each.outcome == "open" for each in model.requests):
            killed_at = time.time()
            workers.replace()
            break
    text = (await result).result
    return hashlib.sha256(text.encode()).hexdigest(), killed_at


def _repeated(requests: Sequence[LoggedRequest], killed_at: float) -> int:
    """Calls that were answered, and made again after the kill all the same."""
    answered = {
        json.dumps(each.body, sort_keys=True)
        for each in requests
        if each.outcome == "answered" and (each.ended_at or killed_at) < killed_at - UNTOLD_SECONDS
    }
    after = [json.dumps(each.body, sort_keys=True) for each in requests if each.started_at > killed_at]
    return sum(body in answered for body in after)
