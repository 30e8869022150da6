"""All that a caller puts into `context` takes effect: controls on the window, the prompt, the role; any key in tools."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from tests.support.installed import SHIPPED, install
from tests.support.teams import LEAD, assign, finish, recruit
from tests.support.vendor_data import vendor_data
from tests.support.world import World, history
from theseus.activities.inputs import InputDownError, TaskInputs
from theseus.contracts.session import SessionKey, Turn
from theseus.contracts.task import TaskStatus

EXAMPLE: dict[str, Any] = json.loads(
    """{
  "query": "Analyze August website traffic trends",
  "session_id": "analytics-session-123",
  "mode": "supervisor",
  "model_tier": "large",
  "model_override": "gpt-5",
  "provider_override": "openai",
  "context": {
    "role": "data_analytics",
    "system_prompt": "You are a data analyst specializing in website analytics.",
    "prompt_params": {
      "profile_id": "49598h6e",
      "aid": "fcb1cd29-9104-47b1-b914-31db6ba30c1a",
      "current_date": "2025-10-31"
    },
    "history_window_size": 75,
    "primers_count": 3,
    "recents_count": 20,
    "compression_trigger_ratio": 0.75,
    "compression_target_ratio": 0.375
  }
}"""
)
"""The seeds' example of a general task, word for word."""

OWN = """
from datetime import timedelta
from theseus.activities.tools.registry import ToolContext, tool
from theseus.contracts.tools import Effect

@tool(effect=Effect.READ, timeout=timedelta(seconds=5))
def whose(context: ToolContext) -> list:
    '''Says whose data this is.

    Args:
        context: who asks
    '''
    keys = ("profile_id", "aid", "current_date", "history_window_size", "company_id", "blob", "system_prompt", "gone")
    return [value if not isinstance(value := context.get(key), str) else value[:40] for key in keys]

class Own:
    @classmethod
    def create(cls, environ):
        return cls()
    def tools(self):
        return {"data_analytics": [whose]}
    async def aclose(self):
        pass
"""
_ACTIONS = ([recruit("ann", "data_analytics")], [assign("ann", "count the visits")], [finish("up by half")])
LEADS: dict[str, Any] = {
    "when": {"system": LEAD},
    "reply": {"sequence": [{"json": {"thought": "", "actions": each}} for each in _ACTIONS]},
}
ASKS: dict[str, Any] = {"tool_calls": [{"name": "whose", "arguments": {}}]}


@pytest.fixture
def own(idle: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose worker has an adapter of its operator's own beside the shipped one."""
    install(monkeypatch, tmp_path, "shipped", SHIPPED)
    install(monkeypatch, tmp_path, "own", {"own": "own_adapter:Own"}, own_adapter=OWN)
    idle.environ = {**idle.environ, "THESEUS_ADAPTER_DATA": str(vendor_data(tmp_path / "vendor"))}
    return idle


def told(there: World, start: str) -> list[dict[str, Any]]:
    """The bodies of the requests whose system prompt begins so."""
    return [r.body for r in there.model.requests if r.body["messages"][0]["content"].startswith(start)]


async def remember(there: World, key: SessionKey) -> None:
    """60 turns: a view of 75 messages needs more than 0.75 of the model's window, and less than 0.8."""
    for n in range(60):
        tokens = 6_880 if n >= 50 else 3_300 if n >= 26 else 400
        question, answer = f"question {n}", f"answer {n}"
        await there.stores.sessions.append(
            Turn(
                key=key,
                task_id=f"t{n}",
                user_text=question,
                user_tokens=tokens,
                answer_text=answer,
                answer_tokens=tokens,
            )
        )


async def test_the_example_of_a_general_task_runs_with_each_of_its_controls_taking_effect(own: World) -> None:
    key = SessionKey(session_id=EXAMPLE["session_id"])
    await remember(own, key)
    own.model.replace(
        {
            "rules": [
                {"when": {"system": "You summarise"}, "reply": {"text": "They spoke of visits."}},
                LEADS,
                {"when": {"turn": 0}, "reply": ASKS},
                {"reply": {"text": "counted"}},
            ]
        }
    )
    async with own.worker():
        result = await own.run(**EXAMPLE, workflow="SupervisorWorkflow")
    assert (result.status, result.result, result.mode) == (TaskStatus.COMPLETED, "up by half", "supervisor")
    assert {r.model for r in own.model.requests} == {"gpt-5"} and result.provider == "openai"
    window = [m["content"] for m in told(own, "You lead")[0]["messages"][1:]]
    assert window[:3] == ["answer 22", "question 23", "answer 23"], "the first three of the last 75"
    assert "They spoke of visits." in window[3]
    assert (window[4], window[23], len(window)) == ("question 50", "answer 59", 25)
    assert result.metadata.agents[0].role == "data_analytics"
    at_work = told(own, EXAMPLE["context"]["system_prompt"])
    assert {"whose", "analytics_query"} <= {tool["function"]["name"] for tool in at_work[0]["tools"]}
    params = EXAMPLE["context"]["prompt_params"]
    assert json.loads(at_work[1]["messages"][-1]["content"]) == [*params.values(), 75, None, None, None, None]


CONTROLS = [key for key in EXAMPLE["context"] if key.endswith(("_size", "_count", "_ratio"))]


async def test_each_control_of_the_window_changes_what_a_model_sees(own: World) -> None:
    assert len(CONTROLS) == 5
    own.model.replace(
        {"rules": [{"when": {"system": "You summarise"}, "reply": {"text": "visits"}}, {"reply": {"text": "fine"}}]}
    )
    seen: dict[str, str] = {}
    async with own.worker():
        for left_out in ("nothing", *CONTROLS):
            own.model.requests.clear()
            key = SessionKey(session_id=f"s-{left_out}")
            await remember(own, key)
            context = {name: value for name, value in EXAMPLE["context"].items() if name != left_out}
            keys: dict[str, Any] = {**EXAMPLE, "session_id": key.session_id, "mode": "simple", "context": context}
            assert (await own.run(**keys)).status is TaskStatus.COMPLETED
            seen[left_out] = json.dumps([request.body["messages"] for request in own.model.requests])
    assert len(set(seen.values())) == 6, [name for name, text in seen.items() if text == seen["nothing"]]


async def test_unknown_keys_reach_tools_prompts_and_agents_and_the_system_prompt_stays_with_models(own: World) -> None:
    own.model.replace({"rules": [{"when": {"turn": 0}, "reply": ASKS}, {"reply": {"text": "fine"}}]})
    context = {
        "role": "data_analytics",
        "company_id": {"n": 7},
        "system_prompt": "secret",
        "prompt_params": {"gone": 1},
    }
    async with own.worker():
        for workflow in ("SimpleWorkflow", "StandardWorkflow"):
            own.model.requests.clear()
            handle = await own.start("x", workflow=workflow, context=context)
            assert (await own.result(handle)).status is TaskStatus.COMPLETED
            first, second = (request.body["messages"] for request in own.model.requests)
            assert first[0]["content"].startswith("secret") and '{"company_id": {"n": 7}}' in first[0]["content"]
            assert json.loads(second[-1]["content"]) == [None, None, None, None, {"n": 7}, None, None, 1]


@pytest.mark.parametrize(("workflow", "size"), [("SimpleWorkflow", 400_000), ("SupervisorWorkflow", 20_000)])
async def test_a_large_context_reaches_tools_of_agents_too_without_a_copy_in_any_call(
    own: World, workflow: str, size: int
) -> None:
    wanted: list[dict[str, Any]] = [{"name": "whose", "arguments": {}}] * 2
    rules = [{"when": {"turn": 0}, "reply": {"tool_calls": wanted}}, {"reply": {"text": "fine"}}]
    own.model.replace({"rules": [LEADS, *rules]})
    params = {"profile_id": "p-1", "blob": "long " * (size // 5)}
    async with own.worker():
        handle = await own.start("x", workflow=workflow, context={"role": "data_analytics", "prompt_params": params})
        assert (await own.result(handle)).status is TaskStatus.COMPLETED
    at_work = next(r.body["messages"] for r in own.model.requests if r.body["messages"][-1]["role"] == "tool")
    given = [json.loads(m["content"]) for m in at_work if m["role"] == "tool"]
    assert given == [["p-1", None, None, None, None, params["blob"][:40], None, None]] * 2
    agent = f"{handle.id}/agent/1" if workflow == "SupervisorWorkflow" else handle.id
    events = await history(own.client.get_workflow_handle(agent))
    calls = [e for e in events if e.activity_task_scheduled_event_attributes.activity_type.name == "tool.run"]
    assert len(calls) == 2 and all(event.ByteSize() < 2000 for event in calls)


async def test_a_task_that_went_on_in_a_new_history_has_its_context_in_what_it_took_along(
    temporal: WorkflowEnvironment,
) -> None:
    client = temporal.client
    taken = {"carried": {"task": {"context": {"company_id": "acme"}, "query": "x"}}}
    for name, given in (("first", {"query": "x", "context": {"company_id": "acme"}}), ("later", taken)):
        await client.start_workflow("TaskWorkflow", given, id=f"context-{name}", task_queue="nobody-works-here")
        context = await ActivityEnvironment().run(TaskInputs(client).context, f"context-{name}")
        assert context.model_extra == {"company_id": "acme"}
        await client.get_workflow_handle(f"context-{name}").terminate()
    with pytest.raises(InputDownError, match="no-such-task"):
        await ActivityEnvironment().run(TaskInputs(client).context, "no-such-task")
