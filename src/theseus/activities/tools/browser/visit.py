"""One visit: what one agent's browser has open, what is seen of it, and what can be done there."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ElementHandle, Error, Frame, JSHandle, Page, Response
from playwright.async_api import TimeoutError as Late

from theseus.activities.tools.browser.chromium import HEIGHT, WIDTH, first_line
from theseus.activities.tools.browser.tabs import Tabs
from theseus.activities.tools.browser.view import Element, Found, View, candidates, scrubbed
from theseus.activities.tools.egress import Egress, EgressRefused
from theseus.activities.tools.registry import ToolError

MAX_FRAMES = 8
MAX_ELEMENTS = 500
"""So many elements of a page get a number."""
LOAD = timedelta(seconds=20)
"""How long a server may take to begin with a page."""
PATIENCE = timedelta(seconds=8)
"""How long the rest of a page may take, before it is looked at as it is."""
POINT = timedelta(seconds=5)
"""How long a click may take to find its element still, visible and uncovered."""
SETTLE = timedelta(seconds=3)
"""How long a page may go on to change after an action before it is looked at."""
LOOK = timedelta(seconds=5)
ANSWER = timedelta(seconds=3)
GLANCE = timedelta(seconds=1)
"""How long a frame may take to be looked at; one that was refused never answers."""
TALLEST = 10_000
"""Pixels of a page that a screenshot shows."""

_SCRIPT = Path(__file__).with_name("elements.js").read_text(encoding="utf-8")
_REGISTRY = "() => ({ numbers: new WeakMap(), elements: new Map(), secret: new WeakSet() })"
_ELEMENT = """([registry, number]) => {
  const element = registry.elements.get(number)?.deref();
  return element && element.isConnected ? element : null;
}"""
_QUIET = """(most) => new Promise((done) => {
  let timer = setTimeout(done, 250);
  const again = () => { clearTimeout(timer); timer = setTimeout(done, 250); };
  new MutationObserver(again).observe(document, { childList: true, subtree: true, characterData: true });
  setTimeout(done, most);
})"""
_CLICKED = """(element) => {
  const box = element.getBoundingClientRect();
  const hidden = !element.checkVisibility({ visibilityProperty: true }) || box.width === 0 || box.height === 0;
  return hidden && element.labels && element.labels.length ? element.labels[0] : element;
}"""
_KIND = """([registry, element]) => ({
  list: element.matches("select"), file: element.matches("input[type=file]"),
  secret: registry.secret.has(element),
})"""


class Visit:
    """A context of the browser with its tabs; one call at a time.

    Args:
        context: of this visit alone.
        egress: tells why an address was refused.
        numbers: the last number that an element of this agent had.
    """

    def __init__(self, context: BrowserContext, egress: Egress, numbers: int = 0) -> None:
        self.id = uuid.uuid4().hex
        self.numbers = numbers
        self._secrets: list[str] = []
        self.stands_at = ""
        self._context = context
        self._egress = egress
        self._tabs = Tabs(context)
        self._registries: dict[Frame, JSHandle] = {}

    @property
    def is_alive(self) -> bool:
        """Whether there is a page that can be looked at."""
        return self._tabs.is_alive

    async def answers(self) -> bool:
        """Whether the page in front can be looked at; one whose scripts run on and on cannot."""
        if not self.is_alive:
            return False
        try:
            async with asyncio.timeout(ANSWER.total_seconds()):
                await self.page.evaluate("0")
        except TimeoutError:
            return False
        except Error as error:
            # it goes elsewhere just now; one that has closed is not yet told to have
            return self.is_alive and not self.page.is_closed() and "has been closed" not in str(error)
        return True

    @property
    def page(self) -> Page:
        """The page in front."""
        return self._tabs.front

    def scrubbed(self, text: str) -> str:
        """The text without what was typed into fields for passwords."""
        return scrubbed(text, self._secrets)

    def note(self, text: str) -> None:
        """Tells the model something, with the next view."""
        self._tabs.note(text)

    async def begin(self) -> None:
        """Opens the first tab."""
        await self._context.new_page()

    async def close(self) -> None:
        """Ends the visit; nothing of it is kept."""
        with contextlib.suppress(Error):
            await self._context.close()

    async def go(self, url: str) -> None:
        """Opens an address in the tab in front.

        Raises:
            ToolError: it may not or cannot be opened.
        """
        try:
            await self._egress.check(url)
        except EgressRefused as error:
            raise ToolError(f"{url[:300]} was not opened: {error.reason}") from error
        await self._travel(self._gone_to(url), url)

    async def back(self) -> None:
        """Goes to the page before; from a tab that a click opened, to the tab before.

        Raises:
            ToolError: there is none.
        """
        before = await self._travel(self.page.go_back(wait_until="commit", timeout=_ms(LOAD)), "")
        if before:
            return
        if not await self._tabs.close_front():
            raise ToolError("there is no page before this one")
        self.note("the tab was closed; this is the one before it")

    async def click(self, element: Element) -> None:
        """Clicks an element.

        Raises:
            ToolError: it cannot be clicked; nothing was.
        """
        handle = await self._handle(element)
        target = (await handle.evaluate_handle(_CLICKED)).as_element() or handle
        await self._acted(target.click(timeout=_ms(POINT)), f"{element.line()} was not clicked")
        await self.settle()

    async def type(self, element: Element, text: str, *, submit: bool) -> None:
        """Replaces what is in a field, or chooses from a list; with `submit`, presses Enter there.

        Raises:
            ToolError: the element takes no text, or not this one.
        """
        handle = await self._handle(element)
        frame = await handle.owner_frame() or self.page.main_frame
        about: dict[str, bool] = await frame.evaluate(_KIND, [await self._registry(frame), handle])
        if about["file"]:
            raise ToolError("files cannot be given to a page")
        if about["secret"] and text not in self._secrets:
            self._secrets.append(text)
        wrong = f"nothing was entered into [{element.number}] {element.kind}"
        if about["list"]:
            await self._acted(
                handle.select_option(label=text, timeout=_ms(POINT)), f"{wrong}: choose one of its options"
            )
        else:
            await self._acted(handle.fill(text, timeout=_ms(POINT)), wrong)
        if submit:
            await self._acted(handle.press("Enter", timeout=_ms(POINT), no_wait_after=True), "Enter was not pressed")
        await self.settle()

    async def wait(self, text: str | None, seconds: int) -> None:
        """Waits until the page shows a text in any of its documents, or for so many seconds."""
        if text is None:
            await asyncio.sleep(seconds)
            return
        wanted = " ".join(text.casefold().split())
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            view = await self.view()
            if wanted in " ".join(view.text.casefold().split()):
                self._tabs.notes[:0] = view.notes
                return
            self._tabs.notes[:0] = view.notes
            await asyncio.sleep(0.3)
        self.note(f"{text[:100]!r} did not appear within {seconds} s")

    async def scroll(self, screens: int) -> None:
        """Scrolls by so many screens, up if below 0, and lets the page load what it shows then."""
        await self.page.mouse.move(WIDTH / 2, HEIGHT / 2)
        await self.page.mouse.wheel(0, screens * HEIGHT * 0.9)
        await self.settle()

    async def screenshot(self, *, full_page: bool) -> bytes:
        """The page as PNG, what is in sight or all of it."""
        if not full_page:
            return await self.page.screenshot(timeout=_ms(LOAD))
        height = int(await self.page.evaluate("() => document.documentElement.scrollHeight"))
        if height > TALLEST:
            self.note(f"the page is {height} pixels tall; the picture shows the first {TALLEST}")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": max(1, min(height, TALLEST))}
        return await self.page.screenshot(full_page=True, clip=clip, timeout=_ms(LOAD))  # pyright: ignore[reportArgumentType] - a plain mapping of the same keys

    async def settle(self) -> None:
        """Waits, not for long, until the page is loaded and changes no more."""
        with contextlib.suppress(Error, TimeoutError):
            # what a click sets off begins a moment later
            await asyncio.sleep(0.1)
            await self._loaded()
            async with asyncio.timeout(SETTLE.total_seconds() + 1):
                await self.page.evaluate(_QUIET, _ms(SETTLE))

    async def _loaded(self) -> None:
        try:
            await self.page.wait_for_load_state("domcontentloaded", timeout=_ms(PATIENCE))
        except Late:
            self.note(f"the page had not loaded within {PATIENCE.total_seconds():g} s; this is what was there")
            return
        with contextlib.suppress(Late):
            # pictures and the like
            await self.page.wait_for_load_state("load", timeout=_ms(SETTLE))

    async def view(self) -> View:
        """The page as it is now.

        Raises:
            ToolError: it does not answer.
        """
        for _ in range(2):
            # a page that goes elsewhere while it is looked at is looked at once more
            with contextlib.suppress(Error):
                return await self._view()
            await self.settle()
        return await self._view()

    async def _view(self) -> View:
        page = self.page
        try:
            main = await self._look(page.main_frame)
        except TimeoutError as error:
            raise ToolError(self._give_up()) from error
        elements, texts = list(main.elements), [main.text]
        for frame in page.frames[1 : MAX_FRAMES + 1]:
            with contextlib.suppress(Error, TimeoutError):
                inner = await self._look(frame)
                if inner.elements or inner.text:
                    elements += inner.elements
                    texts.append(f"[Frame {frame.url[:200]}]\n{inner.text}")
        if page.url.startswith(("http:", "https:")):
            self.stands_at = page.url
        for refusal in await self._refusals():
            self.note(refusal)
        notes, self._tabs.notes = self._tabs.notes, []
        return View(page.url, main.title, "\n\n".join(texts), elements, notes)

    async def _look(self, frame: Frame) -> Found:
        async with asyncio.timeout((LOOK if frame.parent_frame is None else GLANCE).total_seconds()):
            if frame.parent_frame is not None and not await (await frame.frame_element()).is_visible():
                return Found(elements=(), next=0, text="", title="")
            registry = await self._registry(frame)
            found = Found.model_validate(await frame.evaluate(_SCRIPT, [registry, self.numbers + 1, MAX_ELEMENTS]))
        self.numbers = max(self.numbers, found.next - 1)
        return found

    async def _registry(self, frame: Frame) -> JSHandle:
        """What knows the numbers of a document; a frame that went elsewhere has a new one."""
        kept = self._registries.get(frame)
        if kept is not None:
            with contextlib.suppress(Error):
                await kept.evaluate("() => 0")
                return kept
        self._registries = {known: handle for known, handle in self._registries.items() if not known.is_detached()}
        self._registries[frame] = await frame.evaluate_handle(_REGISTRY)
        return self._registries[frame]

    async def _handle(self, element: Element) -> ElementHandle:
        for frame in self.page.frames:
            registry = self._registries.get(frame)
            if registry is None:
                continue
            with contextlib.suppress(Error):
                found = await frame.evaluate_handle(_ELEMENT, [registry, element.number])
                if (handle := found.as_element()) is not None:
                    return handle
        raise ToolError(f"[{element.number}] is not on the page any more: ask for browser_elements")

    def _give_up(self) -> str:
        self._tabs.lost = "the page did not answer, its scripts run on and on, and it was closed"
        return self._tabs.lost

    async def _acted(self, work: Coroutine[Any, Any, object], wrong: str) -> None:
        try:
            await work
        except Late as error:
            if await self.answers():
                raise ToolError(f"{wrong}. {_obstacle(error)}") from error
            raise ToolError(f"{self._give_up()}. Whether the call had an effect is not known.") from error
        except Error as error:
            raise ToolError(f"{wrong}. {_obstacle(error)}") from error

    async def _travel(self, work: Coroutine[Any, Any, Any], url: str) -> bool:
        """Waits for a new page; whether there is one."""
        try:
            response = await work
        except Error as error:
            raise ToolError(f"{url[:300] or 'the page before'} was not opened: {await self._why(error)}") from error
        if response is not None and response.status >= 400:
            self.note(f"the server answered with status {response.status}")
        await self.settle()
        return response is not None

    async def _gone_to(self, url: str) -> Response | None:
        for _ in range(2):
            try:
                return await self.page.goto(url, wait_until="commit", timeout=_ms(LOAD))
            except Error as error:
                # the browser's own page about what could not be opened before came in between
                if "interrupted by another navigation" not in str(error) or "chrome-error:" not in str(error):
                    raise
        return await self.page.goto(url, wait_until="commit", timeout=_ms(LOAD))

    async def _why(self, error: Error) -> str:
        if "Download is starting" in str(error):
            return "it is a file and no page. Files are not downloaded; web_fetch reads PDF and text"
        refusals = await self._refusals()
        return refusals[-1] if refusals else first_line(error).partition(": ")[2] or first_line(error)

    async def _refusals(self) -> list[str]:
        """Why documents could not be opened meanwhile, where that was because they may not."""
        failed, self._tabs.failed = self._tabs.failed, []
        told: list[str] = []
        for url in dict.fromkeys(failed):
            try:
                await self._egress.check(url)
            except EgressRefused as error:
                told.append(f"{url[:200]} was refused: {error.reason}")
        return told


def chosen(view: View, element: int | None, text: str | None) -> Element:
    """The element that a model means, by its number or by its words.

    Raises:
        ToolError: there is none, or more than one.
    """
    if (element is None) == (text is None):
        raise ToolError("name the element either by its number, `element`, or by its words, `name`")
    if element is not None:
        found = [each for each in view.elements if each.number == element]
        if not found:
            raise ToolError(f"there is no element [{element}] on the page now. {view.listed(view.elements)}")
        return found[0]
    matching = view.containing(text or "")
    if not matching:
        raise ToolError(f"nothing on the page is named {text!r}. {view.listed(view.elements)}")
    if len(matching) > 1:
        raise ToolError(f"{len(matching)} elements fit {text!r}: choose one by its number.\n{candidates(matching)}")
    return matching[0]


def _obstacle(error: Error) -> str:
    covering = next((line for line in str(error).splitlines() if "intercepts pointer events" in line), None)
    if covering is not None:
        return f"Something covers it: {covering.strip(' -')[:200]}"
    if isinstance(error, Late):
        return "It did not become ready for it: hidden, disabled, or moving."
    return first_line(error).partition(": ")[2]


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000
