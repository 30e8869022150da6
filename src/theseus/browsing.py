"""The browser of a worker: its tools, and the task queue on which this worker alone is called."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from theseus import runtime
from theseus.activities.tools.browser.installed import NoBrowserError, browser
from theseus.activities.tools.egress import Egress, Resolve
from theseus.activities.tools.registry import Tool
from theseus.config import Settings, SettingsError
from theseus.stores.files import WorkspaceError, Workspaces
from theseus.stores.ports import BrowserStore

_log = logging.getLogger("theseus.browser")

LAST_CALLS = timedelta(seconds=3)
"""So long a call that came to this worker alone may still run when all else has ended."""


@asynccontextmanager
async def tools_of_browser(
    settings: Settings, places: BrowserStore, queue: str, resolve: Resolve | None = None
) -> AsyncGenerator[list[Tool]]:
    """The tools on this machine's browser, none where there is no browser; `resolve` as in `working`.

    Args:
        settings: which browser.
        places: where it is kept where browsers stand.
        queue: the task queue on which this worker, and no other, is called.
        resolve: how names become addresses.

    Raises:
        SettingsError: the settings name a browser that cannot be driven.
    """
    try:
        program = browser(settings.browser)
    except NoBrowserError as error:
        if settings.browser is not None:
            raise SettingsError(f"THESEUS_BROWSER is set, but agents can have no browser: {error}") from error
        _log.info("agents have no browser: %s", error)
        yield []
        return
    # the library is an extra, and slow to import
    from theseus.activities.tools.browser.chromium import Chromium
    from theseus.activities.tools.browser.serving import serving

    egress = Egress(settings.fetch_allow, resolve=resolve)
    chromium = Chromium(program, egress, sandbox=settings.browser_sandbox)
    pictures = Workspaces(settings.workspaces, settings.workspace_quota_bytes)
    async with serving(chromium, egress, places, pictures, queue, (WorkspaceError,)) as tools:
        yield tools


@asynccontextmanager
async def called_alone(
    client: Client, settings: Settings, queue: str, works: Sequence[Callable[..., Any]]
) -> AsyncGenerator[None]:
    """Takes calls that have to come to this worker, as it holds what they need; there is nothing to take without works.

    It goes on while the rest of the worker finishes: what runs elsewhere needs it until the end.
    """
    if not works:
        yield
        return
    async with Worker(
        client,
        task_queue=queue,
        activities=works,
        max_concurrent_activities=settings.max_activities,
        max_heartbeat_throttle_interval=runtime.HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=runtime.HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=LAST_CALLS,
    ):
        yield
