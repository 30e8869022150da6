"""A task's timeline is all that Temporal recorded of it, also of a task that went on in new histories."""

from pathlib import Path

from tests.support.gateway import gateway
from tests.support.teams import LEAD, assign, finish, leads, recruit
from tests.support.temporal import dev_server
from tests.support.world import world
from theseus.activities.llm.scripted.server import ScriptedModel

SUGGESTS = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40")


async def test_a_task_that_went_on_anew_is_told_from_its_beginning(model: ScriptedModel, tmp_path: Path) -> None:
    many = [recruit("ann"), assign("ann", "work 0")]
    last = {"when": {"system": LEAD}, "reply": {"json": {"thought": "", "actions": [finish("done")]}}}
    work = {"when": {"last_user": "^work"}, "reply": {"text": "found"}}
    model.replace({"rules": [*leads(many, *([assign("ann", f"work {n}")] for n in range(1, 12))), last, work]})
    async with (
        dev_server(*SUGGESTS) as env,
        world(env.client, model, tmp_path) as there,
        gateway(there, tmp_path) as door,
    ):
        task = {"query": "Two things", "mode": "supervisor"}
        task_id = (await door.http.post("/api/v1/tasks", json=task)).json()["task_id"]
        await env.client.get_workflow_handle(task_id).result()
        steps = (await door.http.get(f"/api/v1/tasks/{task_id}/timeline")).json()["events"]
    types = [step["type"] for step in steps]
    assert types[-1] == "WF_WORKFLOW_EXECUTION_COMPLETED"
    begun, anew = types.count("WF_WORKFLOW_EXECUTION_STARTED"), types.count("WF_WORKFLOW_EXECUTION_CONTINUED_AS_NEW")
    assert begun == anew + 1 > 1
    assert [step["timestamp"] for step in steps] == sorted(step["timestamp"] for step in steps)
