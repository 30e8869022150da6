"""The tool python_executor: Python that computes and can do nothing else, by the interpreter Monty in a process of its own."""

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from theseus.activities.tools.registry import Tool, ToolError, tool
from theseus.contracts.tools import Effect

MAX_CODE_CHARS = 50_000
AT_ONCE = 4
"""Interpreters of one worker at the same time; the rest wait for their turn."""
SLACK_SECONDS = 10.0
"""So much longer than its limit an interpreter may take to start and to end."""
TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True)
class PythonLimits:
    """What one program may use: time that it computes, memory of its objects, and text that it gives."""

    seconds: float = 10.0
    memory_bytes: int = 128 << 20
    output_chars: int = 100_000


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    output: str = ""
    value: str | None = None
    error: str | None = None
    kind: Literal["code", "crash"] = "code"


class Interpreter:
    """Runs programs, each in a process that is ended with it."""

    def __init__(self, limits: PythonLimits | None = None) -> None:
        self._limits = limits or PythonLimits()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self, code: str) -> str:
        """What a program printed, and the value of its last expression.

        Raises:
            ToolError: it failed or passed a limit; with what it printed until then.
        """
        async with self._turns:
            try:
                async with asyncio.timeout(self._limits.seconds + SLACK_SECONDS):
                    answer = await _answer(code, self._limits)
            except TimeoutError as error:
                raise ToolError(
                    f"The program did not end within {self._limits.seconds:g} s and was stopped."
                ) from error
        if answer.error is None:
            return _told(answer)
        if answer.kind == "crash":
            raise ToolError(
                f"{answer.output}The interpreter gave up: {answer.error}. Use less memory or a simpler way."
            )
        raise ToolError(f"{answer.output}{answer.error}")


def python_tools(interpreter: Interpreter | None = None) -> list[Tool]:
    """The tool that runs Python; none where the interpreter (the extra `sandbox`) is not installed."""
    if importlib.util.find_spec("pydantic_monty") is None:
        return []
    runs = interpreter or Interpreter()

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def python_executor(code: Annotated[str, Field(min_length=1, max_length=MAX_CODE_CHARS)]) -> str:
        """Runs a Python program and gives what it prints and the value of its last expression.

        It computes only: functions, classes, comprehensions and modules such as math, json, re and datetime are there; files,
        network, other programs, installed packages and generators are not. Nothing is kept between calls.

        Args:
            code: the whole program; end it with the expression whose value you want, or print
        """
        return await runs.run(code)

    return [python_executor]


async def _answer(code: str, limits: PythonLimits) -> _Answer:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(Path(__file__).with_name("python_program.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # nothing of this process's environment, keys above all, is there for an interpreter that was taken over
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
        start_new_session=True,
    )
    try:
        out, _ = await process.communicate(json.dumps({"code": code, **asdict(limits)}).encode())
    finally:
        # the interpreter is a process below that one; both are in this group
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    try:
        return _Answer.model_validate_json(out)
    except ValidationError:
        return _Answer(error=f"its process died (exit code {process.returncode})", kind="crash")


def _told(answer: _Answer) -> str:
    if answer.value is None:
        return answer.output or "[It ran, printed nothing and ended without a value]"
    return f"{answer.output}{'' if answer.output.endswith(chr(10)) or not answer.output else chr(10)}=> {answer.value}"
