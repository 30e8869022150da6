"""A task's timeline: what Temporal recorded of it, step by step, without any payload."""

from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

from theseus.client import Handle, is_unknown

MOST_EVENTS = 5_000

_KINDS = (
    ("WORKFLOW_EXECUTION_SIGNALED", "SIG"),
    ("WORKFLOW_EXECUTION_UPDATE", "UPD"),
    ("WORKFLOW_EXECUTION", "WF"),
    ("WORKFLOW_TASK", "TASK"),
    ("ACTIVITY_TASK", "ACT"),
    ("CHILD_WORKFLOW", "CHILD"),
    ("START_CHILD_WORKFLOW", "CHILD"),
    ("TIMER", "TIMER"),
    ("MARKER", "MARKER"),
    ("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", "ATTR"),
)


@dataclass(frozen=True)
class Step:
    """One event, numbered within its history: `kind` is its sort (WF, ACT, CHILD, SIG, UPD, TIMER, ATTR, MARKER, TASK), `type` Temporal's name for it."""

    number: int
    at: datetime
    kind: str
    type: str
    name: str


async def timeline(temporal: Client, task_id: str, *, is_full: bool) -> list[Step]:
    """The first `MOST_EVENTS` steps of a task, oldest first; without the tasks of the workflow itself unless all are wanted.

    Raises:
        RPCError: Temporal does not know the workflow, or not any more.
    """
    steps: list[Step] = []
    for run in await _runs(temporal, task_id):
        names: dict[int, str] = {}
        async for event in run.fetch_history_events():
            step = _step(event, names)
            if is_full or step.kind != "TASK":
                steps.append(step)
            if len(steps) == MOST_EVENTS:
                return steps
    return steps


async def _runs(temporal: Client, task_id: str) -> list[Handle]:
    """The histories of a task that went on in new ones, the oldest first, as far as Temporal still has them."""
    runs: list[Handle] = [temporal.get_workflow_handle(task_id)]
    while True:
        try:
            begun = await anext(runs[0].fetch_history_events(page_size=1))
        except RPCError as error:
            if len(runs) == 1 or not is_unknown(error):
                raise
            return runs[1:]
        before = begun.workflow_execution_started_event_attributes.continued_execution_run_id
        if not before:
            return runs
        runs.insert(0, temporal.get_workflow_handle(task_id, run_id=before))


def _step(event: HistoryEvent, names: dict[int, str]) -> Step:
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    sort = next((sort for start, sort in _KINDS if kind.startswith(start)), "WF")
    name = _name(event, names)
    if name:
        names[event.event_id] = name
    return Step(event.event_id, event.event_time.ToDatetime(tzinfo=UTC), sort, kind, name)


def _name(event: HistoryEvent, names: dict[int, str]) -> str:
    """What a step is called; what follows on a step has its name."""
    which = event.WhichOneof("attributes")
    facts = getattr(event, which) if which else None
    for field in ("activity_type", "workflow_type"):
        if facts is not None and field in facts.DESCRIPTOR.fields_by_name and facts.HasField(field):
            return str(getattr(facts, field).name)
    for field in ("signal_name", "timer_id", "marker_name"):
        if value := getattr(facts, field, ""):
            return str(value)
    return names.get(getattr(facts, "scheduled_event_id", 0) or getattr(facts, "initiated_event_id", 0), "")
