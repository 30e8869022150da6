"""A worker killed at any moment costs nothing: another finishes the task, with the same answer and one turn in the session."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.memory import NOTER, note, noting
from tests.support.servers import valkey
from tests.support.teams import LEAD, leads, plans, subtask, synthesis
from tests.support.templates import agent, text, tool, write
from tests.support.world import Handle, World, until, world
from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.memory import Owner
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskStatus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

STEPS = 5
POINTS = 10


@pytest_asyncio.fixture
async def there(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    async with world(temporal.client, model, tmp_path, work=False) as made:
        with valkey(tmp_path) as url:
            made.settings = made.settings.model_copy(update={"redis_url": url})
            async with worker.redis_stores(made.settings) as stores:
                made.stores = stores
                yield made


def start_worker(there: World) -> subprocess.Popen[bytes]:
    """A worker as users run it: a process of its own, configured by environment alone."""
    return subprocess.Popen(
        [sys.executable, "-m", "theseus.worker"],
        env={
            **os.environ,
            **there.environ,
            "TEMPORAL_ADDRESS": there.client.service_client.config.target_host,
            "REDIS_URL": there.settings.redis_url,
            "THESEUS_TASK_QUEUE": there.settings.task_queue,
            "THESEUS_DATA_DIR": str(there.settings.data_dir),
            "THESEUS_TEMPLATES": ",".join(there.settings.templates),
        },
        stderr=subprocess.DEVNULL,
    )


async def test_killed_at_ten_points_of_a_five_step_task(there: World) -> None:
    """Ten tasks, each started a moment later than the one before, lose their worker at once: at ten points."""
    call = {"name": "calculator", "arguments": {"expression": "{{turn}}+1"}}
    there.model.replace(
        {
            "rules": [
                {"when": {"turn": STEPS - 1}, "latency": 0.2, "reply": {"text": "the answer"}},
                {"latency": 0.2, "reply": {"tool_calls": [call]}},
            ]
        }
    )
    victim = start_worker(there)
    successor: subprocess.Popen[bytes] | None = None
    try:
        await there.run("warm up")
        there.model.clear()
        handles: list[Handle] = []
        for point in range(POINTS):
            handles.append(await there.start(f"point {point}", session_id=f"s{point}"))

            async def is_under_way(point: int = point) -> bool:
                return answers_to(there, point) > 0

            # a slow machine keeps them apart, too
            await (until(is_under_way) if point < STEPS else asyncio.sleep(0.2))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        reached = [answers_to(there, point) for point in range(POINTS)]
        successor = start_worker(there)
        results = await asyncio.gather(*(there.result(handle) for handle in handles))
        assert len(set(reached)) >= 4, f"the kill hit different points: {reached}"
        for point, (handle, result) in enumerate(zip(handles, results, strict=True)):
            assert (result.status, result.result) == (TaskStatus.COMPLETED, "the answer"), point
            heads = (await there.stores.sessions.load(SessionKey(session_id=f"s{point}"), 10)).heads
            assert [head.role for head in heads] == ["user", "assistant"], point
            assert answers_to(there, point) <= STEPS + 1, "at most the call in flight is paid twice"
            types = [e.event.type for e in await there.events(handle.id)]
            assert types.count("STREAM_END") == 1 and types[-1] == "STREAM_END", point
            assert types.count("WORKFLOW_STARTED") == 1, point
    finally:
        for process in (victim, successor):
            if process is not None:
                process.kill()
                process.wait()


def answers_to(there: World, point: int) -> int:
    """How many model calls a task has made."""
    said = [str(request.body["messages"][1]["content"]) for request in there.model.requests]
    return said.count(f"point {point}")


async def test_killed_between_the_answer_and_its_notes(there: World) -> None:
    """Tasks with a memory lose their worker while notes are taken or kept: each fact is there once, and paid for once."""
    home, tea = note("The user lives in Aarhus.", "I live in Aarhus"), note("The user drinks tea.", "I drink tea")
    there.model.replace({"rules": [{**noting(home, tea), "latency": 0.6}, {"reply": {"text": "the answer"}}]})
    victim = start_worker(there)
    successor: subprocess.Popen[bytes] | None = None
    said, context = "I live in Aarhus. I drink tea.", {"role": "chat", "memory": True}

    async def notes_of(count: int) -> bool:
        return sum(NOTER in str(request.body["messages"][0]["content"]) for request in there.model.requests) >= count

    try:
        await there.run("warm up", context={"role": "chat"})
        handles: list[Handle] = []
        for point in range(5):
            handles.append(await there.start(said, user_id=f"user{point}", context=context))
            await until(lambda point=point: notes_of(point + 1))
            await asyncio.sleep(0.12)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        successor = start_worker(there)
        results = await asyncio.gather(*(there.result(handle) for handle in handles))
        for point, result in enumerate(results):
            assert (result.status, result.result) == (TaskStatus.COMPLETED, "the answer"), point
            facts = (await there.stores.memory.load(Owner(user_id=f"user{point}"))).facts
            assert [fact.text for fact in facts] == [home["fact"], tea["fact"]], point
            assert result.metadata.memory is not None
            assert result.metadata.memory.kept == [fact.id for fact in facts], point
    finally:
        for process in (victim, successor):
            if process is not None:
                process.kill()
                process.wait()


async def test_killed_in_the_middle_of_teams(there: World) -> None:
    """Standard and supervised tasks at different points lose their worker: another finishes all, with the same answers."""
    work = {"when": {"last_user": "^(do|work)"}, "latency": 0.6, "reply": {"text": "found"}}
    decisions = leads(
        [
            {"kind": "recruit", "name": "ann", "role": "chat"},
            {"kind": "recruit", "name": "bob", "role": "chat"},
            {"kind": "assign", "agent": "ann", "task": "work of ann"},
            {"kind": "assign", "agent": "bob", "task": "work of bob"},
        ],
        [{"kind": "assign", "agent": "ann", "task": "work again"}],
    )
    finish = {"thought": "", "actions": [{"kind": "finish", "answer": "by the team"}]}
    rules = [*decisions, {"when": {"any_message": "work again"}, "reply": {"json": finish}}]
    lead = {"when": {"system": LEAD}, "latency": 0.1, "reply": {"json": finish}}
    plan = plans(subtask("a"), subtask("b", "a"), subtask("c"))
    there.model.replace({"rules": [work, *rules, lead, plan, synthesis("the whole answer")]})
    victim = start_worker(there)
    successor: subprocess.Popen[bytes] | None = None
    try:
        await there.run("warm up", context={"role": "chat"})
        handles: list[Handle] = []
        for point in range(6):
            kind = ("StandardWorkflow", "SupervisorWorkflow")[point % 2]
            handles.append(await there.start(f"team {point}", workflow=kind))
            await asyncio.sleep(0.35)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        successor = start_worker(there)
        results = await asyncio.gather(*(there.result(handle) for handle in handles))
        for point, result in enumerate(results):
            assert result.result == ("the whole answer", "by the team")[point % 2], point
            assert result.status is TaskStatus.COMPLETED, (point, result.metadata.degraded)
    finally:
        for process in (victim, successor):
            if process is not None:
                process.kill()
                process.wait()


async def test_killed_in_the_middle_of_templates(there: World) -> None:
    """Templates at six points lose their worker: each ends with the same text, and no node is done again but those in flight."""
    folder = Path(there.settings.data_dir) / "own templates"
    there.settings = there.settings.model_copy(update={"templates": (str(folder),)})
    nodes = [
        agent("first", "{{ task.query }} does first"),
        tool("sum", "calculator", {"expression": "6 * 7"}),
        text("between", "{{ results.first }} and {{ results.sum }}", "first", "sum"),
        {
            "id": "each",
            "type": "dag",
            "depends_on": ["between"],
            "parallel_by": "{{ ['x', 'y'] }}",
            "each": {"role": "chat", "prompt": "{{ task.query }} does {{ item }}"},
        },
        agent("last", "{{ task.query }} does last", "each"),
    ]
    output = "{{ results.between }}; {{ results.each }}; {{ results.last }}"
    write(folder, {"name": "steps", "nodes": nodes, "output": output})
    there.model.replace({"rules": [{"latency": 0.5, "reply": {"text": "done"}}]})
    victim = start_worker(there)
    successor: subprocess.Popen[bytes] | None = None
    context = {"template": "steps"}
    try:
        whole = await there.run("point w", workflow="TemplateWorkflow", context=context)
        assert whole.status is TaskStatus.COMPLETED, (whole.error, whole.metadata.degraded)
        calls = len(there.model.requests)
        there.model.clear()
        handles: list[Handle] = []
        for point in range(6):
            handles.append(await there.start(f"point {point}", workflow="TemplateWorkflow", context=context))

            async def is_under_way(point: int = point) -> bool:
                return any(f"point {point} does" in str(each.body["messages"]) for each in there.model.requests)

            # the template is read by the first step: what comes after it does not see another one
            await until(is_under_way)
            await asyncio.sleep(0.3)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        write(folder, {"name": "steps", "nodes": [text("only", "another template")]})
        successor = start_worker(there)
        results = await asyncio.gather(*(there.result(handle) for handle in handles))
        for point, result in enumerate(results):
            assert (result.status, result.result) == (TaskStatus.COMPLETED, whole.result), point
            made = [str(request.body["messages"]) for request in there.model.requests]
            assert sum(f"point {point} does" in said for said in made) <= calls + 2, "what was in flight is paid twice"
    finally:
        for process in (victim, successor):
            if process is not None:
                process.kill()
                process.wait()
