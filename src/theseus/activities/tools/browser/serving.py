"""The browser of a worker, for as long as the worker runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from theseus.activities.tools.browser.chromium import Chromium
from theseus.activities.tools.browser.tools import Pictures, browser_tools
from theseus.activities.tools.browser.visits import Visits
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.registry import Tool
from theseus.stores.ports import BrowserStore


@asynccontextmanager
async def serving(
    chromium: Chromium,
    egress: Egress,
    places: BrowserStore,
    pictures: Pictures,
    queue: str,
    failures: tuple[type[Exception], ...],
) -> AsyncGenerator[list[Tool]]:
    """The tools on a browser; neither it nor a process of it outlives the context. It starts when it is first called.

    Args:
        chromium: the browser.
        egress: where pages may connect to.
        places: where the browsers of all agents stand.
        pictures: where screenshots are kept.
        queue: the task queue on which this worker, and no other, is called.
        failures: what `pictures` raises with a message that is meant for the model.
    """
    visits = Visits(chromium, egress, places)
    try:
        yield browser_tools(visits, pictures, queue, failures)
    finally:
        await visits.aclose()
