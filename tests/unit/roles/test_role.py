"""A prompt is made of its role and the given facts alone; what callers put in is text, never a template."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

from theseus.contracts.task import ModelTier
from theseus.roles.role import Role, render

ROLE: Role[BaseModel] = Role(
    name="gardener",
    instructions="You tend the ${place} garden of ${owner.name}.",
    facts_shown={"current_date": "Date", "context": "Context"},
)


def test_variables_are_filled_from_the_prompt_parameters() -> None:
    facts: dict[str, JsonValue] = {"prompt_params": {"place": "north", "owner.name": "Rosa"}}
    assert render(ROLE, facts) == "You tend the north garden of Rosa."


def test_a_missing_variable_is_filled_with_nothing() -> None:
    assert render(ROLE, {}) == "You tend the  garden of ."
    assert render(ROLE, {"prompt_params": None}) == "You tend the  garden of ."


@pytest.mark.parametrize(
    "value, shown", [(7, "7"), (True, "true"), (["a", 1], '["a", 1]'), ({"b": 1, "a": "é"}, '{"a": "é", "b": 1}')]
)
def test_values_that_are_not_text_are_shown_as_json(value: JsonValue, shown: str) -> None:
    assert render(ROLE, {"prompt_params": {"place": value}}) == f"You tend the {shown} garden of ."


def test_a_system_prompt_replaces_the_instructions_and_is_filled_too() -> None:
    facts: dict[str, JsonValue] = {"system_prompt": "Speak as ${who}.", "prompt_params": {"who": "a pirate"}}
    assert render(ROLE, facts) == "Speak as a pirate."


@pytest.mark.parametrize("own", ["", None, 3])
def test_an_empty_system_prompt_leaves_the_instructions(own: JsonValue) -> None:
    assert render(ROLE, {"system_prompt": own}).startswith("You tend")


def test_shown_facts_follow_under_their_headings_in_the_roles_order() -> None:
    facts: dict[str, JsonValue] = {"context": {"city": "Malmö"}, "current_date": "2025-05-01", "unnamed": "not shown"}
    assert render(ROLE, facts).split("\n\n")[1:] == ["## Date\n2025-05-01", '## Context\n{"city": "Malmö"}']


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_an_absent_or_empty_fact_has_no_heading(value: JsonValue) -> None:
    assert "##" not in render(ROLE, {"context": value})


@pytest.mark.parametrize("value", [0, False])
def test_a_fact_that_is_zero_or_false_is_shown(value: JsonValue) -> None:
    assert "## Context" in render(ROLE, {"context": value})


@given(st.text(max_size=60))
def test_a_parameter_is_put_in_as_it_is_and_not_filled_again(text: str) -> None:
    facts: dict[str, JsonValue] = {"prompt_params": {"place": text, "owner.name": "Rosa"}}
    assert render(ROLE, facts) == f"You tend the {text} garden of Rosa."


def test_a_parameter_cannot_reach_other_parameters_by_naming_them() -> None:
    facts: dict[str, JsonValue] = {"prompt_params": {"place": "${owner.name} \\1 {{x}}", "owner.name": "Rosa"}}
    assert render(ROLE, facts) == "You tend the ${owner.name} \\1 {{x}} garden of Rosa."


def test_what_is_no_variable_stays() -> None:
    role: Role[BaseModel] = Role(name="r", instructions="Pay $5, ${}, ${1x}, {name}, $name, {{ name }} and ${name}.")
    assert render(role, {"prompt_params": {"name": "now"}}) == "Pay $5, ${}, ${1x}, {name}, $name, {{ name }} and now."


def test_facts_are_not_changed_and_the_same_facts_give_the_same_prompt() -> None:
    facts: dict[str, JsonValue] = {"prompt_params": {"place": "north"}, "context": {"b": 1, "a": 2}}
    other: dict[str, JsonValue] = {"context": {"a": 2, "b": 1}, "prompt_params": {"place": "north"}}
    assert render(ROLE, facts) == render(ROLE, other)
    assert facts == {"prompt_params": {"place": "north"}, "context": {"b": 1, "a": 2}}


def test_a_role_is_small_and_answers_in_prose_unless_it_says_otherwise() -> None:
    role: Role[BaseModel] = Role(name="r", instructions="x")
    assert (role.tier, role.tools, role.answer, role.facts_shown) == (ModelTier.SMALL, (), None, {})
