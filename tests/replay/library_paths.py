"""The recorded paths of templates and skills."""

from pathlib import Path
from typing import Any

from tests.support.teams import assign, does, finish, leads, recruit
from tests.support.templates import agent, text, tool, write
from tests.support.world import Handle, World, until

EVERY_NODE: dict[str, Any] = {
    "name": "every_node",
    "parameters": {"things": {"type": "list"}},
    "nodes": [
        text("head", "# {{ task.query }}"),
        text("second", "{{ results.head }}!", "head"),
        tool("sum", "calculator", {"expression": "{{ params.things | length | string }} + 1"}),
        tool("broken", "calculator", {"expression": "1 +"}, on_fail={"text": "no sum"}),
        agent("alone", None, "second"),
        {**agent("thinks", "do thinks"), "type": "cognitive", "strategy": "reflection", "budget_max": 2000},
        {"id": "each", "type": "dag", "parallel_by": "{{ params.things }}", "each": {"prompt": "do {{ item }}"}},
        {
            "id": "tasks",
            "type": "dag",
            "tasks": [{"id": "x", "prompt": "do x"}, {"id": "y", "prompt": "do y", "depends_on": ["x"]}],
        },
        {"id": "team", "type": "supervisor", "prompt": "lead this", "budget_max": 100_000},
        text("asked", "after {{ results.team }}", "team", require_approval=True),
        agent("weak", "do weak", on_fail={"retry": 1, "escalate_to": "large"}),
    ],
    "output": "{{ results.values() | join(' | ') }}",
}

ESCALATED: dict[str, Any] = {
    "name": "escalated",
    "nodes": [{**agent("a", on_fail={"escalate_to": "supervisor"}), "role": "generalist", "tools": ["calculator"]}],
}

SKILL = (
    "---\nname: recorded\nrequires_role: writer\nrequires_tools: [calculator]\nbudget_max: 20000\n---\nWrite well.\n"
)


def files(folder: Path) -> dict[str, Any]:
    """Writes the templates and skills that are recorded; the settings by which a worker finds them."""
    write(folder / "templates", EVERY_NODE, ESCALATED)
    (folder / "skills").mkdir()
    (folder / "skills" / "recorded.md").write_text(SKILL)
    return {"templates": (str(folder / "templates"),), "skills": (str(folder / "skills"),)}


async def texts_only(there: World) -> Handle:
    context = {"template": "research_summary", "disable_ai": True, "prompt_params": {"week": "2025-W44"}}
    handle = await there.start("Weekly research briefing", workflow="TaskWorkflow", context=context)
    await there.result(handle)
    return handle


async def every_node(there: World) -> Handle:
    lead = leads([recruit("ann"), assign("ann", "do it")], [finish("well led")])
    weak = {"when": {"last_user": "^do weak", "model": "^gpt-5-nano"}, "reply": {}, "fault": {"status": 400}}
    there.model.replace({"rules": [*lead, weak, *(does(name) for name in ("it", "weak", "thinks", "alone", "x", "y"))]})
    context = {"template": "every_node", "prompt_params": {"things": ["one", "two"]}}
    handle = await there.start("the task", workflow="TemplateWorkflow", context=context)
    found: list[dict[str, Any]] = []

    async def asks() -> bool:
        found[:] = await handle.query("pending_approvals")
        return bool(found)

    await until(asks, 30)
    await handle.execute_update("decide_approval", {"approval_id": found[0]["approval_id"], "approved": True})
    await there.result(handle)
    return handle


async def unknown(there: World) -> Handle:
    there.model.replace({"rules": [{"reply": {"text": "by a model"}}]})
    handle = await there.start("q", workflow="TaskWorkflow", mode="simple", context={"template": "no_such"})
    await there.result(handle)
    return handle


async def escalated(there: World) -> Handle:
    lead = leads([recruit("ann", "generalist"), assign("ann", "do it")], [finish("well led")])
    fails = {"when": {"last_user": "^do a"}, "reply": {}, "fault": {"status": 400}}
    there.model.replace({"rules": [*lead, does("it"), fails]})
    handle = await there.start("the task", workflow="TemplateWorkflow", context={"template": "escalated"})
    await there.result(handle)
    return handle


async def skilled(there: World) -> Handle:
    call = {"name": "calculator", "arguments": {"expression": "6*7"}}
    there.model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "42"}}]})
    handle = await there.start("compute", workflow="TaskWorkflow", skill="recorded")
    await there.result(handle)
    return handle


PATHS = {
    "template-texts-only": texts_only,
    "template-every-node": every_node,
    "template-unknown": unknown,
    "template-unknown-labelled": unknown,
    "template-escalated-to-a-team": escalated,
    "skill": skilled,
}
