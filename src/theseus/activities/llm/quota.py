"""A model call's share of the provider's quota: drawn before it goes, settled when it is known what it used."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio import activity

from theseus.activities.failures import LONGEST_WAIT, no_room
from theseus.activities.llm.catalogue import Catalogue
from theseus.activities.llm.provider import Call
from theseus.contracts.messages import Route
from theseus.contracts.rates import Admission, Draw, Load
from theseus.contracts.task import Usage
from theseus.domain.rates import counts_tokens, draws, unused
from theseus.domain.tokens import IMAGE_TOKENS, estimate, estimate_messages
from theseus.stores.ports import RateStore, StoreDownError

SOON = timedelta(seconds=2)
"""A wait that the activity sits out itself; a longer one gives its slot on the worker to others."""
LONGEST_LINE = timedelta(minutes=2)
"""A longer line takes nobody more: those whose task ends while they wait would hold up the others for that long."""
NEAR = timedelta(seconds=5)
FIRST_PARTS = (1.0, 0.25)
"""Of the estimated input, and of the longest answer: what a call is taken to use before any call has ended."""
_LEARNING = 0.2
_LOOKS = 3
"""Whoever is far from its turn looks so many times as often as it seems needed."""
_PATIENT_PART = 0.75
"""Of the time that is left for a route, waiting included; the rest is for the call itself."""

_log = logging.getLogger(__name__)


class Habits:
    """How much of what they might use calls of a route do use, learnt from those that ended.

    Answers are mostly far shorter than they may be: to draw all that they may be would leave most of a quota unused.
    """

    def __init__(self) -> None:
        self._parts: dict[Route, tuple[float, float]] = {}

    def expected(self, route: Route, most: Load) -> Load:
        """What a call that may use `most` will probably use."""
        inward, outward = self._parts.get(route, FIRST_PARTS)
        return Load(
            requests=most.requests,
            input_tokens=round(most.input_tokens * inward),
            output_tokens=round(most.output_tokens * outward),
        )

    def learn(self, route: Route, most: Load, used: Load) -> None:
        """A call that might have used `most` used this."""
        inward, outward = self._parts.get(route, FIRST_PARTS)
        self._parts[route] = (
            inward + _LEARNING * (used.input_tokens / max(1, most.input_tokens) - inward),
            outward + _LEARNING * (used.output_tokens / max(1, most.output_tokens) - outward),
        )


@dataclass
class Share:
    """What a call may use, what it drew for that, and what it used so far."""

    most: Load
    drawn: Load
    used: Load
    cached_is_free: bool
    is_settled: bool = False

    def answering(self) -> None:
        """The provider has begun to answer: until the answer is counted, all that was drawn is taken as used."""
        self.used = self.drawn

    def settle(self, usage: Usage) -> None:
        """The provider, or our estimate of a call that was cut short, has counted."""
        uncounted = usage.cached_tokens if self.cached_is_free else 0
        self.used = Load(
            requests=self.drawn.requests,
            input_tokens=usage.input_tokens - uncounted,
            output_tokens=usage.output_tokens,
        )
        self.is_settled = True


class Quota:
    """The rate limits of the catalogue, kept by all workers together."""

    def __init__(self, catalogue: Catalogue, rates: RateStore) -> None:
        self._catalogue = catalogue
        self._rates = rates
        self._habits = Habits()

    @asynccontextmanager
    async def share(self, call: Call, route_left: timedelta | None = None) -> AsyncGenerator[Share, None]:
        """Draws what the call will probably use, waits for its turn where that is near, and puts back what it did not use.

        Raises:
            ApplicationError: its turn is not near; retried when it is.
        """
        route = call.model.route
        limits = self._catalogue.rate_limits(route)
        most = _load(call) if counts_tokens(limits) else Load(requests=1)
        load = self._habits.expected(route, most)
        drawn = draws(limits, load)
        admission = await self._admission(route, drawn, route_left) if drawn else None
        share = Share(most, load, Load(), self._cached_is_free(route))
        try:
            if admission is not None:
                await asyncio.sleep(admission.wait.total_seconds())
            share.used = Load(requests=1)
            yield share
        finally:
            if drawn and share.is_settled:
                self._habits.learn(route, most, share.used)
            if admission is not None:
                await self._give_back(route, drawn, share.used)

    async def _admission(self, route: Route, drawn: Sequence[Draw], route_left: timedelta | None) -> Admission | None:
        left = _time_left() if route_left is None else max(min(_time_left(), route_left), timedelta())
        patience = min(LONGEST_LINE, left * _PATIENT_PART)
        info = activity.info()
        call = f"{info.workflow_run_id}/{info.activity_id}"
        try:
            admission = await self._rates.take(route.provider, call, drawn, soon=min(SOON, left), patience=patience)
        except StoreDownError as error:
            # the provider has its own limit; a task is not lost for ours
            _log.warning("the rate limit of %s is not kept: %s", route, error)
            return None
        if admission.state == "go":
            return admission
        ask_again = _ask_again(admission, patience, left)
        raise no_room(route, admission.wait, ask_again, is_over=route_left is not None and ask_again >= left)

    async def _give_back(self, route: Route, drawn: list[Draw], used: Load) -> None:
        if not (amounts := unused(drawn, used)):
            return
        try:
            await self._rates.give_back(route.provider, amounts)
        except StoreDownError as error:
            _log.warning("what a call to %s did not use of the rate limit was not put back: %s", route, error)

    def _cached_is_free(self, route: Route) -> bool:
        # https://docs.claude.com/en/api/rate-limits: tokens read from the cache do not count
        return self._catalogue.provider(route.provider).kind == "anthropic"


def _load(call: Call) -> Load:
    told = [tool.model_dump_json(include={"name", "description", "parameters"}) for tool in call.tools]
    if call.answer_schema is not None:
        told.append(json.dumps(call.answer_schema))
    return Load(
        requests=1,
        input_tokens=estimate(call.system)
        + estimate_messages(call.messages)
        + sum(map(estimate, told))
        + IMAGE_TOKENS * len(call.images),
        output_tokens=call.max_output_tokens,
    )


def _time_left() -> timedelta:
    info = activity.info()
    if info.schedule_to_close_timeout is None:
        return LONGEST_WAIT
    return max(info.scheduled_time + info.schedule_to_close_timeout - datetime.now(UTC), timedelta())


def _ask_again(admission: Admission, patience: timedelta, left: timedelta) -> timedelta:
    if admission.state == "line":
        # what others put back brings a far turn nearer than it looks; the last of a wait is spent in the activity
        return admission.wait - SOON / 2 if admission.wait <= NEAR else admission.wait / _LOOKS
    if patience < LONGEST_LINE:
        # it cannot be in time: a wait that does not fit makes Temporal fail the step, and another route is tried
        return max(admission.wait, left)
    return LONGEST_LINE * random.uniform(0.1, 0.25)
