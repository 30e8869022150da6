"""What is tried for a node, one way after another, until one brings a result."""

from dataclasses import dataclass, replace
from typing import Literal

from theseus.contracts.plan import Strategy
from theseus.contracts.task import ModelTier
from theseus.contracts.template import CognitiveNode, DagNode, Node, SimpleNode, Template, ToolNode

Kind = Literal["render", "tool", "simple", "cognitive", "dag", "supervisor"]


@dataclass(frozen=True)
class Way:
    """One way to do a node. `fallback` says in words what it is instead; empty when it is as the template has it.

    `lifted` is the tier that it is escalated to, whatever the task asks for.
    """

    kind: Kind
    strategy: Strategy = Strategy.REACT
    tier: ModelTier | None = None
    lifted: ModelTier | None = None
    fallback: str = ""


def ways(template: Template, node: Node) -> tuple[Way, ...]:
    """The ways to do a node: as it is, as often as it says, then the cheaper one, then the stronger one."""
    tier = getattr(node, "tier", None) or template.defaults.model_tier
    own = Way(node.type, node.strategy if isinstance(node, CognitiveNode) else Strategy.REACT, tier)
    found = [own] * (1 + node.on_fail.retry)
    for wanted, verb in ((node.on_fail.degrade_to, "degraded to"), (node.on_fail.escalate_to, "escalated to")):
        if wanted is not None:
            found.append(replace(_other(own, wanted), fallback=f"{verb} {wanted}"))
    return tuple(found)


def named_tools(node: Node) -> tuple[str, ...] | None:
    """The tools that a node may use whichever way it is done; None where it leaves that to its roles."""
    if isinstance(node, ToolNode):
        return (node.tool,)
    if isinstance(node, SimpleNode | CognitiveNode):
        return node.tools
    if isinstance(node, DagNode):
        lists = [node.each.tools] if node.each is not None else [task.tools for task in node.tasks]
        named = [tools for tools in lists if tools is not None]
        return tuple(dict.fromkeys(tool for tools in named for tool in tools)) if len(named) == len(lists) else None
    return None


def _other(own: Way, wanted: Strategy | ModelTier | str) -> Way:
    if isinstance(wanted, ModelTier):
        return replace(own, tier=wanted, lifted=wanted)
    if isinstance(wanted, Strategy):
        return replace(own, kind="cognitive", strategy=wanted)
    return replace(own, kind="supervisor" if wanted == "supervisor" else "simple", strategy=Strategy.REACT)
