"""One research task on one planted corpus, with a real Temporal server, a real worker and a real wire to the scripted model."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from evaluation.corpus import Corpus
from evaluation.measures import HistorySize
from evaluation.outcome import Outcome
from evaluation.script import ResearchScript
from evaluation.site import LOOPBACK, Site, port_of, reserved, resolve, serving
from tests.support.world import World, world
from theseus.activities.llm.scripted.logged import LoggedRequest
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import running
from theseus.contracts.task import TaskResult

WORKFLOW = "ResearchWorkflow"
ROUNDS = 5
"""More than any planted corpus needs, so that a research that does not stop by itself is seen."""
CONTEXT: Mapping[str, Any] = {
    "force_research": True,
    "research_strategy": "deep",
    "iterative_max_iterations": ROUNDS,
    "enable_fact_extraction": True,
}
LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Pace:
    """How long what is outside takes, in seconds: each page, each search, each answer of the model."""

    page: float = 0.0
    search: float = 0.0
    model: float = 0.0


@dataclass(frozen=True)
class Study:
    """A planted web that is served, the model that is to research it, and workers that reach both."""

    corpus: Corpus
    site: Site
    script: ResearchScript
    there: World
    requests: list[LoggedRequest]


@dataclass(frozen=True)
class Trial:
    """What one task left behind."""

    outcome: Outcome
    wall_seconds: float
    sizes: tuple[HistorySize, ...]


@asynccontextmanager
async def study(
    client: Client, seed: int, folder: Path, *, pace: Pace | None = None, **corpus: Any
) -> AsyncGenerator[Study, None]:
    """Everything for research on the corpus of a seed; `corpus` are further arguments of `Corpus.planted`."""
    pace = pace or Pace()
    listener = reserved()
    planted = Corpus.planted(seed, port=port_of(listener), **corpus)
    site = Site(planted, pace.page, pace.search)
    script = ResearchScript(planted, pace.model)
    async with serving(site, listener) as url, running(Script()) as model:
        model.play(script)
        settings: dict[str, Any] = {"searxng_url": url, "fetch_allow": (f"{LOOPBACK}:{port_of(listener)}",)}
        async with world(client, model, folder, resolve=resolve, **settings) as there:
            yield Study(planted, site, script, there, model.requests)


async def trial(made: Study, **task: Any) -> Trial:
    """Runs one task; `task` are further fields of its input, those of the context among them under `context`."""
    context = {**CONTEXT, **task.pop("context", {})}
    began = time.monotonic()
    handle = await made.there.start(
        made.corpus.query, workflow=WORKFLOW, task_id=f"eval-{uuid.uuid4()}", context=context, **task
    )
    result = await result_of(handle)
    wall = time.monotonic() - began
    return Trial(Outcome.of(result), wall, tuple(await sizes_of(made.there.client, handle)))


async def result_of(handle: WorkflowHandle[Any, Any]) -> TaskResult:
    """The task's result, also when it failed."""
    try:
        return TaskResult.model_validate(await asyncio.wait_for(handle.result(), LONGEST_SECONDS))
    except WorkflowFailureError as error:
        if not isinstance(error.cause, ApplicationError):
            raise
        return TaskResult.model_validate(error.cause.details[0])


async def sizes_of(client: Client, handle: WorkflowHandle[Any, Any]) -> list[HistorySize]:
    """How large the histories of a task and of its children are, the task's first."""
    found: list[HistorySize] = []
    waiting = [handle]
    while waiting:
        each = waiting.pop(0)
        events = list((await each.fetch_history()).events)
        found.append(HistorySize(each.id, len(events), sum(event.ByteSize() for event in events)))
        for event in events:
            if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
                child = event.child_workflow_execution_started_event_attributes.workflow_execution
                waiting.append(client.get_workflow_handle(child.workflow_id, run_id=child.run_id))
    return found
