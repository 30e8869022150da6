"""What makes a plan sound, and which part of it may run next."""

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from theseus.contracts.plan import Plan, PlanDraft, Strategy, Subtask, SubtaskState

ONLY = "task"
"""Id of the subtask of a plan that has one."""
SHOWN_CHARS = 80

_OVER = frozenset({SubtaskState.DONE, SubtaskState.FAILED, SubtaskState.SKIPPED})


def faults(draft: PlanDraft, *, most: int, roles: Collection[str], tools: Collection[str]) -> list[str]:
    """What is wrong with a plan, in words for the planner; empty when it is sound."""
    ids = [subtask.id for subtask in draft.subtasks]
    found: list[str] = []
    if not 1 <= len(ids) <= most:
        found.append(f"it has {len(ids)} subtasks; 1 to {most} are allowed")
    twice = sorted({each for each in ids if ids.count(each) > 1})
    found += [f"the id {each!r} is used more than once" for each in twice]
    for subtask in draft.subtasks:
        found += [
            f"subtask {subtask.id!r} depends on {other!r}, which is not in the plan"
            for other in subtask.depends_on
            if other not in ids
        ]
        if subtask.role not in roles:
            found.append(f"subtask {subtask.id!r} names the role {subtask.role!r}; roles: {', '.join(sorted(roles))}")
        unknown = [name for name in subtask.tools or () if name not in tools]
        if unknown:
            known = ", ".join(sorted(tools)) or "none"
            found.append(f"subtask {subtask.id!r} names the tools {', '.join(unknown)}; tools: {known}")
    return found + _cycles(draft)


def _cycles(draft: PlanDraft) -> list[str]:
    try:
        TopologicalSorter({subtask.id: subtask.depends_on for subtask in draft.subtasks}).prepare()
    except CycleError as error:
        return [f"the dependencies go in a circle: {' -> '.join(error.args[1])}"]
    return []


def adopted(draft: PlanDraft, tools: Mapping[str, Collection[str]]) -> Plan:
    """The plan that a sound draft becomes: a subtask gets those of its tools that `tools` gives its role."""
    subtasks = [Subtask.model_validate(subtask.model_dump()) for subtask in draft.subtasks]
    for subtask in subtasks:
        if subtask.tools is not None:
            subtask.tools = [name for name in subtask.tools if name in tools.get(subtask.role, ())]
    return Plan(complexity=draft.complexity, strategy=draft.strategy, subtasks=subtasks)


def single(query: str, role: str, complexity: float = 0.5) -> Plan:
    """A plan of one subtask: the whole task, by one agent."""
    return Plan(complexity=complexity, subtasks=[Subtask(id=ONLY, description=query[:4000], role=role)])


def ready(plan: Plan) -> list[Subtask]:
    """The subtasks that may start now, in the plan's order."""
    over = {subtask.id for subtask in plan.subtasks if subtask.state in _OVER}
    return [s for s in plan.subtasks if s.state is SubtaskState.PENDING and over.issuperset(s.depends_on)]


def skip_hopeless(plan: Plan) -> None:
    """Marks what can no longer run because something that it requires failed, and what requires that in turn."""
    states = {subtask.id: subtask for subtask in plan.subtasks}
    changed = True
    while changed:
        changed = False
        for subtask in plan.subtasks:
            if subtask.state is not SubtaskState.PENDING or subtask.if_missing == "optional":
                continue
            lost = [name for name in subtask.depends_on if states[name].state in _LOST]
            if lost:
                subtask.state = SubtaskState.SKIPPED
                subtask.note = f"it needs {', '.join(lost)}, which is missing"
                changed = True


_LOST = frozenset({SubtaskState.FAILED, SubtaskState.SKIPPED})


def unserved(plan: Plan) -> int:
    """How many subtasks still need a share of the budget: those that have not started, or have no agent yet."""
    waiting = (SubtaskState.PENDING, SubtaskState.RUNNING)
    return sum(subtask.state in waiting and subtask.agent_id is None for subtask in plan.subtasks)


def gaps(plan: Plan) -> list[str]:
    """What a plan did not bring, a line each; empty when every part is done."""
    return [
        f"{_short(subtask.description)} ({subtask.id}: {subtask.state}{f', {subtask.note}' if subtask.note else ''})"
        for subtask in plan.subtasks
        if subtask.state in _LOST
    ]


def reset(plan: Plan, ids: Iterable[str]) -> list[Subtask]:
    """Makes the named subtasks, and all that depends on them, pending again; gives them in the plan's order."""
    again = set(ids)
    changed = True
    while changed:
        size = len(again)
        again |= {subtask.id for subtask in plan.subtasks if again.intersection(subtask.depends_on)}
        changed = len(again) > size
    chosen = [subtask for subtask in plan.subtasks if subtask.id in again]
    for subtask in chosen:
        subtask.state, subtask.note, subtask.attempts, subtask.agent_id = SubtaskState.PENDING, "", 0, None
    return chosen


LADDER: dict[Strategy, Strategy] = {
    Strategy.TREE_OF_THOUGHTS: Strategy.CHAIN_OF_THOUGHT,
    Strategy.CHAIN_OF_THOUGHT: Strategy.REACT,
    Strategy.DEBATE: Strategy.REFLECTION,
    Strategy.REFLECTION: Strategy.REACT,
}
"""Where a strategy goes when its share of the budget is too small for it."""

NEEDED_TOKENS: dict[Strategy, int] = {
    Strategy.TREE_OF_THOUGHTS: 24_000,
    Strategy.CHAIN_OF_THOUGHT: 8_000,
    Strategy.DEBATE: 20_000,
    Strategy.REFLECTION: 12_000,
    Strategy.REACT: 0,
}
"""Tokens below which a strategy is not begun."""


def affordable(wanted: Strategy, tokens: int) -> Strategy:
    """The strategy that so many tokens are enough for, going down the ladder."""
    while tokens < NEEDED_TOKENS[wanted]:
        wanted = LADDER[wanted]
    return wanted


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else line[: SHOWN_CHARS - 1] + "…"
