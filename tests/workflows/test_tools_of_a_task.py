"""A caller's list of tools binds the task and all its agents, whatever a model asks for."""

from typing import Any

from tests.support.teams import plans, subtask, synthesis
from tests.support.world import World
from theseus.contracts.task import TaskStatus
from theseus.contracts.tools import RESEARCH_ONLY

FETCHES: dict[str, Any] = {"name": "web_fetch", "arguments": {"url": "http://127.0.0.1:1/"}}


def offered(there: World, place: int) -> set[str]:
    """The tools of a request."""
    return {tool["function"]["name"] for tool in there.model.requests[place].body.get("tools", [])}


async def test_a_model_is_offered_the_named_tools_and_gets_no_other(there: World) -> None:
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [FETCHES]}}, {"reply": {"text": "so"}}]}
    )
    result = await there.run("fetch it", tools=["calc*"])
    assert (result.status, result.result) == (TaskStatus.COMPLETED, "so")
    assert offered(there, 0) == {"calculator", "read_artifact"}
    assert "web_fetch" in there.model.requests[1].body["messages"][-1]["content"], "told that it may not"
    assert "127.0.0.1" not in there.model.requests[1].body["messages"][-1]["content"], "nothing was fetched"


async def test_agents_of_a_team_get_no_more_than_their_task(there: World) -> None:
    parts = [subtask(name, role="generalist", tools=tools) for name, tools in (("a", None), ("b", ["calculator"]))]
    there.model.replace({"rules": [plans(*parts), synthesis(), {"reply": {"text": "so"}}]})
    handle = await there.start("the task", workflow="StandardWorkflow", tools=["calculator", "file_read"])
    await there.result(handle)
    at_work = [request.body for request in there.model.requests if request.body["messages"][-1]["content"][:3] == "do "]
    names = [sorted(tool["function"]["name"] for tool in body["tools"]) for body in at_work]
    assert sorted(names) == [["calculator"], ["calculator", "file_read", "read_artifact"]]
    assert "web_fetch" not in str(there.model.requests[0].body["messages"]), "the planner plans with what there is"


async def test_no_tools_is_a_list_too(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "so"}}]})
    await there.run("think", tools=[])
    assert offered(there, 0) == set()


async def test_a_name_that_no_tool_has_is_told(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"text": "so"}}]})
    result = await there.run("fetch it", tools=["calculator", "fly"])
    assert result.status is TaskStatus.DEGRADED
    assert result.metadata.degraded == ["tools: this worker has none that this tenant may use for fly"]


async def test_tools_of_researchers_are_for_researchers_alone(there: World) -> None:
    note: dict[str, Any] = {"name": "note_evidence", "arguments": {"items": []}}
    there.model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [note]}}, {"reply": {"text": "so"}}]})
    await there.run("fetch it", tools=["*"])
    assert "web_crawl" in offered(there, 0) and not offered(there, 0) & RESEARCH_ONLY
    assert "There is no tool 'note_evidence' for you" in there.model.requests[1].body["messages"][-1]["content"]
