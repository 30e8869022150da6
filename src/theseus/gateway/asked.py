"""What was asked of a task that did not come through a gateway: the beginning of its history has it."""

from datetime import timedelta

from pydantic import JsonValue
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError

PATIENCE = timedelta(seconds=3)


async def query_of(temporal: Client, seen: WorkflowExecutionDescription) -> str:
    """The query of a task; "" where Temporal does not tell it now, or its input has none."""
    first = seen.raw_description.workflow_execution_info.first_run_id or seen.run_id
    handle = temporal.get_workflow_handle(seen.id, run_id=first)
    try:
        page = handle.fetch_history_events(page_size=1, rpc_timeout=PATIENCE)
        await page.fetch_next_page()
        events = page.current_page or ()
        given = [payload for e in events for payload in e.workflow_execution_started_event_attributes.input.payloads]
        found = await temporal.data_converter.decode(given[:1])
    except (RPCError, ValueError, RuntimeError):
        return ""
    task: JsonValue = found[0] if found else None
    query = task.get("query") if isinstance(task, dict) else None
    return query if isinstance(query, str) else ""
