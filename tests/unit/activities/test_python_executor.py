"""python_executor computes, and no program reaches a file, the network, the environment or another process, or outlasts its limits."""

import asyncio
import importlib.util
import json
import os
import time
from pathlib import Path

import pytest

from theseus.activities.tools.python_executor import Interpreter, PythonLimits, python_tools
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pydantic_monty") is None, reason="the extra `sandbox` is not installed"
)

SECRET = "sk-a-key-of-the-worker"
CONTEXT = ToolContext(SessionKey(session_id="s"), "task-1", "task-1:1:c")
LIMITS = PythonLimits(seconds=1.0, memory_bytes=32 << 20, output_chars=5_000)


async def run(code: str) -> Outcome:
    registry = Registry(python_tools(Interpreter(LIMITS)))
    return await registry.run(ToolCall(id="c", name="python_executor", arguments=json.dumps({"code": code})), CONTEXT)


WORK = {
    "an expression": ("(2 ** 100) % 97", "=> 16"),
    "printing": ("print('a', 1)\nprint('b')", "a 1\nb\n"),
    "printing and a value": ("print('a')\n'b'", "a\n=> 'b'"),
    "nothing": ("x = 1", "[It ran, printed nothing and ended without a value]"),
    "loops": ("s = 0\nfor i in range(10):\n    if i % 2:\n        s += i\ns", "=> 25"),
    "functions": ("def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\nfact(20)", "=> 2432902008176640000"),
    "comprehensions": ("{k: [i * i for i in range(k)] for k in range(3)}", "=> {0: [], 1: [0], 2: [0, 1]}"),
    "classes": ("class A:\n    def f(self):\n        return 7\nA().f()", "=> 7"),
    "modules": ("import json, math, re\njson.dumps([math.floor(math.pi), re.sub('a', 'b', 'aa')])", "=> '[3, \"bb\"]'"),
    "errors that it handles": ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    print(e)", "division by zero\n"),
    "other alphabets": ("'größer 東京'.upper()", "=> 'GRÖSSER 東京'"),
}


@pytest.mark.parametrize("name", WORK)
async def test_ordinary_work_is_done(name: str) -> None:
    code, expected = WORK[name]
    assert await run(code) == Outcome(expected)


async def test_an_error_of_the_program_is_told_with_its_line_and_what_was_printed_before() -> None:
    outcome = await run("print('so far')\nx = [1]\nx[3]")
    assert outcome.is_error
    assert outcome.text.startswith("so far\nTraceback")
    assert "line 3" in outcome.text and "IndexError" in outcome.text
    assert "SyntaxError" in (await run("def (")).text


ATTACKS = {
    # each prints or gives ESCAPED, or the secret, when it succeeds; OUTSIDE and PORT are filled in
    "an absolute path": "print(open('OUTSIDE/secret.txt').read())",
    "a path up": "print(open('../../../../../..OUTSIDE/secret.txt').read())",
    "pathlib": "from pathlib import Path\nprint(Path('OUTSIDE/secret.txt').read_text())",
    "a listing": "import os\nprint(os.listdir('/'))\nprint('ESCAPED')",
    "a listing by pathlib": "from pathlib import Path\nprint(list(Path('/').iterdir()))\nprint('ESCAPED')",
    "a symbolic link": "import os\nos.symlink('OUTSIDE/secret.txt', 'a')\nprint(open('a').read())",
    "writing to /tmp": "open('/tmp/theseus-evil', 'w').write('x')\nprint('ESCAPED')",
    "writing to /etc": "from pathlib import Path\nPath('/etc/evil').write_text('x')\nprint('ESCAPED')",
    "writing beside itself": "open('evil', 'w').write('x')\nprint('ESCAPED')",
    "a huge file": "f = open('/tmp/theseus-evil', 'w')\nwhile True:\n    f.write('x' * 1000000)",
    "its environment": "import os\nprint(os.environ)",
    "one variable": "import os\nprint(os.getenv('OPENAI_API_KEY'))",
    "/proc/self/environ": "print(open('/proc/self/environ').read())\nprint('ESCAPED')",
    "/proc/1/environ": "print(open('/proc/1/environ').read())\nprint('ESCAPED')",
    "TCP": "import socket\nsocket.create_connection(('127.0.0.1', PORT))\nprint('ESCAPED')",
    "UDP": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))\nprint('ESCAPED')",
    "HTTP": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:PORT')\nprint('ESCAPED')",
    "an event loop's connection": "import asyncio\nawait asyncio.open_connection('127.0.0.1', PORT)\nprint('ESCAPED')",
    "a shell": "import os\nos.system('echo ESCAPED')",
    "a child": "import subprocess\nprint(subprocess.run(['echo', 'ESCAPED']))",
    "a fork": "import os\nos.fork()\nprint('ESCAPED')",
    "a fork bomb": "import os\nwhile True:\n    os.fork()",
    "threads": "import threading\nthreading.Thread(target=print).start()\nprint('ESCAPED')",
    "processes": "import multiprocessing\nprint('ESCAPED')",
    "killing its parent": "import os\nos.kill(os.getppid(), 9)\nprint('ESCAPED')",
    "signals": "import signal\nsignal.raise_signal(9)\nprint('ESCAPED')",
    "C": "import ctypes\nprint('ESCAPED')",
    "the classes of all": "print(().__class__.__bases__[0].__subclasses__())\nprint('ESCAPED')",
    "the globals of a function": "def f(): pass\nprint(f.__globals__)\nprint('ESCAPED')",
    "frames": "import sys\nprint(sys._getframe().f_back)\nprint('ESCAPED')",
    "import by name": "__import__('os').system('echo ESCAPED')",
    "importlib": "import importlib\nprint(importlib.import_module('subprocess'))\nprint('ESCAPED')",
    "code in text": "exec('import subprocess')\nprint('ESCAPED')",
    "packages of the worker": "import pydantic\nprint('ESCAPED')",
    "our own package": "import theseus\nprint('ESCAPED')",
    "packages that it asks for": "# /// script\n# dependencies = ['requests']\n# ///\nimport requests\nprint('ESCAPED')",
    "a debugger": "breakpoint()\nprint('ESCAPED')",
    "standard input": "print(input())\nprint('ESCAPED')",
    "pickled code": "import pickle\nprint('ESCAPED')",
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_nothing_outside_is_reached_by(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    (tmp_path / "secret.txt").write_text(SECRET)
    met: list[str] = []

    async def connection(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append("a connection")
        writer.close()

    async with await asyncio.start_server(connection, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await run(ATTACKS[name].replace("OUTSIDE", str(tmp_path)).replace("PORT", str(port)))
    assert outcome.is_error
    # what the program says is shown with the error, so only whole lines count
    assert "ESCAPED" not in outcome.text.splitlines()
    assert SECRET not in outcome.text
    assert met == []
    assert not any(os.path.exists(path) for path in ("/tmp/theseus-evil", "/etc/evil", "evil"))


PASSED = {
    "an endless loop": ("while True:\n    pass", "TimeoutError"),
    "endless recursion": ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError"),
    "an error that swallows the limit": (
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
        "TimeoutError",
    ),
    "memory of one object": ("'x' * 10 ** 10", "MemoryError"),
    "memory that grows": ("x = ['x']\nwhile True:\n    x = x + x", "MemoryError"),
    "a huge number": ("10 ** 10 ** 9", "MemoryError"),
    "a huge range": ("list(range(10 ** 10))", "MemoryError"),
    "a pattern that never ends": ("import re\nre.match('(a|aa)+$', 'a' * 100 + 'b')", ""),
    "endless output": ("while True:\n    print('x' * 1000)", "MemoryError"),
    "one huge line": ("print('x' * 10_000_000)", "MemoryError"),
    "a value nested deep": ("x = []\nfor _ in range(100_000):\n    x = [x]\nx", ""),
    "sleeping for ever": ("import time\nwhile True:\n    time.sleep(1000)", "Error"),
}


@pytest.mark.parametrize("name", PASSED)
async def test_limits_end(name: str) -> None:
    code, told = PASSED[name]
    began = time.monotonic()
    outcome = await run(code)
    assert told in outcome.text
    assert outcome.is_error or not told
    assert len(outcome.text) < 3 * LIMITS.output_chars
    assert time.monotonic() - began < 10
    assert await run("1 + 1") == Outcome("=> 2"), "the next program runs"


async def test_a_large_value_is_shown_from_its_start() -> None:
    outcome = await run("'x' * 20_000")
    assert not outcome.is_error
    assert outcome.text.startswith("=> 'xxx")
    assert "characters more are left out" in outcome.text


def interpreters() -> list[str]:
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdecimal() else []
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1] if words else ""
        except OSError:
            continue
        if any(word.endswith((b"/monty", b"/python_program.py")) for word in words) and parent:
            found.append(entry.name)
    return found


async def test_a_cancelled_call_leaves_no_process() -> None:
    before = set(interpreters())
    slow = Registry(python_tools(Interpreter(PythonLimits(seconds=30))))
    call = ToolCall(id="c", name="python_executor", arguments=json.dumps({"code": "while True: pass"}))
    task = asyncio.create_task(slow.run(call, CONTEXT))
    for _ in range(200):
        if len(set(interpreters()) - before) >= 2:
            break
        await asyncio.sleep(0.05)
    mine = set(interpreters()) - before
    assert len(mine) >= 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if not mine & set(interpreters()):
            break
        await asyncio.sleep(0.05)
    assert not mine & set(interpreters())


def test_it_reads_only_so_that_a_call_may_be_repeated() -> None:
    assert [facts.effect for facts in Registry(python_tools()).facts()] == [Effect.READ]


def test_without_its_interpreter_the_tool_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    assert python_tools() == []
