"""Supervisor mode: a lead that recruits, assigns and listens, and decides anew whenever something has happened."""

from theseus.domain.planning import single
from theseus.workflows.answer import Answer
from theseus.workflows.consent import consent
from theseus.workflows.leading import lead
from theseus.workflows.run import Run


async def supervisor(run: Run) -> Answer:
    """Approval where one is due; then the lead decides and the team works, until the lead finishes, or must."""
    if not run.team_state.rounds:
        await consent(run, single(run.task.query, run.task.role, run.complexity or 0.0), most=1)
        run.plan = None
    return await lead(run)
