"""Consent: before a team starts, a person may have to say yes to its plan."""

from pydantic import JsonValue, ValidationError

from theseus.contracts.control import ApprovalDecision, PendingApproval
from theseus.contracts.errors import Denied
from theseus.contracts.plan import Plan, PlanDraft
from theseus.domain.planning import adopted, faults
from theseus.roles.presets import PRESETS
from theseus.workflows.approvals import NOBODY, wanted
from theseus.workflows.run import Run


async def agreed(run: Run, what: str, reason: str, action: JsonValue) -> ApprovalDecision:
    """Asks a person before something starts; what was asked is `action`, `what` its id within the task.

    Raises:
        Denied: the person, or the deadline, said no.
    """
    rules = run.facts.approvals
    run.enter("waiting for approval")
    asked = wanted(f"{run.task.task_id}/{what}", rules, kind="task", reason=reason, action=action)
    decision = await run.approvals.ask(asked, rules)
    if not decision.approved:
        who = f" by {decision.approved_by}" if decision.approved_by not in ("", NOBODY) else ""
        raise Denied(f"the task was not approved{who}: {decision.feedback or 'no reason was given'}")
    run.is_read_only = run.is_read_only or decision.approved_by == NOBODY
    return decision


async def consent(run: Run, plan: Plan, *, most: int) -> Plan:
    """The plan as it may be carried out: at once, or after a person approved it, perhaps changed.

    Raises:
        Denied: the person, or the deadline, said no.
    """
    reason = _reason(run, plan)
    if not reason:
        return plan
    run.approvals.check = lambda pending, decision: _problem(run, pending, decision, most)
    action = plan.model_dump(mode="json", include={"strategy": True, "subtasks": True})
    decision = await agreed(run, "plan", reason, action)
    if decision.modified_action is None:
        return plan
    run.plan = adopted(PlanDraft.model_validate(_draft(decision.modified_action)), run.tools_of_roles())
    run.changed = "\n\n".join(subtask.description for subtask in run.plan.subtasks)
    run.show()
    return run.plan


def _reason(run: Run, plan: Plan) -> str:
    above = run.facts.approvals.above_complexity
    complexity = run.complexity if run.complexity is not None else plan.complexity
    if run.task.require_approval:
        return "the task asks for approval"
    if run.skill is not None and run.skill.head.dangerous:
        return f"the skill {run.skill.key} is dangerous: {run.skill.head.description}"
    if above is not None and complexity > above:
        return f"the task's complexity {complexity:g} is above {above:g}"
    return ""


def _problem(run: Run, pending: PendingApproval, decision: ApprovalDecision, most: int) -> str:
    """What is wrong with the change that a decision makes to a plan."""
    changed = decision.modified_action
    if changed is None or not decision.approved:
        return ""
    if pending.kind == "tool":
        return "" if isinstance(changed, dict) else "the arguments of a tool are a JSON object"
    try:
        draft = PlanDraft.model_validate(_draft(changed))
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
    tools = [tool.name for tool in run.facts.tools]
    return "; ".join(faults(draft, most=most, roles=PRESETS, tools=tools))


def _draft(changed: JsonValue) -> JsonValue:
    return {"subtasks": changed} if isinstance(changed, list) else changed
