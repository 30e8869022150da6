"""Schedules as callers see them: made, changed, held, deleted. Temporal runs them; knows whose a schedule is."""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import JsonValue
from temporalio.client import Client, Schedule, ScheduleHandle, ScheduleState, ScheduleUpdate, ScheduleUpdateInput
from temporalio.service import RPCError

from theseus.client import is_unknown, scheduled
from theseus.config import Settings
from theseus.contracts.archive import RunSums
from theseus.contracts.errors import InvalidInput
from theseus.contracts.schedule import ScheduleDefinition, ScheduleRecord
from theseus.contracts.task import Limits
from theseus.gateway import timing
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.runs import notice
from theseus.gateway.tasks import Found, Tasks, whose
from theseus.stores.archive.port import Archive, ArchiveDownError, Page, TaskFilter

_log = logging.getLogger("theseus.gateway")

MICROUSD = 1_000_000
AT_ONCE = 10
MOST_CONTEXT_BYTES = 64 * 1024
"""So much of a task's context may come with a schedule: Temporal carries it along with each run."""
STARTING = timedelta(minutes=1)
"""A schedule that Temporal does not know after so long was deleted there, or never made, or is in another namespace; before,
it may be about to be made."""
_FIRST = Page(100)
_GONE = (
    "Temporal does not have this schedule: it was deleted there, or this gateway looks at another namespace; "
    "delete it, or make it anew"
)


@dataclass(frozen=True)
class Seen:
    """A schedule, what its runs came to, when it runs next, if it does, and whether Temporal does not have it any more."""

    record: ScheduleRecord
    sums: RunSums
    next_run: datetime | None
    is_gone: bool = False


@dataclass(frozen=True)
class Schedules:
    """What the gateway does with schedules.

    Args:
        temporal: runs them.
        archive: keeps whose they are, and their runs.
        tasks: how runs are found.
        settings: how many there may be, how often they may run, what a run may cost.
    """

    temporal: Client
    archive: Archive
    tasks: Tasks
    settings: Settings

    async def create(self, wanted: Mapping[str, Any], caller: Caller) -> Seen:
        """Makes a schedule from fields of a ScheduleDefinition; budget and timeout have defaults.

        Raises:
            InvalidInput: it cannot be; the message says why.
            Refusal: 429, the user has as many as may be.
            ArchiveDownError, RPCError: it was not made.
        """
        now = datetime.now(UTC)
        record = ScheduleRecord(
            schedule_id=f"schedule-{uuid.uuid4()}",
            tenant_id=caller.tenant_id,
            user_id=caller.user_id,
            definition=ScheduleDefinition.model_validate({**self._defaults(), **wanted}),
            created_at=now,
            updated_at=now,
        )
        schedule = await self._built(record, ScheduleState())
        most = self.settings.schedules_per_user
        if not await self.archive.schedules.add(record, most):
            raise Refusal(429, f"there are {most} schedules already, as many as one user may have: delete one of them")
        try:
            await self.temporal.create_schedule(record.schedule_id, schedule)
        except Exception:
            # whatever it was, a schedule that does not run is not kept
            await self._unmade(record)
            raise
        with suppress(RPCError):
            # made it is, whether or not Temporal can be asked about it now
            return await self.get(record.schedule_id, caller)
        return Seen(record, RunSums(), None)

    async def get(self, schedule_id: str, caller: Caller) -> Seen:
        """A schedule of the caller.

        Raises:
            Refusal: 404, there is none, it was deleted, or it is somebody else's.
        """
        standing = await self._as_it_stands(await self._own(schedule_id, caller))
        if standing is None:
            raise _missing()
        return replace(standing, sums=await self._brought_up(standing.record))

    async def page(self, caller: Caller, *, is_paused: bool | None, page: Page) -> tuple[list[Seen], int]:
        """The caller's schedules, the newest first, and how many there are; all of the tenant for an administrator."""
        user_id = None if caller.is_admin else caller.user_id
        records, total = await self.archive.schedules.page(caller.tenant_id, user_id, is_paused=is_paused, page=page)
        room = asyncio.Semaphore(AT_ONCE)

        async def looked_at(record: ScheduleRecord) -> Seen | None:
            async with room:
                return await self._as_it_stands(record)

        found = [seen for seen in await asyncio.gather(*map(looked_at, records)) if seen is not None]
        # one that is gone is neither held nor active
        stand = [seen for seen in found if is_paused is None or not seen.is_gone]
        await notice(self.temporal, self.archive, [seen.record for seen in stand])
        sums = await self.archive.schedules.sums([seen.record.schedule_id for seen in stand])
        shown = [replace(seen, sums=sums.get(seen.record.schedule_id, RunSums())) for seen in stand]
        return shown, total - len(records) + len(stand)

    async def update(self, schedule_id: str, changes: Mapping[str, Any], caller: Caller) -> Seen:
        """Changes fields of a schedule's definition; runs under way go on as they are.

        Raises:
            InvalidInput: it cannot be changed so.
            Refusal: 404, as for `get`; 409, Temporal does not have it.
        """
        before = await self._own(schedule_id, caller)
        definition = ScheduleDefinition.model_validate({**before.definition.model_dump(), **changes})
        record = before.model_copy(update={"definition": definition, "updated_at": datetime.now(UTC)})
        new = await self._built(record, ScheduleState())
        # first what may be away: as long as it is not kept, nothing else runs than before
        await self.archive.schedules.define(record)
        try:
            await self._redefine(record, new)
        except Exception:
            await self._redefined_back(before)
            raise
        return await self.get(schedule_id, caller)

    async def pause(self, schedule_id: str, reason: str, caller: Caller) -> Seen:
        """Holds a schedule; runs under way go on. One that is held stays so, for the reason that it had.

        Raises:
            Refusal: 404, as for `get`; 409, Temporal does not have it.
        """
        seen = await self.get(schedule_id, caller)
        if seen.record.paused_at is not None and not seen.is_gone:
            return seen
        async with self._handle(seen.record) as handle:
            await handle.pause(note=reason or None)
        await self._held(seen.record, reason, is_paused=True)
        return await self.get(schedule_id, caller)

    async def resume(self, schedule_id: str, reason: str, caller: Caller) -> Seen:
        """Lets a schedule run again, from its next time on; one that is not held goes on.

        Raises:
            Refusal: 404, as for `get`; 409, Temporal does not have it.
        """
        record = await self._own(schedule_id, caller)
        async with self._handle(record) as handle:
            await handle.unpause(note=reason or None)
        await self._held(record, "", is_paused=False)
        return await self.get(schedule_id, caller)

    async def delete(self, schedule_id: str, caller: Caller) -> None:
        """Ends a schedule; its runs stay, also those under way. Once more, it does nothing.

        Raises:
            Refusal: 404, there never was one, or it is somebody else's.
        """
        record = await self._own(schedule_id, caller, deleted=True)
        if record.deleted_at is not None:
            return
        await self._brought_up(record)
        try:
            await self.temporal.get_schedule_handle(schedule_id).delete()
        except RPCError as error:
            if not is_unknown(error):
                raise
        await self.archive.schedules.delete(schedule_id, datetime.now(UTC))

    async def runs(self, schedule_id: str, page: Page, caller: Caller) -> tuple[list[Found], int]:
        """The tasks that a schedule started, the newest first, and how many there are.

        Raises:
            Refusal: 404, as for `get`.
        """
        record = await self._own(schedule_id, caller)
        await self._brought_up(record)
        wanted = TaskFilter(tenant_id=record.tenant_id, user_id=record.user_id, schedule_id=schedule_id)
        return await self.tasks.listed(wanted, page)

    async def notice(self, caller: Caller) -> None:
        """Makes the caller's runs that are under way known, so that they are in lists of tasks."""
        user_id = None if caller.is_admin else caller.user_id
        theirs, _ = await self.archive.schedules.page(caller.tenant_id, user_id, is_paused=None, page=_FIRST)
        try:
            await notice(self.temporal, self.archive, theirs)
        except RPCError as error:
            # the tasks that are known are better than none
            _log.warning("runs of schedules cannot be looked for: %s", error)

    def _defaults(self) -> dict[str, Any]:
        usual = Limits()
        most = round(self.settings.schedule_max_budget_usd * MICROUSD)
        return {
            "budget_microusd": min(usual.cost_microusd, most),
            "timeout_seconds": round(usual.wall_clock_seconds),
        }

    async def _built(self, record: ScheduleRecord, state: ScheduleState) -> Schedule:
        """What Temporal is to run, checked.

        Raises:
            InvalidInput: a rule is broken.
        """
        wanted = record.definition
        most = self.settings.schedule_max_budget_usd
        if wanted.budget_microusd > most * MICROUSD:
            words = f"max_budget_per_run_usd: ${wanted.budget_microusd / MICROUSD:g} is above the limit of ${most:g}"
            raise InvalidInput(words, field="max_budget_per_run_usd")
        size = len(json.dumps(wanted.task_context, ensure_ascii=False).encode())
        if size > MOST_CONTEXT_BYTES:
            words = f"task_context: {size:,} bytes; at most {MOST_CONTEXT_BYTES:,} are kept with a schedule"
            raise InvalidInput(words, field="task_context")
        await asyncio.to_thread(timing.check, wanted, self.settings.schedule_min_interval)
        limits: JsonValue = {"cost_microusd": wanted.budget_microusd, "wall_clock_seconds": wanted.timeout_seconds}
        asked: dict[str, JsonValue] = {
            "query": wanted.task_query,
            "context": dict(wanted.task_context),
            "limits": limits,
        }
        task = asked | whose(record.tenant_id, record.user_id)
        run_id = f"task-{record.schedule_id.removeprefix('schedule-')}"
        try:
            self.tasks.accepted(task, run_id)
        except InvalidInput as error:
            # the task's own keys have other names here: task_query, task_context
            raise InvalidInput(f"task_{error.message}", field=f"task_{error.field}") from error
        action = scheduled(self.settings.task_queue, run_id, task)
        return Schedule(action=action, spec=timing.spec(wanted), policy=timing.policy(wanted), state=state)

    async def _own(self, schedule_id: str, caller: Caller, *, deleted: bool = False) -> ScheduleRecord:
        record = await self.archive.schedules.get(schedule_id)
        if record is None or record.tenant_id != caller.tenant_id:
            raise _missing()
        if not (record.user_id == caller.user_id or caller.is_admin):
            raise _missing()
        if record.deleted_at is not None and not deleted:
            raise _missing()
        return record

    async def _as_it_stands(self, record: ScheduleRecord) -> Seen | None:
        """As Temporal knows it, where it may have been held or deleted by hand; None when it may be about to be made."""
        try:
            told = await self.temporal.get_schedule_handle(record.schedule_id).describe()
        except RPCError as error:
            if not is_unknown(error):
                raise
            # the row stays: this gateway may be looking at another namespace than that which runs it
            is_old = datetime.now(UTC) - record.created_at > STARTING
            return Seen(record, RunSums(), None, is_gone=True) if is_old else None
        state = told.schedule.state
        if state.paused is not (record.paused_at is not None):
            record = await self._held(record, state.note or "", is_paused=state.paused)
        coming = told.info.next_action_times
        return Seen(record, RunSums(), coming[0] if coming and not state.paused else None)

    async def _brought_up(self, record: ScheduleRecord) -> RunSums:
        known = (await self.archive.schedules.sums([record.schedule_id])).get(record.schedule_id, RunSums())
        await notice(self.temporal, self.archive, [record], known.last_at or record.created_at)
        return (await self.archive.schedules.sums([record.schedule_id])).get(record.schedule_id, RunSums())

    async def _redefine(self, record: ScheduleRecord, new: Schedule) -> None:
        """Has Temporal run another definition; when its answer is lost, it is asked what it has.

        Raises:
            Refusal: 409, Temporal does not have it.
            RPCError: it runs what it ran before, as far as can be known.
        """
        was: list[datetime | None] = []

        def changed(now: ScheduleUpdateInput) -> ScheduleUpdate:
            was.append(now.description.info.last_updated_at)
            new.state = now.description.schedule.state
            return ScheduleUpdate(new)

        async with self._handle(record) as handle:
            try:
                await handle.update(changed)
            except RPCError:
                if not was or (await handle.describe()).info.last_updated_at == was[-1]:
                    raise

    async def _redefined_back(self, before: ScheduleRecord) -> None:
        try:
            await self.archive.schedules.define(before)
        except ArchiveDownError as error:
            _log.warning(
                "schedule %s is shown as it does not run, until it is changed again: %s", before.schedule_id, error
            )

    async def _held(self, record: ScheduleRecord, reason: str, *, is_paused: bool) -> ScheduleRecord:
        paused = {"paused_at": datetime.now(UTC), "pause_reason": reason}
        record = record.model_copy(update=paused if is_paused else {"paused_at": None, "pause_reason": ""})
        await self.archive.schedules.hold(record.schedule_id, record.paused_at, record.pause_reason)
        return record

    async def _unmade(self, record: ScheduleRecord) -> None:
        """Leaves nothing of a schedule that may or may not have been made; while Temporal is away, its row stays for that."""
        try:
            await self.temporal.get_schedule_handle(record.schedule_id).delete()
        except RPCError as error:
            if not is_unknown(error):
                return
        await self.archive.schedules.withdraw(record.schedule_id)

    @asynccontextmanager
    async def _handle(self, record: ScheduleRecord) -> AsyncGenerator[ScheduleHandle]:
        try:
            yield self.temporal.get_schedule_handle(record.schedule_id)
        except RPCError as error:
            if not is_unknown(error):
                raise
            raise Refusal(409, _GONE) from error


def _missing() -> Refusal:
    return Refusal(404, "Schedule not found")
