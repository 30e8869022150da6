"""The browser of a worker: one process, started when it is needed, with no way out but the filtering proxy."""

import asyncio
import contextlib
import json
import logging
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import Browser, BrowserContext, Error, Playwright, async_playwright

from theseus.activities.tools.browser.leash import REFUSAL
from theseus.activities.tools.browser.proxy import FilteringProxy
from theseus.activities.tools.egress import Egress

_log = logging.getLogger("theseus.browser")

T = TypeVar("T")

START = timedelta(seconds=20)
END = timedelta(seconds=5)
MEMORY_BYTES = 2 << 30
"""A browser whose processes use more is ended."""
USER = 60813
"""Whom the browser runs as when the worker is root, so that it keeps its sandbox."""
WIDTH, HEIGHT = 1280, 800

_FLAGS = (
    # UDP has no proxy: nothing may leave by it
    "--disable-quic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    # its name in older browsers
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # names are resolved by the proxy alone
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--dns-prefetch-disable",
    "--no-pings",
    "--disable-gpu",
    # a page that takes too much crashes before the whole browser does
    "--js-flags=--max-old-space-size=512",
    "--renderer-process-limit=8",
)


class BrowserDownError(Exception):
    """The browser cannot be started, or ended meanwhile; the message says why."""


class Chromium:
    """A browser that is started by the first context that is asked for.

    Args:
        program: the installed browser.
        egress: where pages may connect to.
        sandbox: whether the browser shuts its pages in, as it should.
        memory_bytes: so much all its processes may use.
    """

    def __init__(
        self, program: Path, egress: Egress, *, sandbox: bool = True, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._program = program
        self._proxy = FilteringProxy(egress)
        self._sandbox = sandbox
        self._memory_bytes = memory_bytes
        self._starting = asyncio.Lock()
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._undoing: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        """Whether there is a process that can be spoken to."""
        return self._browser is not None and self._browser.is_connected()

    async def context(self) -> BrowserContext:
        """A fresh context: nothing of any other is in it.

        Raises:
            BrowserDownError: the browser cannot be started.
        """
        async with self._starting:
            if self._browser is not None and self._browser.is_connected():
                # a browser that has just died may not be known to have
                with contextlib.suppress(Error):
                    return await self._fresh(self._browser)
            await self._stop()
            try:
                self._browser = await self._start()
                return await self._fresh(self._browser)
            except BaseException as error:
                await self._stop()
                if isinstance(error, Error):
                    raise BrowserDownError(first_line(error)) from error
                raise

    async def stop(self) -> None:
        """Ends the process; the next context starts another."""
        async with self._starting:
            await self._stop()
            await asyncio.gather(*self._undoing)

    async def _start(self) -> Browser:
        folder = Path(tempfile.mkdtemp(prefix="theseus-browser-"))
        await self._proxy.open()
        try:
            async with asyncio.timeout(2 * START.total_seconds()):
                self._driver = await self._whole(async_playwright().start(), lambda made: made.stop())
                browser = await self._driver.chromium.launch(
                    executable_path=self._leashed(folder),
                    headless=True,
                    chromium_sandbox=self._sandbox,
                    args=list(_FLAGS),
                    # a page opens a window when it is clicked, not when it likes
                    ignore_default_args=["--disable-popup-blocking"],
                    proxy={"server": self._proxy.address, "bypass": "<-loopback>"},
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                    timeout=START.total_seconds() * 1000,
                )
        except (Error, OSError) as error:
            raise BrowserDownError(self._why(error)) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _log.info("browser %s runs%s", browser.version, "" if self._sandbox else " without a sandbox")
        return browser

    def _leashed(self, folder: Path) -> Path:
        """A program that is started like the browser, and runs it on the leash."""
        orders = {
            "worker": os.getpid(),
            "browser": str(self._program),
            "user": USER if os.geteuid() == 0 and self._sandbox else 0,
            "memory_bytes": self._memory_bytes,
        }
        leash = [sys.executable, "-E", "-s", "-S", str(Path(__file__).with_name("leash.py")), json.dumps(orders)]
        program = folder / "browser"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(leash)} "$@"\n')
        program.chmod(0o700)
        return program

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"the browser did not start within {START.total_seconds():g} s"
        refusal = next((line for line in str(error).splitlines() if REFUSAL in line), "")
        if refusal:
            hint = f"; a worker that is root starts it as user {USER}, unless THESEUS_BROWSER_SANDBOX=0"
            return (
                f"the browser does not start: {refusal.partition(REFUSAL)[2][:300]}{hint if os.geteuid() == 0 else ''}"
            )
        if self._sandbox and "sandbox" in str(error).lower():
            return (
                "the browser cannot make its sandbox on this worker: permit user namespaces, or run it without one by "
                "THESEUS_BROWSER_SANDBOX=0"
            )
        return f"the browser does not start: {first_line(error)}"

    async def _fresh(self, browser: Browser) -> BrowserContext:
        opening = browser.new_context(
            accept_downloads=False,
            service_workers="block",
            permissions=[],
            locale="en-US",
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        return await self._whole(opening, BrowserContext.close)

    async def _whole(self, work: Coroutine[Any, Any, T], undo: Callable[[T], Coroutine[Any, Any, None]]) -> T:
        """What the work gives. When its caller is cancelled it goes on and is undone: half done, nobody could end it."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            undoing = asyncio.create_task(_undone(task, undo))
            self._undoing.add(undoing)
            undoing.add_done_callback(self._undoing.discard)
            raise

    async def _stop(self) -> None:
        browser, self._browser = self._browser, None
        driver, self._driver = self._driver, None
        if browser is not None:
            await _within(browser.close())
        if driver is not None:
            await _within(driver.stop())
        await self._proxy.close()


def first_line(error: Exception) -> str:
    """What went wrong; the lines below it may hold what was typed."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


async def _undone(work: "asyncio.Task[T]", undo: Callable[[T], Coroutine[Any, Any, None]]) -> None:
    with contextlib.suppress(Error, TimeoutError, OSError):
        async with asyncio.timeout(START.total_seconds()):
            await undo(await work)


async def _within(work: Coroutine[Any, Any, None]) -> None:
    # a driver that hangs ends with its input, and the leash ends the browser with it
    with contextlib.suppress(Error, TimeoutError, OSError):
        async with asyncio.timeout(END.total_seconds()):
            await work
