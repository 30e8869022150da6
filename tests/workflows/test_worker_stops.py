"""A worker that stops with tasks under way throws their coroutines away without a sound, and another goes on."""

import gc
import sys
from typing import Any

import pytest

from tests.support.teams import JUDGE, does, leads, plans, subtask, synthesis
from tests.support.world import World, until
from theseus.contracts.task import TaskStatus

SLOW = {"reply": {"text": "so"}, "latency": 1.0}
"""The worker stops while these are asked."""
GOOD: dict[str, Any] = {"when": {"system": JUDGE}, "reply": {"json": {"score": 0.9, "weak": [], "feedback": ""}}}
RECRUITED = [{"kind": "recruit", "name": name, "role": "chat"} for name in ("ann", "bob")]
ASSIGNED = [{"kind": "assign", "agent": name, "task": f"do {name}"} for name in ("ann", "bob")]

CASES: dict[str, tuple[str, list[dict[str, Any]], int]] = {
    "one agent": ("SimpleWorkflow", [SLOW], 1),
    "a team": ("StandardWorkflow", [plans(subtask("a"), subtask("b")), synthesis(), SLOW], 3),
    "a debate in a team": (
        "ComplexWorkflow",
        [plans(subtask("a", strategy="debate"), subtask("b")), GOOD, synthesis(), does("b"), SLOW],
        4,
    ),
    "a supervised team": (
        "SupervisorWorkflow",
        [*leads([*RECRUITED, *ASSIGNED], [{"kind": "wait"}], [{"kind": "finish", "answer": "so"}]), SLOW],
        3,
    ),
}
"""The type of the task, its script, and how many requests there are when the worker stops."""


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the interpreter could raise nowhere."""
    found: list[str] = []

    def note(event: "sys.UnraisableHookArgs") -> None:
        found.append(f"{event.object}: {event.exc_value!r}")

    monkeypatch.setattr(sys, "unraisablehook", note)
    return found


@pytest.mark.parametrize("case", CASES)
async def test_a_stopped_worker_leaves_nothing_to_complain_of(idle: World, complaints: list[str], case: str) -> None:
    kind, rules, asked = CASES[case]
    idle.model.replace({"rules": rules})

    async def is_asked() -> bool:
        return len(idle.model.requests) >= asked

    async with idle.worker():
        handle = await idle.start("the task", workflow=kind)
        await until(is_asked)
    gc.collect()
    assert complaints == []
    async with idle.worker():
        assert (await idle.result(handle)).status is TaskStatus.COMPLETED
