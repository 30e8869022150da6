"""What a template inherits does not depend on how the chain is cut: own words win, nodes keep their place."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.templates.merging import merged


def _id(node: dict[str, Any]) -> Any:
    return node["id"]


ids = st.sampled_from(["a", "b", "c"])
kinds = st.sampled_from(["render", "simple"])
nodes: st.SearchStrategy[Any] = st.lists(
    st.fixed_dictionaries(
        {"id": ids}, optional={"type": kinds, "text": st.sampled_from("xyz"), "prompt": st.just("p")}
    ),
    max_size=3,
    unique_by=_id,
)
templates: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"name": st.sampled_from(["t", "u"])},
    optional={
        "version": st.sampled_from(["1.0.0", "2.0.0"]),
        "description": st.sampled_from(["d", "e"]),
        "defaults": st.dictionaries(st.sampled_from(["model_tier", "budget_agent_max"]), st.integers(1, 3)),
        "parameters": st.dictionaries(ids, st.integers(1, 3)),
        "nodes": nodes,
        "edges": st.lists(st.sampled_from(["e1", "e2"]), max_size=2),
        "output": st.sampled_from(["o", "p"]),
        "extends": st.just("x"),
    },
)


@given(templates)
def test_what_extends_nothing_stays_as_it_is(own: dict[str, Any]) -> None:
    rest = {key: value for key, value in own.items() if key != "extends" and (key != "edges" or value)}
    assert merged([], own) == rest


@given(templates, templates, templates)
def test_a_chain_and_a_list_of_bases_come_to_the_same(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    assert merged([a, b], c) == merged([merged([a], b)], c)


@given(templates, templates)
def test_own_words_win_and_nothing_inherited_is_lost(base: dict[str, Any], own: dict[str, Any]) -> None:
    made = merged([base], own)
    for key in ("name", "description", "output"):
        assert made.get(key) == own.get(key, base.get(key))
    for key in ("defaults", "parameters"):
        assert made.get(key, {}) == {**base.get(key, {}), **own.get(key, {})}
    assert made.get("edges", []) == (own.get("edges") or base.get("edges", []))
    order = [node["id"] for node in made.get("nodes", [])]
    inherited = [node["id"] for node in base.get("nodes", [])]
    assert order[: len(inherited)] == inherited and set(order) == {
        n["id"] for n in [*base.get("nodes", []), *own.get("nodes", [])]
    }


@given(templates, templates, templates)
def test_a_version_is_a_files_own(a: dict[str, Any], b: dict[str, Any], own: dict[str, Any]) -> None:
    assert merged([merged([a], b)], own).get("version") == own.get("version")


@given(templates, templates)
def test_neither_file_is_changed(base: dict[str, Any], own: dict[str, Any]) -> None:
    before = repr((base, own))
    merged([base], own)
    assert repr((base, own)) == before


def test_a_file_that_names_a_node_twice_does_not_hide_it_in_that_of_its_base() -> None:
    base = {"nodes": [{"id": "a", "type": "render", "text": "x"}]}
    twice = {"nodes": [{"id": "a", "text": "y"}, {"id": "a", "text": "z"}]}
    assert [node["id"] for node in merged([base], twice)["nodes"]] == ["a", "a"]


def test_a_node_is_merged_key_by_key_and_replaced_where_its_type_changes() -> None:
    base = {"nodes": [{"id": "a", "type": "render", "text": "x", "description": "d"}]}
    assert merged([base], {"nodes": [{"id": "a", "text": "y"}]})["nodes"] == [
        {"id": "a", "type": "render", "text": "y", "description": "d"}
    ]
    other = {"id": "a", "type": "simple", "prompt": "p"}
    assert merged([base], {"nodes": [other]})["nodes"] == [other]
