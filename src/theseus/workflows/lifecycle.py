"""The life of a task, the same for all modes: accept, open, window, route, work, close."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import JsonValue, ValidationError
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.carried import CarriedTask, Continuation
from theseus.contracts.control import Progress
from theseus.contracts.errors import DomainError, InvalidInput
from theseus.contracts.facts import FactsRequest
from theseus.contracts.session import Turn
from theseus.contracts.task import Mode, TaskResult, TaskStatus
from theseus.domain.attachments import mentioned
from theseus.domain.budget import Ledger
from theseus.domain.fairness import fairness_key
from theseus.domain.intake import Setting, accept, parsed
from theseus.domain.tokens import estimate
from theseus.domain.toolset import permitted
from theseus.roles.presets import PRESETS
from theseus.workflows import endings, steps
from theseus.workflows.answer import Answer, OverlongTask
from theseus.workflows.approvals import Approvals
from theseus.workflows.bugs import BUGS
from theseus.workflows.carrying import carried_by, reopened
from theseus.workflows.control import Control, Hearing
from theseus.workflows.crew import Crew
from theseus.workflows.limits import Hold, undisturbed, unless_cancelled, within_limits
from theseus.workflows.milestones import Milestones
from theseus.workflows.modes import BUILT
from theseus.workflows.opening import (
    announce,
    choose_mode,
    fit_session,
    keep_attachments,
    refuse_unserved,
    require_model,
    take_skill,
    take_template,
)
from theseus.workflows.remembering import keep, recall, take_notes
from theseus.workflows.reviews import Reviews
from theseus.workflows.run import Run

T = TypeVar("T")

LEAST_SAVING = timedelta(seconds=60)
"""An answer that came in the last moment is still saved for so long."""
NOTHING = RawValue(Payload())
"""An argument that was not given."""


class Lifecycle:
    """One task from its raw input to its result. Built in a workflow's constructor; `live` is its `run`."""

    def __init__(self, own_mode: Mode | None) -> None:
        self._own_mode = own_mode
        self._milestones = Milestones()
        self._run: Run | None = None
        self._ended: TaskStatus | None = None
        self._has_attributes = False
        self._control = Control(self._milestones, self._progress)
        self._crew = Crew(self._control)
        self._approvals = Approvals(self._milestones, self._crew.tell)
        self._reviews = Reviews(self._milestones)

    async def live(self, raw: RawValue) -> TaskResult:
        """Runs the task, or goes on with what an earlier run of it took along.

        Raises:
            ApplicationError: the task failed, was denied or timed out; the first detail is the TaskResult.
            asyncio.CancelledError: it was cancelled.
        """
        steps.queue_under(_tenant(raw))
        try:
            answer = await self._limited(self._work(raw))
            notes = await take_notes(self._opened, answer, self._limited)
            await unless_cancelled(self._save(answer), self._control.cancelled())
            await undisturbed(keep(self._opened, notes))
            result = await undisturbed(self._close(answer))
        except asyncio.CancelledError:
            await undisturbed(self._end_cancelled())
            raise
        except OverlongTask as long:
            await undisturbed(self._pause_for_breath())
            if steps.is_cancel_requested():
                await undisturbed(self._end_cancelled())
                raise asyncio.CancelledError from None
            steps.continue_as_new(Continuation(carried=carried_by(self._opened, long)))
        except DomainError as error:
            result = await undisturbed(self._end_failed(error))
        except (ValidationError, *BUGS) as error:
            workflow.logger.exception("a bug failed the task")
            result = await undisturbed(self._end_failed(DomainError(f"{type(error).__name__}: {error}")))
        if result.error is not None:
            raise ApplicationError(result.error.message, result, type=result.error.type, non_retryable=True)
        return result

    async def _pause_for_breath(self) -> None:
        await self._milestones.flush()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @property
    def _opened(self) -> Run:
        assert self._run is not None
        return self._run

    async def _limited(self, work: Coroutine[Any, Any, T]) -> T:
        return await within_limits(work, lambda: self._run, Hold(self._is_held), self._control.cancelled())

    def _is_held(self) -> bool:
        waits = self._run is not None and self._run.is_on_hold
        return waits or self._control.state.is_paused or self._approvals.is_waiting or self._reviews.is_waiting

    async def _work(self, raw: RawValue) -> Answer:
        if (carried := _carried(raw)) is not None:
            return await self._go_on(carried)
        run = await self._open(raw)
        await keep_attachments(run)
        mode = run.task.mode
        if run.task.skill is not None:
            await take_skill(run, run.task.skill)
            refuse_unserved(run.task, run.facts.tools)
        if mode is Mode.TEMPLATE:
            mode = await take_template(run)
            run.mode = mode or run.task.fallback_mode
        await recall(run)
        if mode is not Mode.TEMPLATE:
            await fit_session(run)
            run.mode = run.mode or await choose_mode(run)
        assert run.mode is not None
        return await self._in_mode(run, run.mode)

    async def _go_on(self, carried: CarriedTask) -> Answer:
        run = reopened(carried, self._control, self._crew, self._approvals, self._milestones)
        run.reviews = self._reviews
        self._reviews.remember(carried.review)
        self._has_attributes = run.facts.search_attributes
        self._run = run
        self._control.on_change(run.show)
        return await self._in_mode(run, carried.mode)

    async def _in_mode(self, run: Run, mode: Mode) -> Answer:
        try:
            answer = await BUILT[mode](run)
        finally:
            self._control.hears = Hearing.NOBODY
        await self._control.checkpoint("session.append")
        return answer

    async def _open(self, raw: RawValue) -> Run:
        task, refused = self._accept(raw)
        facts = await steps.load_facts(
            FactsRequest(
                task_id=steps.task_id(),
                tenant_id=task.session.tenant_id if task else "",
                model_override=task.model_override if task else None,
                provider_override=task.provider_override if task else None,
            )
        )
        self._has_attributes = facts.search_attributes
        if task is None:
            raise refused or InvalidInput("the input was not accepted")
        if task.mode is not Mode.TEMPLATE:
            require_model(task, facts)
        tools = permitted(facts.tools, task.tools)
        refuse_unserved(task, tools)
        self._run = run = Run(
            task=task,
            facts=facts.model_copy(update={"tools": tools}),
            control=self._control,
            crew=self._crew,
            approvals=self._approvals,
            reviews=self._reviews,
            milestones=self._milestones,
            deadline=steps.now() + timedelta(seconds=task.limits.wall_clock_seconds),
            ledger=Ledger(task.limits),
            mode=task.mode,
        )
        self._control.on_change(run.show)
        announce(run)
        return run

    def _accept(self, raw: RawValue) -> tuple[AcceptedTask | None, DomainError | None]:
        setting = Setting(
            workflow_id=steps.task_id(),
            workflow_mode=self._own_mode,
            fresh_session_id=steps.fresh_id(),
            roles=PRESETS,
        )
        try:
            return accept(_given(raw), setting), None
        except DomainError as error:
            return None, error

    async def _save(self, answer: Answer) -> None:
        run = self._opened
        run.enter("saving")
        patience = max(run.deadline - steps.now(), LEAST_SAVING)
        said = run.task.query + mentioned(run.task.attachments)
        await steps.append_turn(
            Turn(
                key=run.task.session,
                task_id=run.task.task_id,
                user_text=said,
                user_tokens=estimate(said),
                answer_text=answer.text,
                answer_tokens=estimate(answer.text),
            ),
            patience=patience,
        )

    async def _close(self, answer: Answer) -> TaskResult:
        run = self._opened
        self._control.close()
        result = endings.result(run, answer)
        endings.tell_completed(self._milestones, result)
        await self._end(result)
        return result

    async def _end_failed(self, error: DomainError) -> TaskResult:
        result = endings.failure(steps.task_id(), self._run, error)
        endings.tell_failed(self._milestones, result)
        await self._end(result)
        return result

    async def _end_cancelled(self) -> None:
        state = self._control.state
        if not steps.is_cancel_requested():
            await steps.cancel_this_task(state.cancel_reason)
        self._control.state = state.model_copy(update={"is_cancelled": True})
        result = endings.cancellation(steps.task_id(), self._run)
        endings.tell_cancelled(self._milestones, result, self._control.state)
        await self._end(result)

    async def _end(self, result: TaskResult) -> None:
        self._control.close()
        self._approvals.close()
        self._reviews.close()
        self._ended = result.status
        if self._run is not None:
            endings.rest(self._run, result, self._control.state)
        if self._has_attributes:
            steps.label(endings.attributes(result))
        await self._milestones.close()
        if self._run is not None and self._run.facts.archives:
            await steps.archive(endings.record(self._run, result))
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _progress(self) -> Progress:
        progress = self._run.progress() if self._run is not None else Progress(phase="opening")
        return progress.model_copy(update={"status": self._ended})


def _given(raw: RawValue) -> JsonValue:
    """The input as JSON. It is read here, not by the data converter, whose errors would quote it."""
    if not raw.payload.data:
        return None
    return parsed(raw.payload.data, "the task input")


def _tenant(raw: RawValue) -> str | None:
    try:
        given = _given(raw)
    except InvalidInput:
        return None
    carried = given.get("carried") if steps.is_continued() and isinstance(given, dict) else None
    if isinstance(carried, dict) and isinstance(task := carried.get("task"), dict):
        given = task.get("session")
    return fairness_key(given)


def _carried(raw: RawValue) -> CarriedTask | None:
    """What an earlier run of the task took along; a caller's task may bring nothing of the kind."""
    if not steps.is_continued():
        return None
    return Continuation.model_validate_json(raw.payload.data).carried
