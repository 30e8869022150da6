"""The texts of a template, filled in: those of nodes that only render, and those that other nodes start with."""

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from theseus.contracts.plan import SubtaskState
from theseus.contracts.template import (
    OUTPUT,
    DagNode,
    Node,
    Rendered,
    RenderNode,
    RenderRequest,
    TextToRender,
    ToolNode,
)
from theseus.domain.planning import ready
from theseus.workflows import steps
from theseus.workflows.patterns.template.play import Play, seen
from theseus.workflows.run import Run

Starting = dict[str, JsonValue]
"""What a node starts with, filled in: its prompt or arguments, the list it goes by, the prompts of its tasks."""

OWN = "own "
ITEMS = "items "
ON_FAIL = "on_fail "
"""No task of a node has such an id: they have no spaces."""


async def render_ready(run: Run, play: Play) -> dict[str, Starting]:
    """Renders what is ready, and what only that was missing for; gives what the nodes that may start now start with.

    The texts of one step see the results of those before them: a chain of texts is one step. A node whose text cannot
    be rendered has failed.
    """
    starting = [play.nodes[part.id] for part in ready(play.plan) if not _is_plain(play.nodes[part.id])]
    chain = _chain(play)
    texts = [TextToRender(id=node.id, source=node.text, is_result=True) for node in chain]
    texts += [text for node in starting for text in _own(node)]
    rendered = await render(run, play, texts) if texts else Rendered()
    made: dict[str, Starting] = {}
    for node in starting:
        problem = next((why for text, why in rendered.failed.items() if _is_of(text, node)), None)
        if problem is None:
            made[node.id] = {key.partition(":")[2]: v for key, v in rendered.values.items() if _is_of(key, node)}
        else:
            await give_up(run, play, node, f"its text cannot be rendered: {problem}")
    broken: set[str] = set()
    for node in chain:
        if broken.intersection(play.part(node).depends_on):
            # it is rendered anew, with what stands for the missing result, or skipped
            broken.add(node.id)
        elif node.id in rendered.values:
            play.done(node, str(rendered.values[node.id]))
        else:
            broken.add(node.id)
            await give_up(run, play, node, rendered.failed.get(node.id, "it was not rendered"))
    return made


async def render(run: Run, play: Play, texts: Sequence[TextToRender]) -> Rendered:
    """Fills in texts that may see all results that there are."""
    await run.control.checkpoint("template.render")
    request = RenderRequest(
        texts=tuple(texts),
        params=play.params,
        results={name: play.results[name] for name in play.nodes if name in play.results},
        task=seen(run),
        context=dict(run.task.context.model_extra or {}),
    )
    return await steps.render(request)


async def output(run: Run, play: Play) -> Rendered:
    """The template's own answer."""
    assert play.template.output is not None
    return await render(run, play, [TextToRender(id=OUTPUT, source=play.template.output)])


async def give_up(run: Run, play: Play, node: Node, why: str) -> None:
    """A node has failed for good: its text for that case stands for its result, if it has one."""
    if node.on_fail.text is not None:
        rendered = await render(run, play, [TextToRender(id=ON_FAIL, source=node.on_fail.text)])
        text = rendered.values.get(ON_FAIL)
        if text is not None:
            run.note_degraded(f"node {node.id} failed ({why[:200]}); its on_fail.text stands for its result")
            play.done(node, str(text))
            return
        why = f"{why}; and its on_fail.text cannot be rendered: {rendered.failed.get(ON_FAIL, '')}"
    play.failed(node, why)


def _is_plain(node: Node) -> bool:
    """Whether a node is a text and nothing else."""
    return isinstance(node, RenderNode) and not node.require_approval


def _chain(play: Play) -> list[RenderNode]:
    """The plain texts that are ready, in order, with those that wait for nothing but them."""
    waiting = (SubtaskState.PENDING, SubtaskState.RUNNING)
    there = {part.id for part in play.plan.subtasks if part.state not in waiting}
    found: list[RenderNode] = []
    grown = True
    while grown:
        grown = False
        for node in play.template.nodes:
            part = play.part(node)
            if not isinstance(node, RenderNode) or node.require_approval or node.id in there:
                continue
            if there.issuperset(part.depends_on):
                found.append(node)
                there.add(node.id)
                grown = True
    return found


def _own(node: Node) -> Iterator[TextToRender]:
    """What a node that is no text starts with: a prompt, the arguments of a tool, the tasks of its agents."""
    if isinstance(node, RenderNode):
        return
    if isinstance(node, ToolNode):
        yield TextToRender(id=f"{node.id}:{OWN}", source=node.arguments)
    elif isinstance(node, DagNode):
        for task in node.tasks:
            yield TextToRender(id=f"{node.id}:{task.id}", source=task.prompt, is_prompt=True)
        if node.parallel_by is not None:
            yield TextToRender(id=f"{node.id}:{ITEMS}", source=node.parallel_by, native=True)
    elif node.prompt is not None:
        yield TextToRender(id=f"{node.id}:{OWN}", source=node.prompt, is_prompt=True)


def _is_of(key: str, node: Node) -> bool:
    return key.partition(":")[0] == node.id and ":" in key
