"""The tools browser_*: an agent's own browser, page by page."""

import asyncio
import hashlib
import struct
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import Field

from theseus.activities.tools.browser.visit import Visit, chosen
from theseus.activities.tools.browser.visits import Visits
from theseus.activities.tools.egress import MAX_URL_CHARS
from theseus.activities.tools.registry import Outcome, Tool, ToolContext, ToolError, tool
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect

TIMEOUT = timedelta(seconds=75)
"""Longer than any action takes, so that the wait for its turn and the browser's start fit in."""
MAX_TYPED_CHARS = 10_000
MAX_WAIT = 15

Number = Annotated[int | None, Field(ge=1)]
Words = Annotated[str | None, Field(min_length=1, max_length=200)]


class Pictures(Protocol):
    """Keeps files of sessions; blocks on the disk."""

    def write_bytes(self, key: SessionKey, path: str, data: bytes) -> int:
        """Makes or replaces a whole file; gives its size in bytes."""
        ...


Work = Callable[[Visit], Awaitable[str]]


class Do(Protocol):
    """Does some work in the caller's visit."""

    async def __call__(self, caller: ToolContext, work: Work, *, opens: bool = False, acts: bool = False) -> Outcome:
        """What came of it, for the model."""
        ...


def browser_tools(
    visits: Visits, pictures: Pictures, queue: str = "", failures: tuple[type[Exception], ...] = ()
) -> list[Tool]:
    """The tools on the browser.

    Args:
        visits: what the agents have open.
        pictures: where screenshots are kept.
        queue: the task queue of the worker that has the visits; the next call had better come there.
        failures: what `pictures` raises with a message that is meant for the model.
    """

    async def do(caller: ToolContext, work: Work, *, opens: bool = False, acts: bool = False) -> Outcome:
        try:
            async with visits.at(caller, opens=opens, acts=acts) as visit:
                text = await work(visit)
                return Outcome(visit.scrubbed(text), queue=queue)
        except ToolError as error:
            return Outcome(str(error), is_error=True, queue=queue if visits.has(caller) else "")

    return [*_travelling(do), *_reading(do), *_acting(do), _photography(do, pictures, failures)]


def _travelling(do: Do) -> list[Tool]:
    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def browser_navigate(
        url: Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARS)], context: ToolContext
    ) -> Outcome:
        """Opens a web page in your own browser, which runs its scripts, and gives its text and its numbered elements.

        The page stays open for the next calls. Public http and https addresses only.

        Args:
            url: the whole address, such as https://example.org/page
            context: who asks
        """

        async def work(visit: Visit) -> str:
            await visit.go(url.strip())
            return (await visit.view()).whole()

        return await do(context, work, opens=True)

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def browser_back(context: ToolContext) -> Outcome:
        """Goes back to the page before, or closes a tab that a click opened.

        Args:
            context: who asks
        """

        async def work(visit: Visit) -> str:
            await visit.back()
            return (await visit.view()).whole()

        return await do(context, work)

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def browser_scroll(context: ToolContext, screens: Annotated[int, Field(ge=-20, le=20)] = 1) -> Outcome:
        """Scrolls the page, so that it loads more where it loads as one scrolls, and gives it as it is then.

        Args:
            context: who asks
            screens: how many screens down, or up if below 0
        """

        async def work(visit: Visit) -> str:
            await visit.scroll(screens)
            return (await visit.view()).whole()

        return await do(context, work)

    return [browser_navigate, browser_back, browser_scroll]


def _reading(do: Do) -> list[Tool]:
    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def browser_extract(context: ToolContext, offset: Annotated[int, Field(ge=0)] = 0) -> Outcome:
        """Gives the text that the open page shows now, 8,000 characters at once.

        Args:
            context: who asks
            offset: the first character to give, counted from 0
        """

        async def work(visit: Visit) -> str:
            view = await visit.view()
            return f"{view.head()}\n\n{view.part(offset)}"

        return await do(context, work)

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def browser_elements(
        context: ToolContext, contains: Words = None, after: Annotated[int, Field(ge=0)] = 0
    ) -> Outcome:
        """Lists what can be clicked, typed into or chosen from on the open page, each with its number.

        Args:
            context: who asks
            contains: only elements with these words in their name, kind, value or address
            after: leave out so many of the list's first
        """

        async def work(visit: Visit) -> str:
            view = await visit.view()
            return f"{view.head()}\n\n{view.listed(view.containing(contains) if contains else view.elements, after)}"

        return await do(context, work)

    @tool(effect=Effect.READ, timeout=TIMEOUT)
    async def browser_wait(
        context: ToolContext, text: Words = None, seconds: Annotated[int, Field(ge=1, le=MAX_WAIT)] = 5
    ) -> Outcome:
        """Waits until the open page shows a text, or for some seconds, and gives the page as it is then.

        Args:
            context: who asks
            text: what to wait for; without it the seconds are waited for
            seconds: how long at most
        """

        async def work(visit: Visit) -> str:
            await visit.wait(text, seconds)
            return (await visit.view()).whole()

        return await do(context, work)

    return [browser_extract, browser_elements, browser_wait]


def _acting(do: Do) -> list[Tool]:
    @tool(effect=Effect.WRITE, timeout=TIMEOUT)
    async def browser_click(context: ToolContext, element: Number = None, name: Words = None) -> Outcome:
        """Clicks one element of the open page and gives the page as it is then.

        Args:
            context: who asks
            element: the element's number, as the last list gave it
            name: instead of the number, words that only this element has
        """

        async def work(visit: Visit) -> str:
            await visit.click(chosen(await visit.view(), element, name))
            return (await visit.view()).whole()

        return await do(context, work, acts=True)

    @tool(effect=Effect.WRITE, timeout=TIMEOUT)
    async def browser_type(
        text: Annotated[str, Field(max_length=MAX_TYPED_CHARS)],
        context: ToolContext,
        element: Number = None,
        name: Words = None,
        submit: bool = False,
    ) -> Outcome:
        """Types into one field of the open page, in the place of what is there, or chooses an option of a list.

        Args:
            text: what to type; for a list, the option to choose
            context: who asks
            element: the field's number, as the last list gave it
            name: instead of the number, words that only this field has
            submit: press Enter afterwards
        """

        async def work(visit: Visit) -> str:
            await visit.type(chosen(await visit.view(), element, name), text, submit=submit)
            return (await visit.view()).whole()

        return await do(context, work, acts=True)

    return [browser_click, browser_type]


def _photography(do: Do, pictures: Pictures, failures: tuple[type[Exception], ...]) -> Tool:
    @tool(effect=Effect.READ, timeout=TIMEOUT, failures=failures)
    async def browser_screenshot(context: ToolContext, full_page: bool = False) -> Outcome:
        """Saves a picture of the open page as PNG in this conversation's workspace and gives its path and size.

        Args:
            context: who asks
            full_page: all of the page and not only what is in sight
        """

        async def work(visit: Visit) -> str:
            data = await visit.screenshot(full_page=full_page)
            view = await visit.view()
            # a call that is tried again makes the same file
            name = hashlib.sha256(context.idempotency_key.encode()).hexdigest()[:12]
            path = f"screenshots/{name}.png"
            size = await asyncio.to_thread(pictures.write_bytes, context.session, path, data)
            width, height = struct.unpack(">II", data[16:24])
            return f"{view.head()}\n\nSaved as {path}: PNG, {width} x {height} pixels, {size} bytes"

        return await do(context, work)

    return browser_screenshot
