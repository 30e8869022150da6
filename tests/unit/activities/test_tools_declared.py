"""A tool that others describe is validated by its own JSON Schema, and nothing in that schema can hurt the worker."""

import asyncio
import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from theseus.activities.tools.allowance import Allowance
from theseus.activities.tools.declarations import Secrets, ToolFileError
from theseus.activities.tools.declared import UnusableSchemaError, declared_tool, plain_text, shown_schema, tool_name
from theseus.activities.tools.registry import Outcome, Registry, Tool, ToolContext, ToolError
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect, ToolSpec


def declared(schema: dict[str, Any], name: str = "far__go") -> Tool:
    """A tool with this schema that says what it was given."""

    async def call(arguments: dict[str, JsonValue], context: ToolContext) -> str:
        if arguments.get("fail"):
            raise ToolError("It is closed.")
        return json.dumps(arguments)

    spec = ToolSpec(
        name=name,
        description="Goes.",
        parameters=shown_schema(schema),
        effect=Effect.READ,
        timeout=timedelta(seconds=5),
    )
    return declared_tool(spec, call, schema=schema)


async def run(tool: Tool, arguments: str, allowance: Allowance | None = None, tenant: str = "") -> Outcome:
    """One call."""
    context = ToolContext(SessionKey(session_id="s", tenant_id=tenant), task_id="t", idempotency_key="k")
    registry = Registry([tool], allowance=allowance or Allowance())
    return await registry.run(ToolCall(id="c", name=tool.spec.name, arguments=arguments), context)


OPEN = {"type": "object", "properties": {"n": {"type": "integer"}, "fail": {}}, "required": ["n"]}


async def test_arguments_that_fit_reach_the_call_and_others_are_told_with_their_place() -> None:
    assert await run(declared(OPEN), '{"n": 1, "more": true}') == Outcome('{"n": 1, "more": true}')
    assert await run(declared(OPEN), '{"n": 1, "fail": 1}') == Outcome("It is closed.", is_error=True)
    wrong = await run(declared(OPEN), '{"n": "x"}')
    assert "- n: 'x' is not of type 'integer'" in wrong.text
    assert "Parameters: n (required), fail." in wrong.text


@pytest.mark.parametrize(
    "arguments", ["[]", "[" * 100_000, "{'n': 1}", '{"n": NaN}', '{"n": "\\ud800"}', "1" * 600_000]
)
async def test_what_is_no_usable_json_object_is_a_value(arguments: str) -> None:
    outcome = await run(declared(OPEN), arguments)
    assert outcome.is_error
    assert "it was not run" in outcome.text


@given(st.text(max_size=100))
def test_any_arguments_give_an_outcome(arguments: str) -> None:
    assert asyncio.run(run(declared(OPEN), arguments)).text


@pytest.mark.parametrize(
    "hostile",
    [
        {"n": {"pattern": "^(a+)+$"}},
        {"n": {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}},
        {"n": {"$ref": "http://127.0.0.1:9/schema"}},
        {"n": {"$ref": "#/properties/n"}},
    ],
    ids=["regular expression", "regular expression of names", "address", "circle"],
)
async def test_a_hostile_schema_neither_stops_the_worker_nor_makes_it_fetch(hostile: dict[str, Any]) -> None:
    evil = "a" * 40 + "!"
    began = time.monotonic()
    for value in (evil, {evil: 1}):
        await run(declared({"type": "object", "properties": hostile}), json.dumps({"n": value}))
    assert time.monotonic() - began < 2


def branching(depth: int) -> dict[str, Any]:
    """A schema whose references double at each step."""
    steps = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(depth)}
    return {"properties": {"n": {"$ref": "#/$defs/a0"}}, "$defs": {**steps, f"a{depth}": {}}}


def nested(depth: int) -> dict[str, Any]:
    """Values within values, for a schema of trees of two kinds."""
    return {} if depth == 0 else {"c": nested(depth - 1)}


TREE = {"properties": {"c": {"$ref": "#/$defs/t"}}}
WORK: dict[str, tuple[dict[str, Any], Any]] = {
    "references that multiply": (branching(30), 1),
    "alternatives that multiply": (
        {
            "properties": {"n": {"$ref": "#/$defs/t"}},
            "$defs": {"t": {"anyOf": [{**TREE, "required": ["y"]}, {**TREE, "required": ["z"]}]}},
        },
        nested(25),
    ),
    "a long list without repetitions": (
        {"properties": {"n": {"uniqueItems": True}}},
        [[n] if n % 2 else {"a": n} for n in range(30_000)],
    ),
    "a long list of long choices": (
        {"properties": {"n": {"items": {"enum": [[n] for n in range(3_000)]}}}},
        [[2_999]] * 60_000,
    ),
}


@pytest.mark.parametrize("name", WORK)
async def test_checking_a_call_takes_bounded_time(name: str) -> None:
    schema, value = WORK[name]
    tool = declared({"type": "object", **schema})
    began = time.monotonic()
    assert (await run(tool, json.dumps({"n": value}))).text
    assert time.monotonic() - began < 8


async def test_a_long_list_that_fits_is_let_through() -> None:
    schema = {"properties": {"n": {"items": {"type": "integer", "minimum": 0}}}}
    outcome = await run(declared({"type": "object", **schema}), json.dumps({"n": list(range(10_000))}))
    assert not outcome.is_error


def test_a_schema_is_shown_bounded_and_without_what_providers_refuse_at_its_root() -> None:
    long = "very " * 1000
    shown = shown_schema(
        {"$schema": "x", "anyOf": [{"required": ["a"]}], "properties": {"a": {"description": long, "title": "A"}}}
    )
    properties: Any = shown["properties"]
    assert set(shown) == {"properties", "type"}
    assert len(properties["a"]["description"]) <= 400


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"properties": []},
        {"properties": {str(n): {"type": "string", "pattern": "x" * 100} for n in range(1000)}},
        {"properties": {"n": {"type": "no such type"}}},
        {"properties": {"n": json.loads('{"not":' * 100 + "{}" + "}" * 100)}},
        {"anyOf": [{"type": "object"}] * 100_000},
    ],
    ids=["no object", "no properties", "large", "invalid", "deep", "large where it is not shown"],
)
def test_a_schema_that_cannot_be_used_is_refused_when_the_tool_is_made(schema: dict[str, Any]) -> None:
    with pytest.raises(UnusableSchemaError):
        declared(schema)


@given(st.text(max_size=100), st.text(max_size=100))
def test_every_name_keeps_the_rule_of_names_and_no_two_become_one(one: str, other: str) -> None:
    names = [tool_name("far", name) for name in (one, other)]
    assert all(re.fullmatch(r"far__[a-zA-Z0-9_-]{0,59}", name) for name in names)
    assert (names[0] == names[1]) == (one == other)


def test_a_description_is_cut_and_has_no_control_characters() -> None:
    assert plain_text("a\x00b\x1b[31mc\ud800\nd", 100) == "ab[31mc?\nd"
    assert len(plain_text("x" * 5000, 2000)) == 2000


def test_secrets_are_hidden_the_longest_first_and_short_values_stand() -> None:
    assert Secrets(["secret-1", "secret-12", "abc"]).hide("secret-12 secret-1 abc") == "[key] [key] abc"


RULES = '{"acme": ["far__*", "calculator"], "*": ["calculator"], "": []}'


@pytest.mark.parametrize(
    ("tenant", "allowed"),
    [("acme", {"far__go", "calculator"}), ("other", {"calculator"}), ("", set[str]())],
)
async def test_a_tenant_sees_and_runs_only_what_it_may_use(tenant: str, allowed: set[str]) -> None:
    allowance = Allowance.load(RULES)
    tools = [declared(OPEN), declared(OPEN, "calculator")]
    assert {facts.name for facts in Registry(tools, allowance=allowance).facts(tenant)} == allowed
    for tool in tools:
        outcome = await run(tool, '{"n": 1}', allowance, tenant)
        assert outcome.is_error == (tool.spec.name not in allowed)
        assert not outcome.is_error or "may not be used here" in outcome.text


async def test_without_rules_all_may_use_all_and_who_is_not_covered_by_rules_nothing() -> None:
    assert Allowance.load(None).allows("anyone", "far__go")
    assert not Allowance.load('{"acme": ["*"]}').allows("other", "far__go")
    assert not Allowance.load("{}").allows("acme", "far__go")


@pytest.mark.parametrize("setting", ['{"acme": "calculator"}', "{acme", "/no/such/file"])
def test_wrong_rules_are_refused_at_once(setting: str) -> None:
    with pytest.raises(ToolFileError):
        Allowance.load(setting)
