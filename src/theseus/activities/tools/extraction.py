"""Reads a page's bytes in a process of its own, which is killed when it takes too long."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from theseus.activities.tools import readable
from theseus.activities.tools.readable import Kind, Link, Readable, UnreadableError

AT_ONCE = 4
"""Processes of one worker that read pages at the same time; the rest wait."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    text: str = ""
    title: str = ""
    left_out: str = ""
    published: str = ""
    links: tuple[Link, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class _Work:
    data: bytes
    kind: Kind
    charset: str | None
    url: str | None
    links: bool


class Extraction:
    """Text out of pages.

    Args:
        limit: how long one page may take, the wait for its turn apart.
    """

    def __init__(self, limit: timedelta = timedelta(seconds=20)) -> None:
        self._limit = limit
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def read(
        self, data: bytes, kind: Kind, charset: str | None = None, url: str | None = None, *, links: bool = False
    ) -> Readable:
        """The text of a page; see `readable.read`.

        Raises:
            UnreadableError: there is no text in it, it is broken, or it takes too long or too much memory.
        """
        async with self._turns:
            try:
                async with asyncio.timeout(self._limit.total_seconds()):
                    return await _read_apart(_Work(data, kind, charset, url, links))
            except TimeoutError as error:
                seconds = self._limit.total_seconds()
                raise UnreadableError(f"the page is too hard to read: {seconds:g} s were not enough") from error


async def _read_apart(work: _Work) -> Readable:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        readable.__file__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # nothing of this process's environment, keys above all, is there for a parser that was taken over
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
    )
    asked = json.dumps({"kind": work.kind, "charset": work.charset, "url": work.url, "links": work.links}).encode()
    try:
        out, _ = await process.communicate(asked + b"\n" + work.data)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        answer = _Answer.model_validate_json(out)
    except ValidationError as error:
        raise UnreadableError(
            f"the page could not be read: its reader died (exit code {process.returncode})"
        ) from error
    if answer.error:
        raise UnreadableError(answer.error)
    return Readable(answer.text, answer.title, answer.left_out, answer.published, answer.links)
