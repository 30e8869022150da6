"""The inputs that tasks were started with, read from their histories: for activities that need more than a payload should hold."""

import json
from collections import OrderedDict
from typing import Any

from pydantic import ValidationError
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.service import RPCError

from theseus.contracts.task import TaskContext

KEPT = 16
"""Contexts of so many tasks are kept at hand; one may be a mebibyte."""


class InputDownError(Exception):
    """The input of a task cannot be read now; the call may be tried again."""


class TaskInputs:
    """Contexts of tasks, as their callers gave them.

    Args:
        client: speaks to the server that runs the tasks.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: OrderedDict[tuple[str, str], TaskContext] = OrderedDict()

    async def context(self, task_id: str) -> TaskContext:
        """The context of the task that the running activity works for.

        Raises:
            InputDownError: its history cannot be read now.
        """
        # with the run that asks: a later task may have the same id
        key = (task_id, activity.info().workflow_run_id or "")
        if key not in self._kept:
            self._kept[key] = await self._read(task_id)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    async def _read(self, task_id: str) -> TaskContext:
        try:
            history = self._client.get_workflow_handle(task_id).fetch_history_events(page_size=1)
            first = await anext(history)
        except (RPCError, StopAsyncIteration) as error:
            raise InputDownError(f"the input of task {task_id} cannot be read: {error}") from error
        started = first.workflow_execution_started_event_attributes
        [raw] = await self._client.data_converter.decode(started.input.payloads, [RawValue])
        try:
            return TaskContext.model_validate(_context_of(json.loads(raw.payload.data.decode("utf-8-sig"))))
        except (ValueError, ValidationError) as error:
            raise InputDownError(f"the input of task {task_id} is not one") from error


def _context_of(data: Any) -> Any:
    """The context in a task's input, or in what an earlier run of the task handed on."""
    given = data["carried"]["task"] if "carried" in data else data
    return given.get("context", {})
