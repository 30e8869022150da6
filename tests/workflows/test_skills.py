"""A skill drives one agent: its body instructs it, its tools are granted, its budget binds, its danger is asked about."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.world import Handle, World, until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.task import TaskStatus

BODY = "Follow the house style of ${house}."


@pytest_asyncio.fixture
async def shelf(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    """A worker that finds the skills of a test, and asks people for five seconds."""
    folder = tmp_path / "own skills"
    folder.mkdir()
    settings: dict[str, Any] = {"skills": (str(folder),), "approval_timeout": "5"}
    async with world(temporal.client, model, tmp_path, **settings) as made:
        yield made


def put(there: World, name: str = "s", **head: Any) -> None:
    """Writes a skill."""
    lines = "".join(
        f"{key}: {str(value).lower() if isinstance(value, bool) else value}\n" for key, value in head.items()
    )
    version = head.get("version", "1.0.0")
    path = Path(there.settings.skills[0], f"{name}-{version}.md")
    path.write_text(f"---\nname: {name}\n{lines}---\n{BODY}\n")


def system(there: World, place: int = 0) -> str:
    return str(there.model.requests[place].body["messages"][0]["content"])


def offered(there: World, place: int = 0) -> set[str]:
    return {tool["function"]["name"] for tool in there.model.requests[place].body.get("tools", [])}


@pytest.mark.parametrize(
    ("name", "role_tools"),
    [
        ("code-review", {"file_list", "file_read"}),
        ("debugging", {"file_list", "file_read"}),
        ("test-driven-dev", {"file_list", "file_read", "file_write"}),
    ],
)
async def test_each_shipped_skill_runs_with_its_tools_and_its_instructions(
    there: World, name: str, role_tools: set[str]
) -> None:
    call: dict[str, Any] = {"name": "file_list", "arguments": {}}
    there.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "done"}}]}
    )
    result = await there.run("look at it", workflow="TaskWorkflow", skill=name)
    assert (result.status, result.result, result.mode) == (TaskStatus.COMPLETED, "done", "simple")
    assert role_tools <= offered(there)
    assert system(there).startswith("You ") and "Answer the task" not in system(there)
    assert result.metadata.model_dump()["skill"]["name"] == name


async def test_a_body_is_the_prompt_and_its_variables_are_filled(shelf: World) -> None:
    put(shelf, requires_role="writer")
    await shelf.run("write", skill="s", context={"prompt_params": {"house": "Theseus"}})
    assert system(shelf).startswith("Follow the house style of Theseus.")


async def test_required_tools_are_granted_beside_those_of_the_role(shelf: World) -> None:
    put(shelf, requires_role="critic", requires_tools="[file_write]")
    await shelf.run("write", skill="s")
    assert {"file_write", "file_read"} <= offered(shelf)


async def test_a_tool_that_the_task_may_not_use_is_not_granted_by_a_skill(shelf: World) -> None:
    put(shelf, requires_tools="[file_write]")
    result = await shelf.run("write", skill="s", tools=["file_read"])
    assert result.error is not None and result.error.field == "skill" and "file_write" in result.error.message
    assert not shelf.model.requests


async def test_an_unknown_skill_tool_role_or_a_switched_off_one_is_refused_before_any_call(shelf: World) -> None:
    put(shelf, "needs-tool", requires_tools="[no_such_tool]")
    put(shelf, "needs-role", requires_role="wizard")
    put(shelf, "shut", enabled=False)
    Path(shelf.settings.skills[0], "broken.md").write_text("no skill")
    said = {
        "nope": "1 of their files cannot be used",
        "needs-tool": "no_such_tool",
        "needs-role": "known roles: ads_research, analysis",
        "shut": "switched off",
        "needs-tool@9.0.0": "there is no skill 'needs-tool@9.0.0'",
    }
    for name, words in said.items():
        result = await shelf.run("x", skill=name)
        assert result.error is not None and result.error.type == "InvalidInput" and words in result.error.message, name
    assert not shelf.model.requests


async def test_a_role_that_contradicts_the_skill_is_refused(shelf: World) -> None:
    put(shelf, requires_role="critic")
    result = await shelf.run("x", skill="s", context={"role": "writer"})
    assert result.error is not None and result.error.field == "context.role"


async def test_a_version_can_be_named_and_else_the_newest_is_taken(shelf: World) -> None:
    put(shelf, version="1.9.0")
    put(shelf, version="1.10.0")
    newest, exact = await shelf.run("x", skill="s"), await shelf.run("x", skill="s@1.9.0")
    assert newest.metadata.model_dump()["skill"]["version"] == "1.10.0"
    assert exact.metadata.model_dump()["skill"]["version"] == "1.9.0"


async def test_the_budget_of_a_skill_binds_the_task(shelf: World) -> None:
    put(shelf, budget_max=3000, requires_tools="[file_list]")
    call: dict[str, Any] = {"name": "file_list", "arguments": {}}
    usage = {"input": 600, "output": 100}
    shelf.model.replace(
        {
            "rules": [
                {"when": {"last_user": "never"}, "reply": {"text": "x"}},
                {"reply": {"tool_calls": [call], "text": "on it"}, "usage": usage},
            ]
        }
    )
    result = await shelf.run("look", skill="s", tools=["file_list"])
    assert result.usage.total_tokens <= 3000
    assert result.status in (TaskStatus.BUDGET_EXHAUSTED, TaskStatus.DEGRADED), result.error


@pytest.mark.parametrize("approves", [True, False])
async def test_a_dangerous_skill_asks_a_person_first(shelf: World, approves: bool) -> None:
    put(shelf, dangerous=True, description="deletes things")
    handle: Handle = await shelf.start("x", skill="s")
    found: list[dict[str, Any]] = []

    async def asks() -> bool:
        found[:] = await handle.query("pending_approvals")
        return bool(found)

    await until(asks)
    assert "deletes things" in found[0]["reason"] and not shelf.model.requests
    await handle.execute_update("decide_approval", {"approval_id": found[0]["approval_id"], "approved": approves})
    result = await shelf.result(handle)
    assert result.status is (TaskStatus.COMPLETED if approves else TaskStatus.DENIED)
