"""Rendering: texts are filled in by a process of its own, which is ended when it does not answer."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from pydantic import JsonValue

from theseus.activities.library.renderer import CPU_SECONDS, MOST_BYTES
from theseus.contracts.template import Rendered, RenderRequest, TextToRender

_log = logging.getLogger("theseus.library")

PATIENCE_SECONDS = 15.0
"""A process that is silent for so long is ended: far more than it may compute, for a machine that is busy."""
STEP_SECONDS = 30.0
"""The texts of one step take no longer together: others wait for their turn."""
WINDOW_SECONDS = 10.0
"""What one task had rendered within so long may go to the server in one message: it is told of steps under way each 8 s."""
MAX_LINE_BYTES = 1024 * 1024
MODULE = "theseus.activities.library.renderer"


class RenderingError(Exception):
    """The process that renders cannot be had; another try may succeed."""


@dataclass
class _Step:
    """A request under way: what of it is still to be rendered, and in how many bytes."""

    waiting: list[TextToRender]
    sees: dict[str, Any]
    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    room: int = MOST_BYTES

    def fail(self, why: str) -> None:
        """The first that waits cannot be rendered."""
        self.failed[self.waiting.pop(0).id] = why

    def take(self, answer: dict[str, Any]) -> None:
        """What came of the first that waits."""
        if "error" in answer:
            self.fail(answer["error"])
            return
        text = self.waiting.pop(0)
        self.values[text.id] = answer["value"]
        self.room -= answer["size"]
        if text.is_result:
            self.sees["results"][text.id] = answer["value"]


class Rendering:
    """Renders one request after another. The process is started when it is needed first, and again when it is gone.

    Args:
        step_seconds: so long the texts of one request may take together.
    """

    def __init__(self, step_seconds: float = STEP_SECONDS) -> None:
        self._step_seconds = step_seconds
        self._lately: list[tuple[float, str, int]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        async with self._turn:
            await self._end()

    async def render(self, request: RenderRequest, task: str = "") -> Rendered:
        """The texts of the request, filled in one after another; later, when the same task had many large ones just now.

        Raises:
            RenderingError: no process can be started, or it ended for no reason of the texts'.
        """
        sees = request.model_dump(mode="json", include={"params", "results", "task", "context"})
        step = _Step(list(request.texts), sees)
        while step.waiting:
            async with self._turn:
                patience = self._patience(task)
                if not patience:
                    await self._rendered(step)
                    self._lately.append((time.monotonic(), task, MOST_BYTES - step.room))
            await asyncio.sleep(patience)
        return Rendered(values=step.values, failed=step.failed)

    def _patience(self, task: str) -> float:
        """How many seconds a task has to wait until there is room for another step of it."""
        now = time.monotonic()
        self._lately = [each for each in self._lately if each[0] > now - WINDOW_SECONDS]
        own = [(at, size) for at, whose, size in self._lately if whose == task]
        return max(own[0][0] + WINDOW_SECONDS - now, 0.01) if sum(size for _, size in own) > MOST_BYTES else 0.0

    async def _rendered(self, step: _Step) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._step_seconds):
                while step.waiting:
                    await self._some(step)
                    if step.waiting:
                        step.fail(f"it takes more than {CPU_SECONDS:g} s or too much memory to render")
        while step.waiting:
            step.fail(f"the texts of one step take more than {self._step_seconds:g} s together")

    async def _some(self, step: _Step) -> None:
        """Renders as many of the texts that wait as the process lives for."""
        process = await self._running()
        assert process.stdin is not None and process.stdout is not None
        texts = [text.model_dump(mode="json") for text in step.waiting]
        asked = {"texts": texts, "sees": step.sees, "room": step.room}
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            await process.stdin.drain()
            while step.waiting:
                line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
                if not line:
                    break
                step.take(json.loads(line))
        except (TimeoutError, ConnectionError, ValueError) as error:
            _log.warning("the process that renders texts was ended: %s", error or type(error).__name__)
        finally:
            # an answer that nobody waits for any more would be taken for the next one's
            if step.waiting:
                await self._end()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            # it gets none of the environment, where keys are
            known = {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part), "PYTHONUTF8": "1"}
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    # nothing is imported from the folder where the worker happens to stand
                    "-P",
                    "-m",
                    MODULE,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    env=known,
                    limit=MAX_LINE_BYTES,
                    start_new_session=True,
                )
            except OSError as error:
                raise RenderingError(f"the process that renders texts cannot be started: {error}") from error
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.kill()
        await process.wait()
