"""However much a tool gives, no history event grows past 64 KB, and the model can page through all of it."""

from datetime import timedelta
from typing import Any

from tests.support.world import World, history
from theseus.activities.tools.registry import tool
from theseus.contracts.task import TaskStatus
from theseus.contracts.tools import Effect

LINE = "0123456789abcdef" * 4 + "\n"
WHOLE = LINE * (30 * 1024 * 1024 // len(LINE)) + "the end"


@tool(effect=Effect.READ, timeout=timedelta(seconds=30))
def everything() -> str:
    """Gives 30 MB of text."""
    return WHOLE


async def test_thirty_megabytes_are_cut_at_the_edge_and_paged(idle: World) -> None:
    there = idle
    there.tools = (everything,)
    call: dict[str, Any] = {"name": "everything", "arguments": {}}
    async with there.worker():
        there.model.replace(
            {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "seen"}}]}
        )
        handle = await there.start("read it", session_id="s")
        result = await there.result(handle)
        assert (result.status, result.result) == (TaskStatus.COMPLETED, "seen")
        assert max(event.ByteSize() for event in await history(handle)) <= 64 * 1024
        seen = there.model.requests[-1].body["messages"][-1]["content"]
        assert len(seen) < 12_000 and "read_artifact" in seen and "the end" in seen

        observed = next(e.event for e in await there.events(handle.id) if e.event.type == "TOOL_OBSERVATION")
        page = {"artifact_id": observed.payload.artifact_id, "offset": 20_000_000, "limit": 5_000}
        more = {"name": "read_artifact", "arguments": page}
        there.model.replace(
            {"rules": [{"when": {"turn": 1}, "reply": {"tool_calls": [more]}}, {"reply": {"text": "paged"}}]}
        )
        paged = await there.run("go on", session_id="s")
        assert paged.result == "paged"
        assert LINE in there.model.requests[-1].body["messages"][-1]["content"]
