"""Playing a template: each node starts as soon as what it depends on is done, independent ones at the same time."""

import asyncio
from collections.abc import Sequence

from theseus.contracts.errors import Denied, DomainError, ErrorType
from theseus.contracts.events import AnyFacts, Progressed
from theseus.contracts.plan import SubtaskState
from theseus.contracts.template import Node
from theseus.domain.planning import skip_hopeless
from theseus.domain.templates.ladder import ways
from theseus.workflows.answer import OverlongTask
from theseus.workflows.patterns.template.asking import approved
from theseus.workflows.patterns.template.doing import do
from theseus.workflows.patterns.template.play import Play
from theseus.workflows.patterns.template.rendering import Starting, give_up, render_ready
from theseus.workflows.run import Run
from theseus.workflows.together import Scope, first_done


async def play_all(run: Run, play: Play) -> None:
    """Does all nodes that can be done.

    Raises:
        Denied: a person said no.
        OverlongTask: the history is long, and nothing is at work: the task goes on in a new one.
    """
    running: dict[asyncio.Task[None], str] = {}
    async with Scope(lambda: running):
        while True:
            state = play.state() if run.is_history_long else None
            if state is None:
                for name, starting in (await _next(run, play)).items():
                    node = play.nodes[name]
                    play.part(node).state = SubtaskState.RUNNING
                    running[asyncio.create_task(_one(run, play, node, starting))] = name
            run.enter(_at_work(list(running.values())))
            if not running:
                if state is not None and _is_open(play):
                    raise OverlongTask(template=state)
                return
            for task in await first_done(list(running)):
                del running[task]
                task.result()


async def _next(run: Run, play: Play) -> dict[str, Starting]:
    """What may start now; texts are rendered until no more of them are ready."""
    found: dict[str, Starting] = {}
    while True:
        before = _states(play)
        skip_hopeless(play.plan)
        found = await render_ready(run, play)
        if _states(play) == before:
            return found


async def _one(run: Run, play: Play, node: Node, starting: Starting) -> None:
    """One node, by one way after another until it has a result."""
    if node.require_approval:
        await approved(run, node, starting)
    why = ""
    for number, way in enumerate(ways(play.template, node), start=1):
        play.part(node).attempts = number
        try:
            result = await do(run, play, node, way, starting)
        except Denied:
            raise
        except DomainError as error:
            why = play.part(node).note = error.message
            run.failures.append(error.type)
            _tell(run, "ERROR_RECOVERY", node, f"node {node.id} failed: {why}"[:500], error.type)
            continue
        if way.fallback:
            run.note_degraded(f"node {node.id} was {way.fallback}: {why}"[:500])
        if left_out := play.done(node, result):
            run.note_degraded(f"node {node.id}: {left_out:,} characters of its result are left out")
        _tell(run, "PROGRESS", node, f"node {node.id} is done", None)
        return
    await give_up(run, play, node, why)


def _tell(run: Run, kind: str, node: Node, words: str, error: ErrorType | None) -> None:
    facts = AnyFacts.model_validate({"node": node.id, "node_type": node.type, **({"error": error} if error else {})})
    run.milestones.tell(Progressed, type=kind, message=words, payload=facts)


def _states(play: Play) -> list[SubtaskState]:
    return [part.state for part in play.plan.subtasks]


def _is_open(play: Play) -> bool:
    return SubtaskState.PENDING in _states(play)


def _at_work(names: Sequence[str]) -> str:
    return f"nodes at work: {', '.join(names)}"[:120] if names else "nodes done"
