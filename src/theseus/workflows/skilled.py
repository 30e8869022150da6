"""A task that a skill drives: which tools its agent gets, and what its result says of the skill."""

from pydantic import JsonValue

from theseus.contracts.plan import Plan
from theseus.workflows.run import Run


def of_skill(run: Run, plan: Plan) -> Plan:
    """The plan of one subtask, with the tools of its role and those that the skill requires; unchanged without a skill."""
    if run.skill is not None:
        subtask = plan.subtasks[0]
        own = run.tools_of_roles()[subtask.role]
        subtask.tools = list(dict.fromkeys((*own, *run.tools_named(run.skill.head.requires_tools))))
    return plan


def skill_used(run: Run) -> dict[str, JsonValue]:
    """What a result says of the skill; nothing without one."""
    if run.skill is None:
        return {}
    head = run.skill.head
    return {"skill": {"name": head.name, "version": head.version, "content_hash": run.skill.content_hash}}
