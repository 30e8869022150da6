"""The life of a task, the same for all modes: accept, open, window, route, work, close."""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

from pydantic import JsonValue, ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.control import Progress
from theseus.contracts.errors import DomainError, InvalidInput, NoModel, TimedOut
from theseus.contracts.facts import FactsRequest
from theseus.contracts.session import Turn
from theseus.contracts.task import Mode, TaskResult, TaskStatus
from theseus.domain.budget import Ledger
from theseus.domain.fairness import fairness_key
from theseus.domain.intake import Setting, accept
from theseus.domain.tokens import estimate
from theseus.roles.presets import PRESETS
from theseus.workflows import endings, steps
from theseus.workflows.control import Control
from theseus.workflows.milestones import Milestones
from theseus.workflows.modes import BUILT
from theseus.workflows.opening import announce, choose_mode, fit_session
from theseus.workflows.run import Answer, Run

T = TypeVar("T")

BUGS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
"""Plain bugs: they fail the task with its last events told, instead of spinning a workflow task for ever."""


class Lifecycle:
    """One task from its raw input to its result. Built in a workflow's constructor; `live` is its `run`."""

    def __init__(self, own_mode: Mode | None) -> None:
        self._own_mode = own_mode
        self._milestones = Milestones()
        self._run: Run | None = None
        self._ended: TaskStatus | None = None
        self._has_attributes = False
        self._control = Control(self._milestones, self._progress)

    async def live(self, raw: JsonValue) -> TaskResult:
        """Runs the task.

        Raises:
            ApplicationError: the task failed, was denied or timed out; the first detail is the TaskResult.
            asyncio.CancelledError: it was cancelled.
        """
        steps.queue_under(fairness_key(raw))
        try:
            result = await _undisturbed(self._close(await self._within_limits(raw)))
        except asyncio.CancelledError:
            await _undisturbed(self._end_cancelled())
            raise
        except DomainError as error:
            result = await _undisturbed(self._end_failed(error))
        except (ValidationError, *BUGS) as error:
            workflow.logger.exception("a bug failed the task")
            result = await _undisturbed(self._end_failed(DomainError(f"{type(error).__name__}: {error}")))
        if result.error is not None:
            raise ApplicationError(result.error.message, result, type=result.error.type, non_retryable=True)
        return result

    async def _work(self, raw: JsonValue) -> Answer:
        run = await self._open(raw)
        await fit_session(run)
        run.mode = run.task.mode or await choose_mode(run)
        answer = await BUILT[run.mode](run)
        await self._control.checkpoint("session.append")
        return answer

    async def _open(self, raw: JsonValue) -> Run:
        task, refused = self._accept(raw)
        facts = await steps.load_facts(
            FactsRequest(
                task_id=steps.task_id(),
                model_override=task.model_override if task else None,
                provider_override=task.provider_override if task else None,
            )
        )
        self._has_attributes = facts.search_attributes
        if task is None:
            raise refused or InvalidInput("the input was not accepted")
        if facts.refusal is not None:
            raise _no_model(task, facts.refusal)
        self._run = run = Run(
            task=task,
            facts=facts,
            control=self._control,
            milestones=self._milestones,
            deadline=steps.now() + timedelta(seconds=task.limits.wall_clock_seconds),
            ledger=Ledger(task.limits),
            mode=task.mode,
        )
        self._control.on_change(run.show)
        announce(run)
        return run

    def _accept(self, raw: JsonValue) -> tuple[AcceptedTask | None, DomainError | None]:
        setting = Setting(
            workflow_id=steps.task_id(),
            workflow_mode=self._own_mode,
            fresh_session_id=steps.fresh_id(),
            roles=PRESETS,
            built=BUILT,
        )
        try:
            return accept(raw, setting), None
        except DomainError as error:
            return None, error

    async def _within_limits(self, raw: JsonValue) -> Answer:
        body = asyncio.create_task(self._work(raw))
        deadline = asyncio.create_task(self._deadline())
        cancelled = asyncio.create_task(self._control.cancelled())
        with contextlib.suppress(asyncio.CancelledError):
            await workflow.wait([body, deadline, cancelled], return_when=asyncio.FIRST_COMPLETED)
        late = deadline.done() and not body.done()
        deadline.cancel()
        cancelled.cancel()
        if body.done():
            return body.result()
        body.cancel()
        await _undisturbed(_ended(body))
        if late and self._run is not None and not steps.is_cancel_requested():
            raise TimedOut(self._run.limit_in_words())
        raise asyncio.CancelledError

    async def _deadline(self) -> None:
        await workflow.wait_condition(lambda: self._run is not None)
        while (run := self._run) is not None:
            left = max(run.deadline - steps.now(), timedelta())
            try:
                await workflow.wait_condition(
                    lambda: self._control.state.is_paused, timeout=left, timeout_summary="wall-clock limit"
                )
            except TimeoutError:
                return
            held = steps.now()
            await workflow.wait_condition(lambda: not self._control.state.is_paused)
            run.deadline += steps.now() - held

    async def _close(self, answer: Answer) -> TaskResult:
        run = self._run
        assert run is not None
        self._control.is_open = False
        run.enter("saving")
        await steps.append_turn(
            Turn(
                key=run.task.session,
                task_id=run.task.task_id,
                user_text=run.task.query,
                user_tokens=estimate(run.task.query),
                answer_text=answer.text,
                answer_tokens=estimate(answer.text),
            )
        )
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
        self._control.is_open = False
        self._ended = result.status
        if self._run is not None:
            self._run.enter(str(result.status))
        if self._has_attributes:
            steps.label(endings.attributes(result))
        await self._milestones.close()
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _progress(self) -> Progress:
        progress = self._run.progress() if self._run is not None else Progress(phase="opening")
        return progress.model_copy(update={"status": self._ended})


async def _undisturbed(work: Coroutine[object, object, T]) -> T:
    """Finishes `work` though the task is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError:
            continue
    return task.result()


async def _ended(body: asyncio.Task[Answer]) -> None:
    await workflow.wait([body])
    if not body.cancelled() and (error := body.exception()) is not None:
        workflow.logger.info("the work ended with %s while it was stopped", type(error).__name__)


def _no_model(task: AcceptedTask, refusal: str) -> DomainError:
    for name in ("model_override", "provider_override"):
        if getattr(task, name) is not None:
            return InvalidInput(f"{name}: {refusal}", field=name)
    return NoModel(refusal)
