"""`theseus replay`: runs a recorded history through today's code and says whether it still fits."""

import asyncio
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError
from temporalio.worker import Replayer

from theseus import runtime, sandbox
from theseus.client import is_unknown
from theseus.commands.terminal import CommandError, client, out
from theseus.workflows.registry import WORKFLOWS

LONGEST_SECONDS = 60


async def replay(task_or_file: str) -> int:
    """0 when the history fits, 1 when it does not."""
    history = _read(Path(task_or_file)) or await _fetch(task_or_file)
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=runtime.DATA_CONVERTER,
        workflow_runner=sandbox.runner(),
    )
    if not history.events or history.events[0].event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        raise CommandError(f"{task_or_file}: not a whole workflow history: it does not begin with the workflow's start")
    if not history.events[0].workflow_execution_started_event_attributes.workflow_type.name:
        raise CommandError(f"{task_or_file}: not a whole workflow history: its start names no workflow type")
    work = replayer.replay_workflow(history, raise_on_replay_failure=False)
    try:
        result = await asyncio.wait_for(work, LONGEST_SECONDS)
    except TimeoutError as error:
        raise CommandError(f"{task_or_file}: could not be replayed within {LONGEST_SECONDS} s: is it whole?") from error
    if result.replay_failure is None:
        out(f"{task_or_file}: fits ({len(history.events)} events)")
        return 0
    raise CommandError(f"{task_or_file}: does not fit today's code: {result.replay_failure}")


def _read(file: Path) -> WorkflowHistory | None:
    if not file.is_file():
        return None
    try:
        return read_history(file.stem, file.read_text())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{file}: not a workflow history as JSON ({error})") from error


def read_history(name: str, text: str) -> WorkflowHistory:
    """A history from JSON, with its workflow's own id where it has it: ids of children and approvals follow from that."""
    history = WorkflowHistory.from_json(name, text)
    started = history.events[0].workflow_execution_started_event_attributes if history.events else None
    return WorkflowHistory(started.workflow_id, history.events) if started and started.workflow_id else history


async def _fetch(task_id: str) -> WorkflowHistory:
    try:
        return await (await client()).get_workflow_handle(task_id).fetch_history()
    except RPCError as error:
        if is_unknown(error):
            raise CommandError(f"there is no task {task_id}, and no such file") from error
        raise
