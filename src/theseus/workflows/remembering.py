"""Memory in the life of a task: recalled before the work, noted after the answer, kept when the turn is saved.

Nothing here fails, degrades or long delays a task: what memory could not do is told in a warning and in the metadata.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from theseus.contracts.errors import DomainError, StepFailed, TimedOut
from theseus.contracts.events import Progressed
from theseus.contracts.memory import KeepRequest, Note, Notes, Owner, Recalled, RecallRequest
from theseus.domain.combining import head_of
from theseus.domain.recalling import room_tokens
from theseus.domain.remembering import noted, remembers
from theseus.roles.presets import PRESETS
from theseus.roles.remembering import REMEMBERER
from theseus.workflows import steps
from theseus.workflows.answer import Answer
from theseus.workflows.bugs import BUGS
from theseus.workflows.model_calls import ask
from theseus.workflows.run import Run

PATIENCE = timedelta(seconds=30)
"""So long an answer that is there waits for notes of it at most; time spent paused does not count."""
ANSWER_TOKENS = 2_000
"""So much of the answer is shown to whoever takes the notes."""

EMBEDDING_SHARE = 10
"""At most a tenth of a task's budget goes into likeness of meaning."""

Limited = Callable[[Coroutine[Any, Any, tuple[Note, ...]]], Coroutine[Any, Any, tuple[Note, ...]]]
"""Does the work until the run's deadline passes, or somebody cancels."""


async def recall(run: Run) -> None:
    """Looks up what is known of the task's user, where the task has a memory."""
    if not remembers(run.task, run.facts.memory) or run.facts.refusal is not None:
        return
    run.enter("remembering the user")
    window = run.cards(PRESETS[run.task.role])[0].context_window_tokens
    try:
        recalled = await steps.recall_facts(
            RecallRequest(
                owner=_owner(run),
                query=run.task.query,
                room_tokens=room_tokens(window),
                spare_tokens=max(run.ledger.free_tokens, 0) // EMBEDDING_SHARE,
                spare_microusd=max(run.ledger.free_microusd, 0) // EMBEDDING_SHARE,
            )
        )
    except StepFailed as error:
        recalled = Recalled(problem=f"nothing was recalled: {error.message[:200]}")
    run.facts = run.facts.model_copy(update={"recalled": recalled})
    if recalled.route is not None:
        run.ledger = run.ledger.charged(recalled.usage)
        run.charge(recalled.route, recalled.usage)
        # no answer came from it
        run.last_route = None
    if recalled.problem:
        _warn(run, recalled.problem)
    if recalled.facts:
        _tell(run, f"{len(recalled.facts)} facts about the user were recalled")


async def take_notes(run: Run, answer: Answer, limited: Limited) -> tuple[Note, ...]:
    """What is worth remembering of a task with a memory; nothing when no model can say, or not soon.

    Raises:
        asyncio.CancelledError: the task was cancelled meanwhile.
    """
    if run.facts.recalled is None or run.last_route is None:
        # an answer that asked no model, as of a template without any, asks none afterwards
        return ()
    run.enter("noting what to remember")
    deadline, route = run.deadline, run.last_route
    run.deadline = soon = min(deadline, steps.now() + PATIENCE)
    try:
        return await limited(_noted(run, answer))
    except TimedOut:
        _miss(run, "there were no notes in time")
    except (DomainError, ValidationError, *BUGS) as error:
        _miss(run, f"no notes could be taken: {getattr(error, 'message', type(error).__name__)[:200]}")
    finally:
        # who held the task meanwhile has moved its deadline; the answer is still of the model that gave it
        run.deadline, run.last_route = deadline + (run.deadline - soon), route
    return ()


async def keep(run: Run, notes: tuple[Note, ...]) -> None:
    """Adds the notes to the user's memory."""
    recalled = run.facts.recalled
    if recalled is None or not notes:
        return
    request = KeepRequest(owner=_owner(run), task_id=run.task.task_id, at=steps.now(), notes=notes, recalled=recalled)
    try:
        kept = await steps.keep_facts(request)
    except StepFailed as error:
        _miss(run, f"nothing was kept: {error.message[:200]}")
        return
    run.kept = kept.ids
    if kept.ids:
        _tell(run, f"{len(kept.ids)} facts about the user were kept")


async def _noted(run: Run, answer: Answer) -> tuple[Note, ...]:
    said = "\n".join((run.task.query, *run.control.said))
    text = f"What the user said:\n{said}\n\nWhat was answered:\n{head_of(answer.text, ANSWER_TOKENS)}"
    made: Notes = await ask(run, REMEMBERER, text, facts=run.memory_facts())
    return noted(made.notes, said)


def _owner(run: Run) -> Owner:
    return Owner(tenant_id=run.task.session.tenant_id, user_id=run.task.session.user_id)


def _miss(run: Run, problem: str) -> None:
    run.memory_problem = problem
    _warn(run, problem)


def _warn(run: Run, words: str) -> None:
    run.milestones.tell(Progressed, type="WARNING", message=f"memory: {words}")


def _tell(run: Run, words: str) -> None:
    run.milestones.tell(Progressed, type="DATA_PROCESSING", message=words)
