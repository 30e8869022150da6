"""A template under way: what it is, what it was given, how far its nodes are and what they brought."""

import asyncio
from collections.abc import Mapping

from pydantic import JsonValue

from theseus.contracts.agent import MOST_CARRIED_BYTES
from theseus.contracts.plan import Plan, Subtask, SubtaskState
from theseus.contracts.template import LoadedTemplate, Node, RenderNode, Template, TemplateState, ToolNode
from theseus.domain.attachments import for_tools
from theseus.domain.templates.binding import bound
from theseus.domain.templates.soundness import before, dependencies
from theseus.workflows.run import Run

RESULT_CHARS = 40_000
"""What an agent or a tool gave is cut there: it goes into texts, prompts and the next history. Texts have a limit of their own."""

_WAITING = (SubtaskState.PENDING, SubtaskState.RUNNING)


class Play:
    """The nodes of one template in one task. The plan that people see has a part for each node."""

    def __init__(self, run: Run, loaded: LoadedTemplate) -> None:
        assert loaded.template is not None
        self.loaded = loaded
        self.template: Template = loaded.template
        self.params = bound(self.template, run.task.context.prompt_params)
        self.nodes: Mapping[str, Node] = {node.id: node for node in self.template.nodes}
        self.before = before(self.template)
        self.plan = _plan(self.template, run.task.role)
        self.results: dict[str, str] = {}
        self.slots = asyncio.Semaphore(run.task.max_concurrent_agents)
        self.one_lead = asyncio.Lock()
        self._parts = {subtask.id: subtask for subtask in self.plan.subtasks}

    def part(self, node: Node) -> Subtask:
        """Where a node stands."""
        return self._parts[node.id]

    def done(self, node: Node, result: str) -> int:
        """A node has its result; so many of its characters are left out."""
        left_out = 0 if isinstance(node, RenderNode) else max(len(result) - RESULT_CHARS, 0)
        cut = result if not left_out else f"{result[:RESULT_CHARS]}\n[{left_out} more characters are left out]"
        self.results[node.id] = cut
        self.part(node).state, self.part(node).note = SubtaskState.DONE, ""
        return left_out

    def failed(self, node: Node, why: str) -> None:
        """A node has none, and will have none."""
        self.part(node).state, self.part(node).note = SubtaskState.FAILED, why[:200]

    def unserved(self) -> int:
        """How many nodes that call models still need a share of the budget."""
        asking = (node for node in self.template.nodes if not isinstance(node, RenderNode | ToolNode))
        return max(sum(self.part(n).state in _WAITING and self.part(n).agent_id is None for n in asking), 1)

    def last(self) -> dict[str, str]:
        """The results of the nodes that no other node builds on."""
        used = {other for others in dependencies(self.template).values() for other in others}
        return {name: self.results[name] for name in self.nodes if name in self.results and name not in used}

    def state(self) -> TemplateState | None:
        """What the next history needs; None when it is too much to take along."""
        size = sum(len(text.encode()) for text in self.results.values())
        if size > MOST_CARRIED_BYTES:
            return None
        return TemplateState(loaded=self.loaded, plan=self.plan, results=self.results)

    @staticmethod
    def resumed(run: Run, state: TemplateState) -> "Play":
        """The template that an earlier history began; no node is at work."""
        play = Play(run, state.loaded)
        for earlier in state.plan.subtasks:
            part = play.part(play.nodes[earlier.id])
            part.state, part.note, part.agent_id = earlier.state, earlier.note, earlier.agent_id
        play.results = dict(state.results)
        return play


def seen(run: Run) -> dict[str, JsonValue]:
    """What texts see as `task`."""
    task = run.task
    return {
        "query": task.query,
        "task_id": task.task_id,
        "session_id": task.session.session_id,
        "user_id": task.session.user_id,
        "tenant_id": task.session.tenant_id,
        "date": run.today,
        "attachments": for_tools(task.attachments),
    }


def _plan(template: Template, role: str) -> Plan:
    needed = dependencies(template)
    return Plan(
        strategy=f"template {template.name}@{template.version}",
        subtasks=[
            Subtask(
                id=node.id,
                description=node.description or node.type,
                role=node.type if isinstance(node, RenderNode | ToolNode) else getattr(node, "role", None) or role,
                depends_on=list(needed[node.id]),
                if_missing=node.if_missing,
            )
            for node in template.nodes
        ],
    )
