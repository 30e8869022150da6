"""A part of a task's work: with a request, a budget and a team of its own, in the same history."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from theseus.contracts.carried import TeamState
from theseus.contracts.task import Limits, ModelTier
from theseus.domain.budget import Ledger, set_aside
from theseus.workflows.run import Run


@contextmanager
def apart(run: Run, request: str, limits: Limits, tier: ModelTier | None = None) -> Generator[Run]:
    """The run for one part of its work; what is not the part's own is shared. Its budget is carved out of the run's."""
    grant = set_aside(limits)
    run.ledger = run.ledger.reserve(grant)
    task = run.task if tier is None else run.task.model_copy(update={"model_tier": tier})
    part = replace(
        run,
        task=task,
        ledger=Ledger(limits),
        changed=request,
        plan=None,
        agents=[],
        talks=[],
        team_state=TeamState(),
        question="",
        whole=run,
        parts=[],
    )
    run.parts.append(part)
    try:
        yield part
    finally:
        run.parts.remove(part)
        run.ledger = run.ledger.settle(grant, part.ledger.spent)
        run.last_route = part.last_route or run.last_route
