"""Rendering: texts are filled in by a process of its own, which is ended when it does not answer."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from pydantic import JsonValue

from theseus.activities.library.renderer import CPU_SECONDS
from theseus.contracts.template import Rendered, RenderRequest, TextToRender

_log = logging.getLogger("theseus.library")

PATIENCE_SECONDS = 15.0
"""A process that is silent for so long is ended: far more than it may compute, for a machine that is busy."""
MAX_LINE_BYTES = 1024 * 1024
MODULE = "theseus.activities.library.renderer"


class RenderingError(Exception):
    """The process that renders cannot be had; another try may succeed."""


class Rendering:
    """Renders one request after another. The process is started when it is needed first, and again when it is gone."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        async with self._turn:
            await self._end()

    async def render(self, request: RenderRequest) -> Rendered:
        """The texts of the request, filled in one after another.

        Raises:
            RenderingError: no process can be started, or it ended for no reason of the texts'.
        """
        values: dict[str, JsonValue] = {}
        failed: dict[str, str] = {}
        waiting = list(request.texts)
        sees = request.model_dump(mode="json", include={"params", "results", "task", "context"})
        async with self._turn:
            while waiting:
                done = await self._some(waiting, sees, values, failed)
                waiting = waiting[done:]
                if waiting:
                    failed[waiting.pop(0).id] = f"it takes more than {CPU_SECONDS:g} s or too much memory to render"
        return Rendered(values=values, failed=failed)

    async def _some(
        self,
        texts: Sequence[TextToRender],
        sees: dict[str, Any],
        values: dict[str, JsonValue],
        failed: dict[str, str],
    ) -> int:
        """Renders as many of the texts as the process lives for; how many that were."""
        process = await self._running()
        assert process.stdin is not None and process.stdout is not None
        asked = {"texts": [text.model_dump(mode="json") for text in texts], "sees": sees}
        done = 0
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            await process.stdin.drain()
            for text in texts:
                line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
                if not line:
                    break
                answer = json.loads(line)
                if "error" in answer:
                    failed[text.id] = answer["error"]
                else:
                    values[text.id] = answer["value"]
                    if text.is_result:
                        sees["results"][text.id] = answer["value"]
                done += 1
        except (TimeoutError, ConnectionError, ValueError) as error:
            _log.warning("the process that renders texts was ended: %s", error or type(error).__name__)
        finally:
            # an answer that nobody waits for any more would be taken for the next one's
            if done < len(texts):
                await self._end()
        return done

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            # it gets none of the environment, where keys are
            known = {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part), "PYTHONUTF8": "1"}
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
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
