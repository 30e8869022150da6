"""Planning: a task becomes a sound plan, or, when no model can make one, a plan of one subtask."""

from pydantic import JsonValue

from theseus.contracts.errors import AnswerInvalid, StepFailed
from theseus.contracts.plan import Plan, PlanDraft
from theseus.domain.planning import adopted, faults, single
from theseus.roles.planner import PLANNER
from theseus.roles.presets import PRESETS
from theseus.workflows.model_calls import ask
from theseus.workflows.run import Run

SHOWN_CHARS = 160


async def make_plan(run: Run, *, most: int) -> Plan:
    """The plan of a task, with at most so many subtasks; a role that the caller named makes it one subtask of that role.

    Raises:
        BudgetExhausted: not even the planner fits.
    """
    run.enter("planning")
    task = run.task
    if task.context.role is not None:
        run.plan = single(task.query, task.role)
        return run.plan
    try:
        draft = await ask(
            run, PLANNER, task.query, window=True, facts=_facts(run, most), check=lambda made: _problem(run, made, most)
        )
    except (StepFailed, AnswerInvalid) as error:
        run.note_degraded(f"no plan could be made ({error.message[:200]}); one agent does the whole task")
        run.plan = single(task.query, task.role)
        return run.plan
    run.plan = adopted(draft, run.tools_of_roles())
    run.complexity = draft.complexity if run.complexity is None else run.complexity
    run.show()
    return run.plan


def _problem(run: Run, draft: PlanDraft, most: int) -> str:
    tools = [tool.name for tool in run.facts.tools]
    return "; ".join(faults(draft, most=most, roles=PRESETS, tools=tools))


def _facts(run: Run, most: int) -> dict[str, JsonValue]:
    facts: dict[str, JsonValue] = {
        "most_subtasks": most,
        "roles": {role.name: role.instructions[:SHOWN_CHARS] for role in PRESETS.values()},
        "tools": {name: list(tools) for name, tools in run.tools_of_roles().items()},
    }
    return facts | run.shared_facts()
