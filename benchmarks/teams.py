"""Teams: what a fan-out costs beside bare children, and how near the wall comes to the critical path."""

import statistics
import uuid
from typing import Any

from temporalio.client import Client

from benchmarks.rows import CALL_SECONDS, Row, latencies
from tests.support.teams import JUDGE, does, plans, subtask, synthesis
from theseus.activities.llm.scripted.server import ScriptedModel

EIGHT = "abcdefgh"
DIAMOND = [subtask("a"), *(subtask(name, "a") for name in "bcdefg"), subtask("h", *"bcdefg")]


async def fan_out(client: Client, model: ScriptedModel) -> list[Row]:
    """A team of five against a bare workflow with as many children and activities that take as long."""
    names = "abcde"
    rules = [plans(*(subtask(name) for name in names)), *(does(name) for name in names), synthesis()]
    model.replace({"rules": [rule | {"latency": CALL_SECONDS} for rule in rules]})

    async def team() -> Any:
        return await client.start_workflow(
            "StandardWorkflow", {"query": "q"}, id=f"team-{uuid.uuid4()}", task_queue="theseus"
        )

    async def parent() -> Any:
        return await client.start_workflow(
            "BareParent", args=[CALL_SECONDS, len(names)], id=f"parent-{uuid.uuid4()}", task_queue="bare"
        )

    await latencies(team, 3)
    await latencies(parent, 3)
    ours = statistics.median(await latencies(team, 12))
    plain = statistics.median(await latencies(parent, 12))
    text = f"{ours * 1000:.0f} ms against {plain * 1000:.0f} ms, three model calls one after another in both"
    return [
        Row("fan-out to five against bare children", ours / plain, 1.25, "x", text),
        await _critical_path(client, model, "eight side by side", [subtask(name) for name in EIGHT], 4),
        await _critical_path(client, model, "a diamond of eight", DIAMOND, 6),
    ]


async def _critical_path(
    client: Client, model: ScriptedModel, name: str, subtasks: list[dict[str, Any]], seconds: int
) -> Row:
    """A complex task whose every model call takes a second, against its longest chain of calls."""
    judged: dict[str, Any] = {"when": {"system": JUDGE}, "reply": {"json": {"score": 1, "weak": [], "feedback": ""}}}
    rules = [plans(*subtasks), *(does(each) for each in EIGHT), synthesis(), judged]
    model.replace({"rules": [rule | {"latency": 1.0} for rule in rules]})

    async def team() -> Any:
        task = {"query": "q", "max_concurrent_agents": len(EIGHT)}
        return await client.start_workflow("ComplexWorkflow", task, id=f"team-{uuid.uuid4()}", task_queue="theseus")

    taken = statistics.median(await latencies(team, 3))
    return Row(f"wall against critical path, {name}", taken / seconds, 1.25, "x", f"{taken:.2f} s against {seconds} s")
