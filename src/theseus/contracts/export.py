"""Writes the JSON Schemas of the outer contract, so that a gateway in any language can be built and checked against them.

`python -m theseus.contracts.export` writes `schema/*.json` beside this file. It is a developer's command: no other module
imports it, and it is the one module of the contracts that touches a disk.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from theseus import contracts
from theseus.contracts import control

FOLDER = Path(__file__).parent / "schema"
COMMAND = "python -m theseus.contracts.export"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_Mode = Literal["validation", "serialization"]

# what comes in is described as it is accepted, what goes out as it is written
_SENT: Mapping[str, Any] = {
    "task_input": contracts.TaskInput,
    "control_reason": contracts.ControlReason,
    "approval_decision": contracts.ApprovalDecision,
    "review_decision": contracts.ReviewDecision,
    "message_to_task": contracts.MessageToTask,
}
_RECEIVED: Mapping[str, Any] = {
    "task_result": contracts.TaskResult,
    "task_error": contracts.TaskError,
    "event": contracts.Event,
    "control_state": contracts.ControlState,
    "progress": contracts.Progress,
    "pending_approval": contracts.PendingApproval,
    "update_receipt": contracts.UpdateReceipt,
}


def documents() -> dict[str, str]:
    """File name to file text, of every committed schema and of the names that a gateway uses."""
    schemas = {name: _schema(name, kind, "validation") for name, kind in _SENT.items()}
    schemas |= {name: _schema(name, kind, "serialization") for name, kind in _RECEIVED.items()}
    return {f"{name}.json": _text(document) for name, document in {**schemas, "names": _names()}.items()}


def write(folder: Path = FOLDER) -> None:
    """Makes the folder hold exactly the documents: writes each, and removes every other JSON file."""
    folder.mkdir(exist_ok=True)
    wanted = documents()
    for stale in folder.glob("*.json"):
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def _schema(name: str, kind: Any, mode: _Mode) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema(mode=mode)
    title = "".join(part.capitalize() for part in name.split("_"))
    return {"$schema": _DIALECT, **schema, "title": title}


def _names() -> dict[str, Any]:
    return {
        "task_queue": control.TASK_QUEUE,
        "workflow_types": {
            "any_mode": control.TASK_WORKFLOW,
            **{mode.value: name for mode, name in control.WORKFLOW_OF_MODE.items()},
        },
        "signals": {
            control.SIGNAL_PAUSE: "ControlReason",
            control.SIGNAL_RESUME: "ControlReason",
            control.SIGNAL_CANCEL: "ControlReason",
        },
        "queries": {control.QUERY_CONTROL_STATE: "ControlState", control.QUERY_PROGRESS: "Progress"},
        "updates": {
            control.UPDATE_DECIDE_APPROVAL: "ApprovalDecision",
            control.UPDATE_REVIEW_PLAN: "ReviewDecision",
            control.UPDATE_SEND_MESSAGE: "MessageToTask",
        },
        "search_attributes": control.SEARCH_ATTRIBUTES,
        "error_types": [kind.value for kind in contracts.ErrorType],
        "task_statuses": [status.value for status in contracts.TaskStatus],
    }


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    write()
