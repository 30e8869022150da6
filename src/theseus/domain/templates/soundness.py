"""What makes a template sound, beyond its shape: its graph, its budgets, what its nodes try on failure."""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter

from theseus.contracts.plan import Strategy
from theseus.contracts.task import ModelTier
from theseus.contracts.template import (
    CognitiveNode,
    DagNode,
    Node,
    RenderNode,
    SimpleNode,
    SupervisorNode,
    Template,
    ToolNode,
)
from theseus.contracts.tools import Effect

Fault = tuple[tuple[str | int, ...], str]
"""A place in the template, such as ("nodes", 2, "depends_on"), and what is wrong there."""

_CHEAPER: Mapping[type[Node], tuple[str, ...]] = {
    CognitiveNode: ("simple", *(str(strategy) for strategy in Strategy)),
    DagNode: ("simple",),
    SupervisorNode: ("simple",),
}
_STRONGER: Mapping[type[Node], tuple[str, ...]] = {
    ToolNode: ("simple",),
    SimpleNode: ("supervisor", *(str(tier) for tier in ModelTier)),
    CognitiveNode: ("supervisor", *(str(tier) for tier in ModelTier)),
    DagNode: ("supervisor", *(str(tier) for tier in ModelTier)),
    SupervisorNode: tuple(str(tier) for tier in ModelTier),
}


def faults(template: Template) -> list[Fault]:
    """All that is wrong with a template, whatever worker runs it; empty when it is sound."""
    return [*_ids(template), *_edges(template), *_graph(template), *_budgets(template), *_failing(template)]


def tool_faults(
    template: Template, tools: Mapping[str, Effect], roles: Collection[str], unserved: Collection[str]
) -> list[Fault]:
    """What a worker with these tools and roles cannot do of a template; `unserved` are roles without a vendor's tools."""
    return [*_tools(template, tools), *_roles(template, roles, unserved)]


def dependencies(template: Template) -> dict[str, tuple[str, ...]]:
    """What each node depends on, by its own word and by the edges, in that order."""
    found = {node.id: list(node.depends_on) for node in template.nodes}
    for edge in template.edges:
        if edge.source not in found.get(edge.target, [edge.source]):
            found[edge.target].append(edge.source)
    return {name: tuple(dict.fromkeys(others)) for name, others in found.items()}


def before(template: Template) -> dict[str, frozenset[str]]:
    """For each node, all that is done before it; the template has to be sound."""
    direct = dependencies(template)
    found: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(direct).static_order():
        found[name] = frozenset(direct[name]).union(*(found[other] for other in direct[name]))
    return found


def needs_model(template: Template) -> list[str]:
    """Ids of the nodes that call a model, or may."""
    return [node.id for node in template.nodes if _asks_model(node)]


def named_roles(template: Template) -> list[str]:
    """The roles that nodes name, each once."""
    named = (role for node in template.nodes for _, role in _named_roles(node) if role is not None)
    return list(dict.fromkeys(named))


def _asks_model(node: Node) -> bool:
    if isinstance(node, ToolNode):
        return node.on_fail.escalate_to is not None
    return not isinstance(node, RenderNode)


def _ids(template: Template) -> Iterator[Fault]:
    for name in template.parameters:
        if hasattr(dict, name):
            yield ("parameters", name), f"params.{name} is something else in texts: choose another name"
    seen: set[str] = set()
    for at, node in enumerate(template.nodes):
        if node.id in seen:
            yield ("nodes", at, "id"), f"the id {node.id!r} is used more than once"
        seen.add(node.id)
        if hasattr(dict, node.id):
            yield ("nodes", at, "id"), f"results.{node.id} is something else in texts: choose another id"
        if isinstance(node, DagNode):
            yield from _dag(node, at)


def _dag(node: DagNode, at: int) -> Iterator[Fault]:
    ids = [task.id for task in node.tasks]
    for place, task in enumerate(node.tasks):
        if ids.index(task.id) != place:
            yield ("nodes", at, "tasks", place, "id"), f"the id {task.id!r} is used more than once"
        for other in task.depends_on:
            if other not in ids:
                yield ("nodes", at, "tasks", place, "depends_on"), f"there is no task {other!r} in this node"
    circle = _circle({task.id: task.depends_on for task in node.tasks})
    if circle:
        yield ("nodes", at, "tasks"), f"the dependencies go in a circle: {circle}"


def _edges(template: Template) -> Iterator[Fault]:
    ids = {node.id for node in template.nodes}
    for at, edge in enumerate(template.edges):
        for end, name in (("from", edge.source), ("to", edge.target)):
            if name not in ids:
                yield ("edges", at, end), f"there is no node {name!r}"


def _graph(template: Template) -> Iterator[Fault]:
    ids = {node.id for node in template.nodes}
    for at, node in enumerate(template.nodes):
        for other in node.depends_on:
            if other not in ids:
                yield ("nodes", at, "depends_on"), f"there is no node {other!r}"
    circle = _circle({name: [o for o in others if o in ids] for name, others in dependencies(template).items()})
    if circle:
        yield ("nodes",), f"the dependencies go in a circle: {circle}"


def _circle(graph: Mapping[str, Collection[str]]) -> str:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " -> ".join(error.args[1])
    return ""


def _budgets(template: Template) -> Iterator[Fault]:
    most = template.defaults.budget_agent_max
    for at, node in enumerate(template.nodes):
        wanted = getattr(node, "budget_max", None)
        if most is not None and wanted is not None and wanted > most:
            yield ("nodes", at, "budget_max"), f"{wanted} is more than defaults.budget_agent_max, {most}"


def _failing(template: Template) -> Iterator[Fault]:
    for at, node in enumerate(template.nodes):
        wanted = node.on_fail
        if wanted.retry and isinstance(node, RenderNode):
            yield ("nodes", at, "on_fail", "retry"), "a text comes out the same each time"
        for name, value, table in (
            ("degrade_to", wanted.degrade_to, _CHEAPER),
            ("escalate_to", wanted.escalate_to, _STRONGER),
        ):
            known = table.get(type(node), ())
            if value is not None and value not in known:
                may = f"a {node.type} node may name {', '.join(known)}" if known else f"a {node.type} node has none"
                yield ("nodes", at, "on_fail", name), f"{value} has no effect here: {may}"


def _tools(template: Template, tools: Mapping[str, Effect]) -> Iterator[Fault]:
    for at, node in enumerate(template.nodes):
        if isinstance(node, ToolNode):
            if node.tool not in tools:
                yield ("nodes", at, "tool"), f"this worker has no tool {node.tool!r} that this tenant may use"
            elif node.on_fail.retry and tools[node.tool] is Effect.WRITE:
                yield ("nodes", at, "on_fail", "retry"), f"{node.tool} writes: it is never run twice"
        for place, names in _named_tools(node):
            for name in names:
                if not any(fnmatchcase(known, name) for known in tools):
                    yield ("nodes", at, *place), f"this worker has no tool {name!r} that this tenant may use"


def _named_tools(node: Node) -> Iterator[tuple[tuple[str | int, ...], tuple[str, ...]]]:
    if isinstance(node, SimpleNode | CognitiveNode):
        yield ("tools",), node.tools or ()
    if isinstance(node, DagNode):
        for at, task in enumerate(node.tasks):
            yield ("tasks", at, "tools"), task.tools or ()
        if node.each is not None:
            yield ("each", "tools"), node.each.tools or ()


def _roles(template: Template, roles: Collection[str], unserved: Collection[str]) -> Iterator[Fault]:
    for at, node in enumerate(template.nodes):
        for place, role in _named_roles(node):
            if role is not None and role not in roles:
                yield ("nodes", at, *place), f"there is no role {role!r}; known roles: {', '.join(sorted(roles))}"
            elif role in unserved:
                words = (
                    f"{role} works with tools of a vendor, and no adapter brings one for this tenant (docs/adapters.md)"
                )
                yield ("nodes", at, *place), words


def _named_roles(node: Node) -> Iterator[tuple[tuple[str | int, ...], str | None]]:
    if isinstance(node, SimpleNode | CognitiveNode):
        yield ("role",), node.role
    if isinstance(node, DagNode):
        for at, task in enumerate(node.tasks):
            yield ("tasks", at, "role"), task.role
        if node.each is not None:
            yield ("each", "role"), node.each.role
