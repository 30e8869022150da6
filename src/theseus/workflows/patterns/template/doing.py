"""How the node of each type is done, in the way that is tried."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Literal

from pydantic import JsonValue

from theseus.contracts.agent import AgentReport
from theseus.contracts.changes import Change
from theseus.contracts.errors import BudgetExhausted, DomainError, ErrorType, StepFailed
from theseus.contracts.messages import Route, ToolCall
from theseus.contracts.plan import Plan, Strategy, Subtask, SubtaskState
from theseus.contracts.task import Limits, ModelTier
from theseus.contracts.template import (
    MOST_TASKS,
    AgentNode,
    CognitiveNode,
    DagNode,
    EachTask,
    Node,
    RenderNode,
    SimpleNode,
    SupervisorNode,
    TextToRender,
    ToolNode,
)
from theseus.domain.combining import briefing, compiled
from theseus.domain.planning import gaps
from theseus.domain.templates.ladder import Way, named_tools
from theseus.domain.toolset import fits, permitted
from theseus.workflows.control import Hearing
from theseus.workflows.leading import lead
from theseus.workflows.parts import apart
from theseus.workflows.patterns.dag import run_dag
from theseus.workflows.patterns.template.play import Play
from theseus.workflows.patterns.template.rendering import ITEMS, OWN, Starting, render
from theseus.workflows.run import Run
from theseus.workflows.team import Errand, delegate
from theseus.workflows.tool_calls import use_tool_alone

BRIEFING_TOKENS = 8_000

_TIERS: Mapping[ModelTier, Literal["small", "medium", "large"]] = {
    ModelTier.SMALL: "small",
    ModelTier.MEDIUM: "medium",
    ModelTier.LARGE: "large",
}


async def do(run: Run, play: Play, node: Node, way: Way, starting: Starting) -> str:
    """The result of a node.

    Raises:
        Denied: a person said no.
        DomainError: there is none, this way.
    """
    match node:
        case RenderNode():
            return await _text(run, play, node)
        case ToolNode() if way.kind == "tool":
            return await _tool(run, play, node, starting)
        case ToolNode():
            return await _agent(run, play, node, way, _told_to_use(node, starting, play.part(node).note))
        case SimpleNode() | CognitiveNode() if way.kind != "supervisor":
            return await _agent(run, play, node, way, _prompt(run, play, node, starting))
        case DagNode() if way.kind == "dag":
            return await _dag(run, play, node, way, starting)
        case DagNode() | SupervisorNode() if way.kind == "simple":
            return await _agent(run, play, node, way, await _whole(run, play, node, starting))
        case _:
            return await _team(run, play, node, way, await _whole(run, play, node, starting))


async def _text(run: Run, play: Play, node: RenderNode) -> str:
    rendered = await render(run, play, [TextToRender(id=node.id, source=node.text)])
    if node.id not in rendered.values:
        raise StepFailed(ErrorType.TEMPLATE_INVALID, rendered.failed.get(node.id, "it was not rendered"))
    return str(rendered.values[node.id])


async def _tool(run: Run, play: Play, node: ToolNode, starting: Starting) -> str:
    arguments = json.dumps(starting.get(OWN, {}), ensure_ascii=False)
    call = ToolCall(id=f"{node.id}-{play.part(node).attempts}", name=node.tool, arguments=arguments)
    seen = await use_tool_alone(run, call)
    if seen.message.is_error:
        raise StepFailed(ErrorType.TOOL_FAILED, f"{node.tool}: {seen.message.text}"[:2000])
    if seen.left_out_bytes:
        words = f"{seen.left_out_bytes:,} bytes of what {node.tool} gave are left out: it is too long for a history"
        run.note_degraded(f"node {node.id}: {words}")
    return seen.message.text


async def _agent(run: Run, play: Play, node: Node, way: Way, text: str) -> str:
    part = play.part(node)
    part.strategy, part.tier = way.strategy, _tier(way.tier)
    part.role = getattr(node, "role", None) or run.task.role
    part.tools = _named(run, named_tools(node))
    async with play.slots:
        share = _share(run, play, node)
        with apart(run, "", share, way.lifted) if way.lifted is not None else nullcontext(run) as sender:
            report = await delegate(sender, Errand(part, run.with_said(text), share))
    return _result(report)


async def _dag(run: Run, play: Play, node: DagNode, way: Way, starting: Starting) -> str:
    """Its agents' results, a part for each; what is missing in it is said in it, and degrades the task."""
    prompts = await _prompts(run, play, node, starting)
    plan = _plan(run, node, way, prompts)
    results: dict[str, AgentReport] = {}
    with apart(run, "", _share(run, play, node), way.lifted) as part:
        play.part(node).agent_id = f"{len(plan.subtasks)} agents"

        async def work(
            subtask: Subtask, inputs: Mapping[str, AgentReport], parts: int, avoid: tuple[Route, ...]
        ) -> AgentReport:
            texts = {name: report.text for name, report in inputs.items()}
            told = briefing("", prompts[subtask.id], "", texts, "", BRIEFING_TOKENS)
            async with play.slots:
                return await delegate(part, Errand(subtask, run.with_said(told), part.ledger.share(parts), avoid))

        await run_dag(part, plan, work, results, at_once=node.max_concurrency)
        run.control.tell_all()
    missing = gaps(plan)
    if not results:
        raise StepFailed(ErrorType.INTERNAL, f"no agent brought a result: {'; '.join(missing)}"[:2000])
    if missing:
        run.note_degraded(f"node {node.id} lacks: {'; '.join(missing)}"[:500])
    lost = [f"[{subtask.id}: no result]" for subtask in plan.subtasks if subtask.state is not SubtaskState.DONE]
    texts = {subtask.id: results[subtask.id].text for subtask in plan.subtasks if subtask.id in results}
    return "\n\n".join([compiled(texts), *lost])


async def _team(run: Run, play: Play, node: Node, way: Way, text: str) -> str:
    async with play.one_lead:
        tier = way.lifted or (way.tier if run.task.model_tier is None else None)
        with apart(run, text, _share(run, play, node), tier) as part:
            play.part(node).agent_id = "a team"
            _hold_to_tools(part, node)
            run.control.hears = Hearing.ONE
            answer = await lead(part, may_go_on=False)
            run.control.tell_all()
    if answer.gaps:
        run.note_degraded(f"node {node.id} lacks: {'; '.join(answer.gaps)}"[:500])
    if answer.budget_exhausted:
        run.failures.append(ErrorType.BUDGET_EXHAUSTED)
    return answer.text


def _hold_to_tools(part: Run, node: Node) -> None:
    """A team that takes over from an agent may use no more than that agent might."""
    named = named_tools(node)
    if named is not None and part.has(Change.TEAM_TOOLS):
        part.facts = part.facts.model_copy(update={"tools": permitted(part.facts.tools, named)})


def _share(run: Run, play: Play, node: Node) -> Limits:
    """What a node may spend: an equal part of what is free, and no more than the template allows it.

    Raises:
        BudgetExhausted: not even one call could be made of it.
    """
    share = run.ledger.share(play.unserved())
    most = getattr(node, "budget_max", None) or play.template.defaults.budget_agent_max
    return share if most is None else share.model_copy(update={"tokens": min(most, share.tokens)})


def _result(report: AgentReport) -> str:
    if report.is_usable:
        return report.text
    if report.error is None:
        raise StepFailed(ErrorType.ANSWER_INVALID, "its agent gave no result")
    kind = BudgetExhausted if report.error.type is ErrorType.BUDGET_EXHAUSTED else None
    if kind is not None:
        raise kind(report.error.message)
    raise StepFailed(report.error.type, report.error.message)


def _named(run: Run, wanted: tuple[str, ...] | None) -> list[str] | None:
    return None if wanted is None else [name for name in run.tools_there if fits(name, wanted)]


def _prompt(run: Run, play: Play, node: AgentNode | SupervisorNode, starting: Starting) -> str:
    own = starting.get(OWN)
    if own is not None:
        return str(own)
    inputs = {name: play.results[name] for name in play.part(node).depends_on if name in play.results}
    return briefing(run.task.query, node.description or run.task.query, "", inputs, "", BRIEFING_TOKENS)


def _told_to_use(node: ToolNode, starting: Starting, why: str) -> str:
    arguments = json.dumps(starting.get(OWN, {}), ensure_ascii=False)
    return (
        f"A call of the tool {node.tool} with these arguments failed:\n{arguments}\n\nIt said:\n{why}\n\n"
        f"Find out what was wrong with it, call {node.tool} in a way that works, and answer with what it gave, and "
        "nothing else. Where it is not known whether that call took effect and another would do so twice, do not call it "
        "again: say so instead."
    )


async def _whole(run: Run, play: Play, node: Node, starting: Starting) -> str:
    """The work of a node in one text, for one agent or a team."""
    if isinstance(node, DagNode):
        return "\n\n".join((await _prompts(run, play, node, starting)).values())
    assert isinstance(node, SimpleNode | CognitiveNode | SupervisorNode)
    return _prompt(run, play, node, starting)


async def _prompts(run: Run, play: Play, node: DagNode, starting: Starting) -> dict[str, str]:
    """What each agent of a node is told, by the id of its task."""
    if node.each is None:
        return {task.id: str(starting[task.id]) for task in node.tasks}
    items = starting[ITEMS]
    if not isinstance(items, list) or not items:
        raise DomainError(f"parallel_by of node {node.id} has to give a list with something in it")
    if len(items) > MOST_TASKS:
        raise DomainError(f"parallel_by of node {node.id} gives {len(items)} items; at most {MOST_TASKS} are done")
    texts = [
        TextToRender(id=_item_id(number), source=node.each.prompt, is_prompt=True, item=item, index=number)
        for number, item in enumerate(items, start=1)
    ]
    rendered = await render(run, play, texts)
    if rendered.failed:
        name, why = next(iter(rendered.failed.items()))
        raise StepFailed(ErrorType.TEMPLATE_INVALID, f"the prompt of {name} cannot be rendered: {why}")
    return {text.id: str(rendered.values[text.id]) for text in texts}


def _plan(run: Run, node: DagNode, way: Way, prompts: Mapping[str, str]) -> Plan:
    if node.each is not None:
        each: EachTask = node.each
        return Plan(subtasks=[_subtask(run, name, text, each, way) for name, text in prompts.items()])
    made: list[Subtask] = []
    for task in node.tasks:
        subtask = _subtask(run, task.id, prompts[task.id], EachTask.model_validate(_common(task.model_dump())), way)
        subtask.depends_on = list(task.depends_on)
        made.append(subtask)
    return Plan(subtasks=made)


def _common(task: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in task.items() if name in EachTask.model_fields}


def _subtask(run: Run, name: str, text: str, task: EachTask, way: Way) -> Subtask:
    strategy = task.strategy if task.strategy is not Strategy.REACT else way.strategy
    return Subtask(
        id=name,
        description=text[:4000],
        role=task.role or run.task.role,
        tools=_named(run, task.tools),
        tier=_tier(way.tier if way.fallback else task.tier or way.tier),
        strategy=strategy,
    )


def _tier(tier: ModelTier | None) -> Literal["small", "medium", "large"] | None:
    return _TIERS[tier] if tier is not None else None


def _item_id(number: int) -> str:
    return f"item_{number}"
