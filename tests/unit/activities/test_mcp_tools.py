"""An MCP server's tools are tools like any other; whatever the server does, a call ends in bounds with a value."""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.support import mcp_notes
from tests.support.servers import free_port
from theseus.activities.tools.declarations import ToolFileError
from theseus.activities.tools.mcp.file import load_servers
from theseus.activities.tools.mcp.tools import serving
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect

CONTEXT = ToolContext(SessionKey(session_id="s"), task_id="task-1", idempotency_key="task-1:4:c")
NOTES: Mapping[str, Any] = {"command": sys.executable, "args": [mcp_notes.__file__], "timeout": 20}
KEY = "a-very-secret-key-1"


class There:
    """A registry with the tools of some servers."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    async def call(self, name: str, **arguments: Any) -> Outcome:
        """One call."""
        return await self.registry.run(ToolCall(id="c", name=name, arguments=json.dumps(arguments)), CONTEXT)


@asynccontextmanager
async def there(folder: Path, environ: Mapping[str, str] | None = None, **servers: Any) -> AsyncGenerator[There]:
    """The servers of a file, connected."""
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": servers}))
    entries = load_servers(file, {"PATH": os.environ["PATH"], **(environ or {})})
    registry = Registry([], sources=[entry.name for entry in entries])
    async with serving(entries, registry.put):
        yield There(registry)


def python(code: str, **more: Any) -> dict[str, Any]:
    """A server that is a few lines of Python."""
    return {"command": sys.executable, "args": ["-c", code], "start_timeout": 2, **more}


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_tools_are_listed_with_prefix_schema_and_the_effect_that_the_server_hints_at(tmp_path: Path) -> None:
    async with there(tmp_path, notes=NOTES) as run:
        effects = {facts.name: facts.effect for facts in run.registry.facts()}
        assert effects["notes__echo"] == Effect.READ
        assert effects["notes__set_title"] == Effect.IDEMPOTENT
        assert effects["notes__note"] == Effect.WRITE
        (spec,) = run.registry.specs(["notes__echo"])
        assert spec.description == "Says a text again."
        properties: Any = spec.parameters["properties"]
        assert properties["text"]["maxLength"] == 200
        assert spec.parameters["required"] == ["text"]


async def test_a_call_is_validated_first_and_reaches_the_server_with_its_idempotency_key(tmp_path: Path) -> None:
    async with there(tmp_path, notes=NOTES) as run:
        assert await run.call("notes__echo", text="ship", times=2) == Outcome("ship ship")
        assert (await run.call("notes__note", text="a")).text == "kept 'a' under task-1:4:c"
        wrong = await run.call("notes__echo", times="many")
        assert wrong.is_error
        assert "it was not run" in wrong.text
        assert "'text' is a required property" in wrong.text
        assert "times: 'many' is not of type 'integer'" in wrong.text


async def test_what_is_no_text_is_said_and_an_error_of_the_tool_is_an_error(tmp_path: Path) -> None:
    async with there(tmp_path, notes=NOTES) as run:
        shown = (await run.call("notes__picture")).text
        assert "a caption\n[image, image/png, about 9 bytes: it cannot be shown]" in shown
        assert "[resource all notes at notes://all: every note]" in shown
        assert "[resource notes://1]\nfirst note" in shown
        assert "[resource notes://blob, application/zip, about 6 bytes: it cannot be shown]" in shown
        failed = await run.call("notes__fail")
        assert (failed.is_error, "no such note" in failed.text) == (True, True)


async def test_a_server_sees_no_variable_but_those_it_was_given_and_its_key_is_neither_said_nor_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = {**NOTES, "env": {"NOTES_KEY": "${MY_KEY}", "LEVEL": "2"}}
    with caplog.at_level(logging.DEBUG, "theseus"):
        async with there(tmp_path, {"MY_KEY": KEY, "OPENAI_API_KEY": "x"}, notes=entry) as run:
            names = (await run.call("notes__environment")).text.split()
            assert {"NOTES_KEY", "LEVEL", "PATH"} <= set(names)
            assert not {"MY_KEY", "OPENAI_API_KEY"} & set(names)
            failed = await run.call("notes__fail")
            assert failed.text == "no such note; asked with [key]"
    assert "the key is [key]" in caplog.text
    assert KEY not in caplog.text


async def test_the_worker_goes_on_while_a_server_lists_many_large_schemas(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "schema = {'type': 'object', 'properties': {f'p{n}': {'enum': [1, 2]} for n in range(200)}}\n"
        "tools = [{'name': f't{n}', 'inputSchema': schema} for n in range(40)]\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    info = {'protocolVersion': '2025-06-18', 'capabilities': {'tools': {}}, 'serverInfo': {'name': 'n', 'version': '1'}}\n"
        "    result = {'tools': tools} if asked['method'] == 'tools/list' else info\n"
        "    if asked['method'] in ('initialize', 'tools/list'):\n"
        "        print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': result}), flush=True)\n"
        "    elif 'id' in asked:\n"
        "        error = {'code': -32601, 'message': 'no such method'}\n"
        "        print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'error': error}), flush=True)\n"
    )
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)

    watching = asyncio.create_task(watch())
    async with there(tmp_path, big=python(code, start_timeout=60)) as run:
        await asyncio.sleep(0.1)
        watching.cancel()
        assert len(run.registry.names) == 40
    assert longest < 2.5


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\u00e9"], ids=["a line break", "no ASCII"])
def test_a_key_that_no_header_can_carry_is_refused_at_the_start_and_not_shown(tmp_path: Path, key: str) -> None:
    file = tmp_path / "mcp.json"
    entry = {"url": "https://wiki.example/mcp", "headers": {"Authorization": "Bearer ${WIKI}"}}
    file.write_text(json.dumps({"mcpServers": {"wiki": entry}}))
    with pytest.raises(ToolFileError, match=r"mcpServers\.wiki\.headers\.Authorization") as refused:
        load_servers(file, {"WIKI": key})
    assert KEY not in str(refused.value)


async def test_an_entry_chooses_tools_and_says_their_effects(tmp_path: Path) -> None:
    entry = {**NOTES, "tools": ["echo", "set_*"], "effects": {"echo": "write"}}
    async with there(tmp_path, notes=entry) as run:
        assert {facts.name: facts.effect for facts in run.registry.facts()} == {
            "notes__echo": Effect.WRITE,
            "notes__set_title": Effect.IDEMPOTENT,
        }


async def test_a_server_that_dies_in_a_call_is_said_to_and_started_again_for_the_next(tmp_path: Path) -> None:
    async with there(tmp_path, notes=NOTES) as run:
        died = await run.call("notes__die")
        assert died.is_error
        assert "was lost in the middle of the call: its process ended with exit code 3" in died.text
        assert "Whether it did anything is not known" in died.text
        assert await run.call("notes__echo", text="again") == Outcome("again")


async def test_a_call_that_hangs_ends_in_time_and_does_not_end_the_calls_of_others(tmp_path: Path) -> None:
    async with there(tmp_path, notes={**NOTES, "timeout": 1}) as run:
        began = time.monotonic()
        first, second = await asyncio.gather(run.call("notes__slow", seconds=30), asyncio.wait_for(_soon(run), 10))
        assert time.monotonic() - began < 5
        assert "did not answer within 1 s" in first.text
        assert second == Outcome("slept")
        assert await run.call("notes__echo", text="again") == Outcome("again")


async def _soon(run: There) -> Outcome:
    await asyncio.sleep(0.5)
    return await run.call("notes__slow", seconds=0.8)


async def test_an_answer_of_ten_megabytes_is_an_error_and_the_next_call_goes_on(tmp_path: Path) -> None:
    async with there(tmp_path, notes=NOTES) as run:
        assert len((await run.call("notes__big", size=1_000_000)).text) == 1_000_000
        much = await run.call("notes__big", size=10_000_000)
        assert (much.is_error, "more than 4194304 bytes" in much.text) == (True, True)
        assert await run.call("notes__echo", text="again") == Outcome("again")


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ({"command": "/no/such/program"}, "there is no program /no/such/program"),
        (python("import time; time.sleep(100)"), "did not get ready within 2 s"),
        (python("import sys; sys.exit(7)"), "its process ended with exit code 7"),
        (python("while True: print('garbage', flush=True)"), "lines that are no messages"),
        (python("import sys\nwhile True: sys.stdout.write('x' * 65536)"), "a message of more than"),
        ({"url": "http://127.0.0.1:9/mcp", "start_timeout": 5}, "ConnectError"),
    ],
    ids=["absent", "hangs", "ends", "garbage", "endless line", "unreachable"],
)
async def test_a_server_that_cannot_be_used_costs_bounded_time_and_only_its_own_tools(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, server: dict[str, Any], why: str
) -> None:
    began = time.monotonic()
    async with there(tmp_path, bad=server, notes=NOTES) as run:
        assert await run.call("notes__echo", text="here") == Outcome("here")
        away = await run.call("bad__tool")
        assert away.text == "bad__tool cannot be used now: bad is away. Go on without it, or try later."
        assert run.registry.specs(["bad__tool", "notes__echo"])[0].name == "notes__echo"
    assert time.monotonic() - began < 20
    assert why in caplog.text


@pytest.mark.parametrize("end", ["closed", "cancelled"])
async def test_no_process_outlives_the_worker_not_even_one_that_a_server_started(tmp_path: Path, end: str) -> None:
    pids: list[int] = []

    async def work() -> None:
        async with there(tmp_path, notes=NOTES) as run:
            pids.extend(int(pid) for pid in (await run.call("notes__pids")).text.split())
            if end == "cancelled":
                await asyncio.sleep(60)

    task = asyncio.create_task(work())
    while end == "cancelled" and len(pids) < 2:
        await asyncio.sleep(0.05)
    if end == "cancelled":
        assert all(alive(pid) for pid in pids)
        task.cancel()
    await asyncio.wait([task], timeout=30)
    assert task.cancelled() == (end == "cancelled")
    await asyncio.sleep(0.1)
    assert [pid for pid in pids if alive(pid)] == []


async def test_a_worker_that_stops_while_it_connects_does_not_wait_for_the_server(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(100)"

    async def work() -> None:
        async with there(tmp_path, bad=python(code, start_timeout=60)):
            raise AssertionError("it never gets ready")

    task = asyncio.create_task(work())
    while not mark.exists() or not mark.read_text():
        await asyncio.sleep(0.05)
    began = time.monotonic()
    task.cancel()
    await asyncio.wait([task], timeout=30)
    assert task.cancelled()
    assert time.monotonic() - began < 10
    assert not alive(int(mark.read_text()))


@asynccontextmanager
async def over_http(port: int, **how: Any) -> AsyncGenerator[None]:
    """Our server over streamable HTTP."""
    app = mcp_notes.made().streamable_http_app(**how)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("how", [{}, {"json_response": True}], ids=["events", "json"])
async def test_a_server_over_http_works_goes_away_and_is_found_again(tmp_path: Path, how: dict[str, Any]) -> None:
    port = free_port()
    entry = {"url": f"http://127.0.0.1:{port}/mcp", "headers": {"Authorization": "Bearer ${K}"}, "timeout": 5}
    async with AsyncExitStack() as stack:
        async with over_http(port, **how):
            run = await stack.enter_async_context(there(tmp_path, {"K": KEY}, notes=entry))
            assert await run.call("notes__echo", text="ship") == Outcome("ship")
            much = await run.call("notes__big", size=10_000_000)
            assert (much.is_error, KEY in much.text) == (True, False)
            assert "it sent a message of more than 4194304 bytes" in much.text
            assert await run.call("notes__echo", text="again") == Outcome("again")
        gone = await run.call("notes__echo", text="ship")
        assert gone.is_error
        assert "MCP server notes cannot be reached now, and has not seen the call: ConnectError" in gone.text
        async with over_http(port, **how):
            assert await run.call("notes__echo", text="back") == Outcome("back")


async def test_a_server_that_others_wrote_works_end_to_end(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("mcp-server-time"))
    entry = {"command": program, "args": ["--local-timezone", "UTC"]}
    async with there(tmp_path, time=entry) as run:
        assert set(run.registry.names) == {"time__get_current_time", "time__convert_time"}
        outcome = await run.call(
            "time__convert_time", source_timezone="Asia/Tokyo", time="09:00", target_timezone="UTC"
        )
        assert not outcome.is_error
        assert "T00:00:00+00:00" in outcome.text
        wrong = await run.call("time__convert_time", source_timezone="Nowhere", time="9", target_timezone="UTC")
        assert wrong.is_error
