"""A research plan that is carried out can be: what is wrong with one is named, and what stands in for it is sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.research import Facet, Requirement, ResearchDraft, Scope, SubQuestion
from theseus.domain.research.planning import fallback, faults, trimmed

NOTHING = Scope()


def ask(name: str, *after: str, facets: tuple[str, ...] = ("f",), serves: tuple[str, ...] = ()) -> SubQuestion:
    listed = [Facet(id=each, text=each) for each in facets]
    return SubQuestion(id=name, question=name, facets=listed, depends_on=list(after), serves=list(serves))


@pytest.mark.parametrize(
    ("questions", "why"),
    [
        ([], "0 sub-questions; 1 to 3"),
        ([ask(f"q{n}") for n in range(4)], "4 sub-questions; 1 to 3"),
        ([ask("a"), ask("a")], "'a' is used more than once"),
        ([ask("a", "b")], "depends on 'b', which is not in the plan"),
        ([ask("a", "b"), ask("b", "a")], "circle"),
        ([ask("a", facets=("f", "f"))], "more than one facet 'f'"),
    ],
)
def test_what_is_wrong_is_named(questions: list[SubQuestion], why: str) -> None:
    assert why in "; ".join(faults(ResearchDraft(questions=questions), NOTHING, 3))


def test_every_requirement_has_to_be_served() -> None:
    scope = Scope(requirements=[Requirement(id="cost", text="what it costs"), Requirement(id="who", text="who pays")])
    assert faults(ResearchDraft(questions=[ask("a", serves=("cost", "who"))]), scope, 3) == []
    assert "'who' (who pays)" in faults(ResearchDraft(questions=[ask("a", serves=("cost",))]), scope, 3)[0]


names = st.sampled_from(["a", "b", "c", "d"])


@given(st.lists(st.builds(ask, names, names, facets=st.tuples(names, names)), max_size=12), st.integers(1, 8))
def test_what_is_cut_out_of_any_plan_is_sound(questions: list[SubQuestion], most: int) -> None:
    plan = trimmed(ResearchDraft(questions=questions), most)
    assert not questions or faults(plan, NOTHING, most) == []


def test_the_query_itself_is_a_plan() -> None:
    plan = fallback("why? " * 500)
    assert faults(plan, NOTHING, 1) == [] and plan.version == 1
