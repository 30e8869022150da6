"""A task's timeline: what Temporal recorded of it, step by step, without any payload."""

from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from theseus.client import Handle

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
    """One event: `kind` is its sort (WF, ACT, CHILD, SIG, UPD, TIMER, ATTR, MARKER, TASK), `type` Temporal's name for it."""

    number: int
    at: datetime
    kind: str
    type: str
    name: str


async def timeline(handle: Handle, *, is_full: bool) -> list[Step]:
    """The steps of a task, oldest first; without the tasks of the workflow itself unless all are wanted.

    Raises:
        RPCError: Temporal does not know the workflow, or not any more.
    """
    names: dict[int, str] = {}
    steps: list[Step] = []
    async for event in handle.fetch_history_events():
        step = _step(event, names)
        if is_full or step.kind != "TASK":
            steps.append(step)
        if len(steps) == MOST_EVENTS:
            break
    return steps


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
