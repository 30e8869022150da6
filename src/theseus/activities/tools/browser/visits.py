"""The visits of a worker: one for each agent of each task, kept between its calls, closed when they are idle.

Where an agent's browser stands is kept in a store as well, with the visit that holds it: a call that comes to another
worker, or after a restart, opens the page anew and says so, and a visit that was left behind is never acted on.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from playwright.async_api import Error

from theseus.activities.tools.browser.chromium import BrowserDownError, Chromium, first_line
from theseus.activities.tools.browser.visit import Visit
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.registry import ToolContext, ToolError
from theseus.contracts.session import SessionKey
from theseus.contracts.stored import BrowserPlace
from theseus.stores.ports import BrowserStore, StoreDownError

_log = logging.getLogger("theseus.browser")

CLOSE = timedelta(seconds=5)

NOWHERE = "No page is open: open one with browser_navigate first."
ANEW = "the browser was started anew: logins, what was typed and the pages before this one are gone"


@dataclass(frozen=True)
class VisitLimits:
    """What visits may take: time of one call, time without a call, and how many there are on a worker."""

    action: timedelta = timedelta(seconds=30)
    idle: timedelta = timedelta(minutes=5)
    most: int = 8


class _Agent(NamedTuple):
    """Whose visit it is: a later task of somebody else may have the same id."""

    session: SessionKey
    task_id: str
    name: str


@dataclass
class _Seat:
    """What one agent has: its turn, and its visit while it is open."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    visit: Visit | None = None
    used: float = 0.0
    callers: int = 0


class Visits:
    """Opens, keeps and closes visits.

    Args:
        chromium: the browser.
        egress: where pages may connect to.
        places: where the browsers of all agents stand.
        limits: what visits may take.
    """

    def __init__(
        self, chromium: Chromium, egress: Egress, places: BrowserStore, limits: VisitLimits | None = None
    ) -> None:
        self._chromium = chromium
        self._egress = egress
        self._places = places
        self._limits = limits or VisitLimits()
        self._seats: dict[_Agent, _Seat] = {}
        self._opening = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None

    @property
    def open_visits(self) -> int:
        """How many visits are open."""
        return sum(seat.visit is not None for seat in self._seats.values())

    def has(self, caller: ToolContext) -> bool:
        """Whether the caller's visit is open here."""
        seat = self._seats.get(_Agent(caller.session, caller.task_id, caller.agent))
        return seat is not None and seat.visit is not None

    @asynccontextmanager
    async def at(self, caller: ToolContext, *, opens: bool = False, acts: bool = False) -> AsyncGenerator[Visit]:
        """The caller's visit, where it stood.

        Args:
            caller: whose visit.
            opens: the call goes elsewhere, so no page has to be there.
            acts: the call changes something: it is not made on a page that had to be opened anew.

        Raises:
            ToolError: there is no page, the browser is down, or what was done with it failed or took too long.
        """
        key = _Agent(caller.session, caller.task_id, caller.agent)
        seat = self._seats.setdefault(key, _Seat())
        seat.callers += 1
        try:
            async with seat.turn, self._minding(seat):
                visit, is_new = await self._visit(key, seat, opens=opens)
                if acts and is_new:
                    shown = (await visit.view()).whole()
                    await self._remember(key, visit)
                    raise ToolError(f"Nothing was done, but the page was opened again.\n\n{shown}")
                yield visit
                await self._remember(key, visit)
        finally:
            seat.callers -= 1
            seat.used = time.monotonic()
            if seat.visit is None and not seat.callers:
                self._seats.pop(key, None)

    async def aclose(self) -> None:
        """Ends all visits and the browser."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._seats.clear()
        await self._chromium.stop()
        await asyncio.gather(*self._ending, return_exceptions=True)

    @asynccontextmanager
    async def _minding(self, seat: _Seat) -> AsyncGenerator[None]:
        """Keeps the time of a call and says what failed; a visit that a call broke off in is not used again."""
        limit = asyncio.timeout(self._limits.action.total_seconds())
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            self._drop(seat)
            raise ToolError(
                f"The browser did not finish within {self._limits.action.total_seconds():g} s, so the page was closed. "
                f"Whether the call had an effect is not known."
            ) from error
        except asyncio.CancelledError:
            self._drop(seat)
            raise
        except BrowserDownError as error:
            self._drop(seat)
            raise ToolError(f"{error}. Go on without the browser.") from error
        except ToolError as error:
            raise ToolError(_scrubbed(seat, str(error))) from error
        except Error as error:
            words = _scrubbed(seat, f"The browser could not do that: {first_line(error)}")
            if seat.visit is not None and not seat.visit.is_alive:
                self._drop(seat)
            raise ToolError(words) from error

    async def _visit(self, key: _Agent, seat: _Seat, *, opens: bool) -> tuple[Visit, bool]:
        """The visit, and whether it had to be opened anew at the place where the agent was before."""
        try:
            place = await self._places.get(*key)
        except StoreDownError as error:
            raise ToolError("Where the browser stands cannot be read now. Try again, or go on without it.") from error
        visit = seat.visit
        if visit is not None and not ((place is None or place.visit == visit.id) and await visit.answers()):
            self._drop(seat)
            visit = None
        if place is None and not opens and (visit is None or not visit.stands_at):
            raise ToolError(NOWHERE)
        if visit is not None:
            return visit, False
        visit = await self._opened(seat, place.numbers if place is not None else 0)
        if place is None:
            return visit, False
        visit.note(ANEW)
        if not opens:
            await visit.go(place.url)
        return visit, True

    async def _opened(self, seat: _Seat, numbers: int) -> Visit:
        async with self._opening:
            if self.open_visits >= self._limits.most:
                self._make_room()
            visit = Visit(await self._chromium.context(), self._egress, numbers)
            seat.visit = visit
            await visit.begin()
            if self._watch is None or self._watch.done():
                self._watch = asyncio.create_task(self._close_idle())
            return visit

    def _make_room(self) -> None:
        waiting = [seat for seat in self._seats.values() if seat.visit is not None and not seat.callers]
        if not waiting:
            raise ToolError(f"All {self._limits.most} browsers of this worker are at work. Try again in a minute.")
        self._drop(min(waiting, key=lambda seat: seat.used))

    async def _remember(self, key: _Agent, visit: Visit) -> None:
        if not visit.stands_at:
            return
        try:
            await self._places.put(*key, BrowserPlace(url=visit.stands_at, visit=visit.id, numbers=visit.numbers))
        except StoreDownError as error:
            _log.warning("where a browser stands could not be kept: %s", error)

    async def _close_idle(self) -> None:
        """Closes what nobody calls; the browser too, once nothing is left of it."""
        while True:
            await asyncio.sleep(min(10.0, self._limits.idle.total_seconds() / 4))
            late = time.monotonic() - self._limits.idle.total_seconds()
            for key, seat in list(self._seats.items()):
                if not seat.callers and seat.used < late:
                    self._drop(seat)
                    self._seats.pop(key, None)
            if not self._seats:
                await self._chromium.stop()
                # somebody may have come meanwhile
                if not self._seats:
                    return

    def _drop(self, seat: _Seat) -> None:
        visit, seat.visit = seat.visit, None
        if visit is not None:
            task = asyncio.create_task(self._ended(visit))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _ended(self, visit: Visit) -> None:
        try:
            async with asyncio.timeout(CLOSE.total_seconds()):
                await visit.close()
        except TimeoutError:
            _log.warning("the browser does not answer and is ended")
            with contextlib.suppress(Error):
                await self._chromium.stop()


def _scrubbed(seat: _Seat, text: str) -> str:
    return seat.visit.scrubbed(text) if seat.visit is not None else text
