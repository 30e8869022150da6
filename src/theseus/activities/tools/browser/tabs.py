"""The tabs of one visit, and what happens to them unasked: new tabs, dialogs, downloads, crashes."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from playwright.async_api import BrowserContext, Dialog, Download, Error, Page, Request

from theseus.activities.tools.registry import ToolError

MAX_TABS = 4
MAX_NOTES = 10
NOTE_CHARS = 300


class Tabs:
    """The tabs of a context, the last opened in front.

    `notes` tell the model what happened; `failed` are addresses of documents that could not be opened; `lost` says why
    nothing more can be done with them.

    Args:
        context: of one visit alone.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.notes: list[str] = []
        self.failed: list[str] = []
        self._open: list[Page] = []
        self.lost = ""
        self._answering: set[asyncio.Task[None]] = set()
        context.on("page", self._opened)

    @property
    def is_alive(self) -> bool:
        """Whether there is a page that can be looked at."""
        return bool(self._open) and not self.lost

    @property
    def front(self) -> Page:
        """The page in front.

        Raises:
            ToolError: there is none any more.
        """
        if not self.is_alive:
            raise ToolError(self.lost or "the page closed itself: open one with browser_navigate")
        return self._open[-1]

    def note(self, text: str) -> None:
        """Keeps something to be told."""
        if len(self.notes) < MAX_NOTES:
            self.notes.append(" ".join(text.split())[:NOTE_CHARS])

    async def close_front(self) -> bool:
        """Closes the tab in front, if it is not the only one; whether it was."""
        if len(self._open) < 2:
            return False
        await self._open[-1].close()
        return True

    def _opened(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("download", self._download)
        page.on("crash", self._crashed)
        page.on("close", self._closed)
        page.on("requestfailed", self._request_failed)
        if len(self._open) >= MAX_TABS:
            self.note("a new tab was closed at once: too many are open")
            self._answer(page.close())
            return
        if self._open:
            self.note("it opened a new tab, which is in front now; browser_back goes to the one before")
        self._open.append(page)

    def _dialog(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":
            self._answer(dialog.accept())
            return
        self.note(f'a dialog of the page said "{dialog.message[:200]}" and was dismissed')
        self._answer(dialog.dismiss())

    def _download(self, download: Download) -> None:
        self.note(f"a download was refused: {download.suggested_filename[:100]}")

    def _crashed(self, _: Page) -> None:
        self.lost = "the page crashed, maybe of the memory it took: open another with browser_navigate"

    def _closed(self, page: Page) -> None:
        self._open = [tab for tab in self._open if tab != page]

    def _request_failed(self, request: Request) -> None:
        if request.is_navigation_request() and len(self.failed) < MAX_NOTES:
            self.failed.append(request.url)

    def _answer(self, work: Coroutine[Any, Any, None]) -> None:
        async def done() -> None:
            # the tab may be gone by then
            with contextlib.suppress(Error):
                await work

        task = asyncio.create_task(done())
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
