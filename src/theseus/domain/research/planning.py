"""What makes a research plan sound, and what stands in for one."""

from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter

from theseus.contracts.research import Facet, ResearchDraft, ResearchPlan, Scope, SubQuestion

ONLY = "query"
"""Id of the question of a plan that has one."""


def faults(draft: ResearchDraft, scope: Scope, most: int) -> list[str]:
    """What is wrong with a plan, in words for its planner; empty when it is sound."""
    ids = [question.id for question in draft.questions]
    found: list[str] = []
    if not 1 <= len(ids) <= most:
        found.append(f"it has {len(ids)} sub-questions; 1 to {most} are allowed")
    found += [f"the id {each!r} is used more than once" for each in _twice(ids)]
    for question in draft.questions:
        found += [
            f"sub-question {question.id!r} depends on {other!r}, which is not in the plan"
            for other in question.depends_on
            if other not in ids
        ]
        found += [
            f"sub-question {question.id!r} has more than one facet {each!r}"
            for each in _twice([facet.id for facet in question.facets])
        ]
    served = {name for question in draft.questions for name in question.serves}
    found += [
        f"no sub-question serves the requirement {need.id!r} ({need.text[:100]})"
        for need in scope.requirements
        if need.id not in served
    ]
    try:
        TopologicalSorter({question.id: question.depends_on for question in draft.questions}).prepare()
    except CycleError as error:
        found.append(f"the dependencies go in a circle: {' -> '.join(error.args[1])}")
    return found


def fallback(query: str) -> ResearchPlan:
    """The plan that stands in for one that nobody could make: the query is the only question."""
    facet = Facet(id="answer", text=" ".join(query.split())[:300])
    return ResearchPlan(questions=[SubQuestion(id=ONLY, question=query[:1000], facets=[facet])])


def trimmed(draft: ResearchDraft, most: int) -> ResearchPlan:
    """What is sound of a plan: its first questions, each id once, without dependencies on what is not there before."""
    kept: list[SubQuestion] = []
    for question in draft.questions:
        known = [each.id for each in kept]
        if question.id in known or len(kept) == most:
            continue
        facets = list({facet.id: facet for facet in reversed(question.facets)}.values())[::-1]
        after = [name for name in question.depends_on if name in known]
        kept.append(question.model_copy(update={"facets": facets, "depends_on": after}))
    return ResearchPlan(idea=draft.idea, questions=kept)


def _twice(names: Collection[str]) -> list[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [name for name, count in seen.items() if count > 1]
