"""Approvals within a template: before it starts, and before single nodes."""

from pydantic import JsonValue

from theseus.contracts.control import ApprovalDecision, PendingApproval
from theseus.contracts.template import Node, Template, ToolNode
from theseus.workflows.consent import agreed
from theseus.workflows.patterns.template.rendering import ITEMS, OWN, Starting
from theseus.workflows.run import Run

SHOWN_CHARS = 4_000


def nothing_to_change(run: Run) -> None:
    """A person may say yes or no to a template and its nodes; what they do is the template's word."""
    check = run.approvals.check

    def checked(pending: PendingApproval, decision: ApprovalDecision) -> str:
        if pending.kind == "task" and decision.modified_action is not None:
            return "the nodes of a template cannot be changed: approve or deny them as they are"
        return check(pending, decision)

    run.approvals.check = checked


async def allowed(run: Run, template: Template) -> None:
    """Waits for a person's yes to the template as a whole, where the task, the template or the worker asks for one.

    Raises:
        Denied: the person, or the deadline, said no.
    """
    above = run.facts.approvals.above_complexity
    if run.task.require_approval:
        reason = "the task asks for approval"
    elif template.defaults.require_approval:
        reason = "the template asks for approval"
    elif above is not None and (run.complexity or 0.0) > above:
        reason = f"the task's complexity {run.complexity:g} is above {above:g}"
    else:
        return
    action: JsonValue = {
        "template": f"{template.name}@{template.version}",
        "nodes": [{"id": node.id, "type": node.type, "description": node.description} for node in template.nodes],
    }
    await agreed(run, "template", reason, action)


async def approved(run: Run, node: Node, starting: Starting) -> None:
    """Waits for a person's yes to one node.

    Raises:
        Denied: the person, or the deadline, said no.
    """
    names = {OWN: "arguments" if isinstance(node, ToolNode) else "prompt", ITEMS: "parallel_by"}
    shown = {
        names.get(name, name): value[:SHOWN_CHARS] if isinstance(value, str) else value
        for name, value in starting.items()
    }
    action: JsonValue = {"node": node.id, "type": node.type, "starts_with": shown}
    await agreed(run, f"node/{node.id}", f"the template asks before its node {node.id}", action)
