"""Records one history per path of every workflow into histories/: `python -m tests.replay.record`.

A recorded history stays until no task that ran that way can be alive; record new ones, do not overwrite old ones.
"""

import asyncio
import contextlib
import functools
import json
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from tests.replay import context_paths, library_paths, research_paths, team_paths
from tests.support.memory import note, noting
from tests.support.temporal import dev_server
from tests.support.world import Handle, World, world
from theseus.activities.llm.scripted.script import Script
from theseus.activities.llm.scripted.server import running
from theseus.contracts.session import SessionKey, Turn
from theseus.stores.archive.opening import archive
from theseus.stores.ports import StoreDownError

HISTORIES = Path(__file__).parent / "histories"

Path_ = Callable[[World], Awaitable[Handle]]
PATHS: dict[str, Path_] = {}


def path(name: str) -> Callable[[Path_], Path_]:
    """Registers a path by the name of its file."""

    def register(record: Path_) -> Path_:
        PATHS[name] = record
        return record

    return register


def tool(expression: str) -> dict[str, Any]:
    return {"name": "calculator", "arguments": {"expression": expression}}


async def ended(there: World, handle: Handle) -> Handle:
    # a cancelled task has no result
    with contextlib.suppress(AssertionError):
        await there.result(handle)
    return handle


@path("simple-one-call")
async def one_call(there: World) -> Handle:
    there.model.replace({"rules": [{"reply": {"text": "Paris."}}]})
    return await ended(there, await there.start("Capital of France?", context={"role": "chat"}))


@path("simple-archived")
async def archived(there: World) -> Handle:
    there.model.replace({"rules": [{"reply": {"text": "Paris."}}]})
    return await ended(there, await there.start("Capital of France?", context={"role": "chat"}))


@path("simple-react")
async def with_tools(there: World) -> Handle:
    there.model.replace(
        {
            "rules": [
                {"when": {"turn": 0}, "reply": {"tool_calls": [tool("6*7"), tool("2**8")]}},
                {"reply": {"text": "42"}},
            ]
        }
    )
    return await ended(there, await there.start("compute"))


@path("simple-loop-stopped")
async def loop(there: World) -> Handle:
    there.model.replace(
        {
            "rules": [
                {"when": {"any_message": "same tool call"}, "reply": {"text": "so"}},
                {"reply": {"tool_calls": [tool("1")]}},
            ]
        }
    )
    return await ended(there, await there.start("loop"))


@path("simple-session-summarised")
async def summarised(there: World) -> Handle:
    key = SessionKey(session_id="long")
    for n in range(30):
        turn = Turn(
            key=key, task_id=f"t{n}", user_text=f"q{n}", user_tokens=4_000, answer_text=f"a{n}", answer_tokens=4_000
        )
        await there.stores.sessions.append(turn)
    there.model.replace(
        {
            "rules": [
                {"when": {"system": "You summarise"}, "reply": {"text": "many things"}},
                {"reply": {"text": "fine"}},
            ]
        }
    )
    context = {
        "role": "chat",
        "history_window_size": 60,
        "compression_trigger_ratio": 0.5,
        "compression_target_ratio": 0.4,
    }
    return await ended(there, await there.start("and now?", session_id="long", context=context))


@path("simple-with-memory")
async def with_memory(there: World) -> Handle:
    home = note("The user's home town is Aarhus.", "My home town is Aarhus", kind="person", about="home town")
    there.model.replace({"rules": [noting(home), {"reply": {"text": "Hello."}}]})
    keys: dict[str, Any] = {"user_id": "ada", "context": {"role": "chat", "memory": True}}
    await there.run("My home town is Aarhus.", **keys)
    moved = note("The user's home town is Odense.", "I moved to Odense", kind="person", about="home town")
    there.model.replace({"rules": [noting(moved), {"reply": {"text": "In Aarhus."}}]})
    return await ended(there, await there.start("I moved to Odense. Where did I live?", **keys))


@path("simple-memory-down")
async def memory_down(there: World) -> Handle:
    there.model.replace({"rules": [noting(note("The user is Ada.", "I am Ada")), {"reply": {"text": "Hello."}}]})
    memory: Any = there.stores.memory
    memory.load = memory.revise = _refused
    context = {"role": "chat", "memory": True}
    return await ended(there, await there.start("I am Ada.", user_id="ada", context=context))


async def _refused(*_: Any) -> Any:
    raise StoreDownError("connection refused")


@path("simple-budget-exhausted")
async def budget(there: World) -> Handle:
    work = {"text": "thinking " * 40, "tool_calls": [tool("{{turn}}+1")]}
    there.model.replace(
        {"rules": [{"when": {"any_message": "budget is nearly"}, "reply": {"text": "so far"}}, {"reply": work}]}
    )
    return await ended(there, await there.start("x", max_iterations=50, limits={"tokens": 20_000}))


@path("simple-paused-resumed")
async def paused(there: World) -> Handle:
    there.model.replace(
        {
            "rules": [
                {"when": {"turn": 0}, "latency": 0.5, "reply": {"tool_calls": [tool("1+1")]}},
                {"reply": {"text": "two"}},
            ]
        }
    )
    handle = await there.start("x")
    await asyncio.sleep(0.3)
    await handle.signal("pause", {"reason": "lunch"})
    await asyncio.sleep(0.7)
    await handle.signal("resume")
    return await ended(there, handle)


@path("simple-cancelled-by-signal")
async def cancelled_by_signal(there: World) -> Handle:
    return await _cancelled(there, by_signal=True)


@path("simple-cancelled-by-temporal")
async def cancelled_by_temporal(there: World) -> Handle:
    return await _cancelled(there, by_signal=False)


async def _cancelled(there: World, *, by_signal: bool) -> Handle:
    there.model.replace({"rules": [{"reply": {"text": "never ends" * 20}, "fault": {"hang_after": 30}}]})
    handle = await there.start("x", context={"role": "chat"})
    await asyncio.sleep(1)
    await (handle.signal("cancel", {"reason": "enough"}) if by_signal else handle.cancel())
    return await ended(there, handle)


@path("simple-refused")
async def refused(there: World) -> Handle:
    return await ended(there, await there.start(""))


@path("simple-failed")
async def failed(there: World) -> Handle:
    there.model.replace({"rules": [{"fault": {"status": 400, "body": "no"}}]})
    return await ended(there, await there.start("x"))


@path("simple-timed-out")
async def timed_out(there: World) -> Handle:
    there.model.replace({"rules": [{"reply": {"text": "never ends" * 20}, "fault": {"hang_after": 30}}]})
    return await ended(there, await there.start("x", limits={"wall_clock_seconds": 2}))


@path("task-routed")
async def routed(there: World) -> Handle:
    assessment = {"complexity": 0.1, "needs_tools": False, "suggested_mode": "simple"}
    there.model.replace(
        {"rules": [{"when": {"system": "You assess"}, "reply": {"json": assessment}}, {"reply": {"text": "4"}}]}
    )
    return await ended(there, await there.start("2+2?", workflow="TaskWorkflow"))


@path("task-routed-to-what-is-not-built")
async def routed_beyond(there: World) -> Handle:
    assessment = {"complexity": 0.9, "needs_tools": False, "suggested_mode": "complex"}
    there.model.replace(
        {"rules": [{"when": {"system": "You assess"}, "reply": {"json": assessment}}, {"reply": {"text": "4"}}]}
    )
    return await ended(there, await there.start("2+2?", workflow="TaskWorkflow"))


@path("task-router-failed")
async def router_failed(there: World) -> Handle:
    there.model.replace(
        {"rules": [{"when": {"system": "You assess"}, "reply": {"text": "hm"}}, {"reply": {"text": "4"}}]}
    )
    return await ended(there, await there.start("2+2?", workflow="TaskWorkflow"))


@path("simple-transcripts-lost")
async def transcripts_lost(there: World) -> Handle:
    there.model.replace(
        {
            "rules": [
                {"when": {"turn": 6}, "reply": {"text": "done"}},
                {"latency": 0.3, "reply": {"tool_calls": [tool("{{turn}}+1")]}},
            ]
        }
    )
    handle = await there.start("x")
    await asyncio.sleep(1.2)
    await _forget(there)
    return await ended(there, handle)


async def _forget(there: World) -> None:
    transcripts: Any = there.stores.transcripts
    transcripts.clear()


PATHS.update(team_paths.PATHS)
PATHS.update(research_paths.PATHS)
PATHS.update(context_paths.PATHS)
PATHS.update(library_paths.PATHS)
for _strategy in team_paths.STRATEGIES:
    PATHS[f"agent-{_strategy}"] = functools.partial(team_paths.by_strategy, strategy=_strategy)


def portable(history: WorkflowHistory) -> str:
    """The history as JSON, without what only tells of the machine that it was recorded on."""
    kept: dict[str, Any] = {"identity": "recorded", "stackTrace": ""}
    # the queue of a worker that keeps a task in its cache is named after the worker's process and machine
    text = re.sub(r'"\d+@[^"]+"', '"recorded"', history.to_json())
    plain = json.loads(text, object_hook=lambda node: {k: kept.get(k, v) for k, v in node.items()})
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def documents() -> Path:
    """A folder of documents, the same at each recording: its name goes into histories."""
    folder = Path(tempfile.gettempdir()) / "theseus-recorded"
    folder.mkdir(exist_ok=True)
    for name, text in research_paths.DOCUMENTS.items():
        (folder / name).write_text(text)
    return folder


async def record(names: list[str]) -> None:
    """Records the named paths, or those that have no history yet."""
    HISTORIES.mkdir(exist_ok=True)
    async with dev_server() as env, running(Script()) as model:
        for name, make in PATHS.items():
            file = HISTORIES / f"{name}.json"
            if name not in names and (names or file.exists()):
                continue
            async with contextlib.AsyncExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                more: dict[str, Any] = {**library_paths.files(folder), "corpus_dir": documents()}
                if name.endswith("-archived"):
                    more["archive"] = await stack.enter_async_context(archive(f"sqlite:///{folder}/archive.db"))
                there = await stack.enter_async_context(world(env.client, model, folder, **more))
                handle = await make(there)
                file.write_text(portable(await handle.fetch_history()))
            model.clear()


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
