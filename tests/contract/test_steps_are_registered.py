"""Every step of the door calls an activity that a worker runs, under its tenant; and a worker runs none that no step calls."""

import ast
from pathlib import Path
from typing import Any

from theseus.activities.archive import ArchiveActivities
from theseus.activities.attachments import AttachmentActivities
from theseus.activities.events import EventActivities
from theseus.activities.llm.activity import LLMActivities
from theseus.activities.memory import MemoryActivities
from theseus.activities.sessions import SessionActivities
from theseus.activities.tasks import TaskActivities
from theseus.activities.tools.activity import ToolActivities
from theseus.workflows import steps

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        AttachmentActivities,
        EventActivities,
        LLMActivities,
        MemoryActivities,
        SessionActivities,
        TaskActivities,
        ToolActivities,
        ArchiveActivities,
    )
}
FROZEN = {
    "attachment.store",
    "events.publish",
    "llm.complete",
    "memory.keep",
    "memory.recall",
    "session.append",
    "session.load",
    "session.save_summary",
    "task.archive",
    "task.cancel",
    "task.facts",
    "tool.run",
    "transcript.restore",
}


def name_of(method: Any) -> str | None:
    definition = getattr(method, "__temporal_activity_definition", None)
    return definition.name if definition is not None else None


def called() -> set[str]:
    tree = ast.parse(Path(steps.__file__).read_text())
    found = {
        name_of(getattr(KINDS[node.value.id], node.attr))
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in KINDS
    }
    return {name for name in found if name}


def offered() -> set[str]:
    return {name for kind in KINDS.values() for member in vars(kind).values() if (name := name_of(member))}


def test_the_names_are_frozen() -> None:
    assert called() == offered() == FROZEN


def test_every_activity_that_queues_does_so_under_its_tenant() -> None:
    without = [
        node.lineno
        for node in ast.walk(ast.parse(Path(steps.__file__).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr.startswith(("execute_activity", "start_activity", "execute_child", "start_child"))
        and "priority" not in {keyword.arg for keyword in node.keywords}
    ]
    assert without == [], "these lines lack priority=_priority()"
