"""What is made for a JSON schema is valid for it, as small as can be; a schema that nothing is valid for is refused."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from theseus.activities.llm.scripted.flattening import SchemaError
from theseus.activities.llm.scripted.instance import instance
from theseus.activities.llm.scripted.matching_text import matching_text

Schema = dict[str, Any]

LIST: Schema = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/Node",
}
EXPRESSION: Schema = {
    "$defs": {
        "Sum": {
            "type": "object",
            "properties": {"left": {"$ref": "#/$defs/Any"}, "right": {"$ref": "#/$defs/Any"}},
            "required": ["left", "right"],
        },
        "Any": {"oneOf": [{"$ref": "#/$defs/Sum"}, {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1.5}]},
    },
    "$ref": "#/$defs/Sum",
}
WHOLE: Schema = {"type": "integer"}

NASTY: dict[str, tuple[Schema, Any]] = {
    "a list that points to itself": (LIST, {"value": 0, "next": None}),
    "a tree whose first kind of leaf is a tree": (EXPRESSION, {"left": 1.25, "right": 1.25}),
    "a reference into an array, escaped": (
        {"x~y/z": [{"const": 1}, {"const": 2}], "$ref": "#/x~0y~1z/1"},
        2,
    ),
    "a reference with rules beside it": ({"$defs": {"I": WHOLE}, "$ref": "#/$defs/I", "minimum": 4}, 4),
    "rules beside a union": (
        {"type": "string", "minLength": 6, "anyOf": [{"maxLength": 4}, {"maxLength": 9}]},
        "textxx",
    ),
    "rules that meet": ({"allOf": [{"type": "number", "minimum": 3}, {"type": "integer", "minimum": 7}]}, 7),
    "steps that meet": ({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "type": "integer", "minimum": 1}, 12),
    "objects that meet": (
        {
            "allOf": [
                {"type": "object", "properties": {"a": {"minimum": 2}}, "required": ["a"]},
                {"properties": {"a": {"type": "integer"}, "b": {"const": "c"}}, "required": ["b"]},
            ]
        },
        {"a": 2, "b": "c"},
    ),
    "an enum of the wrong types": ({"enum": ["x", True, 1.5, 1], "type": "integer"}, 1),
    "null only if it has to be": ({"type": ["null", "boolean"]}, False),
    "a whole number between fractions": ({"type": "integer", "minimum": 0.5, "maximum": 1.5}, 1),
    "whole multiples of a fraction": ({"type": "integer", "exclusiveMinimum": 0, "multipleOf": 1.5}, 3),
    "below nought": ({"type": "integer", "maximum": -3, "multipleOf": 2}, -4),
    "just above nought": ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.1, "multipleOf": 0.01}, 0.01),
    "different numbers": ({"type": "array", "items": WHOLE, "minItems": 3, "uniqueItems": True}, [0, 1, 2]),
    "different objects": (
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string", "pattern": "^t\\d$"}},
                "required": ["id"],
            },
            "minItems": 2,
            "uniqueItems": True,
        },
        [{"id": "t0"}, {"id": "t1"}],
    ),
    "a tuple": (
        {"type": "array", "prefixItems": [{"const": 1}, {"type": "null"}], "items": False, "minItems": 2},
        [1, None],
    ),
    "something contained": ({"type": "array", "items": WHOLE, "contains": {"minimum": 5}, "minItems": 2}, [0, 5]),
    "properties that are only counted": (
        {"type": "object", "properties": {"a": WHOLE}, "minProperties": 2, "additionalProperties": {"const": 3}},
        {"a": 0, "key1": 3},
    ),
    "a required property that is not described": (
        {"type": "object", "required": ["a"], "additionalProperties": {"type": "boolean"}},
        {"a": False},
    ),
    "optional ones are left out": (
        {"type": "object", "properties": {"a": WHOLE, "b": WHOLE}, "required": ["b"]},
        {"b": 0},
    ),
    "a default that is not valid": ({"type": "string", "maxLength": 2, "default": "long"}, "te"),
    "no rules at all": ({}, "text"),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_schema_gets_the_smallest_valid_instance(name: str) -> None:
    schema, smallest = NASTY[name]
    made = instance(schema)
    Draft202012Validator(schema).validate(made)
    assert json.dumps(made) == json.dumps(smallest)


PATTERNS = [
    "^[a-z]{3}-\\d+$",
    "^T[0-9]{2,4}$",
    "^(feedback|approve|reject)$",
    "^(?:foo|ba[rz])+?$",
    "^\\S+@\\S+\\.\\w{2,}$",
    "^[^\\]a-z]$",
    "^(?P<year>\\d{4})-(0[1-9]|1[0-2])$",
    "^#(?:[0-9a-fA-F]{3}){1,2}$",
    "^(?!x)[xy]$",
    "inner",
    "^\\$\\{\\w+\\}$",
    "^{x}$",
    "^\\x41\\u0042|never$",
    "",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_gets_texts_that_match(pattern: str) -> None:
    text = instance({"type": "string", "pattern": pattern})
    assert re.search(pattern, text) and len(text) < 12


def test_a_pattern_and_a_length_hold_together() -> None:
    assert next(matching_text("^a+b?$", 30, 31)) == "a" * 29 + "b"
    assert len(instance({"type": "string", "pattern": "^[A-Z]", "minLength": 9, "maxLength": 9})) == 9


@pytest.mark.parametrize("pattern", ["(", "(?i", "^(a)\\1$", "[", "\\", "^(?<name>a)$"])
def test_a_pattern_that_is_too_clever_does_no_harm(pattern: str) -> None:
    assert isinstance(instance({"type": "string", "pattern": pattern}), str)


LOOP: Schema = {"type": "object", "properties": {"me": {"$ref": "#"}}, "required": ["me"]}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/$defs/Gone"}, "#/\\$defs/Gone"),
        ({"allOf": [{"const": 1}, {"const": 2}]}, "contradict"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "contradict"),
        ({"type": "array", "items": {"enum": [1]}, "minItems": 2, "uniqueItems": True}, "contradict"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "contradict"),
        (LOOP, "recurs"),
        ({"type": "nonsense"}, "nonsense"),
        ("text", "text"),
        ({"type": "string", "minLength": "3"}, "cannot be read"),
    ],
)
def test_what_nothing_is_valid_for_is_refused_with_its_reason(schema: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        instance(schema)


bounds = st.integers(-20, 20)


@given(low=bounds, room=st.integers(1, 9), step=st.sampled_from([None, 1, 2, 3, 0.5, 0.25]), data=st.data())
def test_every_range_that_has_a_number_gets_one(low: int, room: int, step: float | None, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["integer", "number"]))
    least = data.draw(st.sampled_from(["minimum", "exclusiveMinimum"]))
    most = data.draw(st.sampled_from(["maximum", "exclusiveMaximum"]))
    schema: Schema = {"type": kind, least: low, most: low + room + 3} | ({} if step is None else {"multipleOf": step})
    Draft202012Validator(schema).validate(instance(schema))


@given(n=st.integers(0, 40), most=st.integers(1, 3))
def test_texts_of_a_list_differ_however_short_they_are(n: int, most: int) -> None:
    schema: Schema = {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": most},
        "minItems": min(n, 9 if most == 1 else 40),
        "uniqueItems": True,
    }
    Draft202012Validator(schema).validate(instance(schema))
