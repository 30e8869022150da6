"""JSON is found wherever a model puts it, nothing but JSON is taken for it, and hostile text costs bounded time."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from theseus.domain.parsing import MAX_DEPTH, json_of, response_of

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text('aé字"\\{}[]`\n '),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text('k"{', max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.text('k"{', max_size=3), values, max_size=4)
prose = st.text("ab ,.:\n'()0", max_size=40)


@given(values)
def test_bare_json_is_read_as_it_is(value: JsonValue) -> None:
    assert json_of(json.dumps(value)) == value
    assert json_of(f"\ufeff \n{json.dumps(value, indent=2, ensure_ascii=False)}\n") == value


@given(values, prose, prose, st.sampled_from(["json", "", "JSON", "jsonc"]))
def test_fenced_json_is_found_between_prose(value: JsonValue, before: str, after: str, info: str) -> None:
    assert json_of(f"x {before}\n```{info}\n{json.dumps(value)}\n```\n{after}") == value


@given(objects, prose, prose)
def test_an_object_in_prose_is_found(value: dict[str, JsonValue], before: str, after: str) -> None:
    assert json_of(f"Here: {before} {json.dumps(value)} {after} x") == value


@pytest.mark.parametrize(
    "text, value",
    [
        ('Sure! {"a": 1} and {"b": 2}', {"a": 1}),
        ('As [1] and [2, 3] say: {"a": 1}', {"a": 1}),
        ("The list is [1, 2] only", [1, 2]),
        ('see {this} or [that] or {"a": }: {"a": [1, {"b": "}"}]}.', {"a": [1, {"b": "}"}]}),
        ('a 5" disk [see 5" disk] {"a": 1}', {"a": 1}),
        ('```json\n{"code": "```py\\nx\\n```"}\n```', {"code": "```py\nx\n```"}),
        ('{"example": 1}\n```json\n{"real": 2}\n```', {"real": 2}),
        ('```json\n{"a": 1}', {"a": 1}),
        ("```\n42\n```", 42),
        ('<answer>{"a": null}</answer>', {"a": None}),
        ('{"a": 1}}', {"a": 1}),
        ('{"text": "字\\u5b57\\ud83d\\ude00"}', {"text": "字字😀"}),
    ],
)
def test_the_right_piece_is_taken(text: str, value: JsonValue) -> None:
    assert json_of(text) == value


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("I cannot help with that.", "neither an object nor an array"),
        ('{"a": 1,}', "no valid JSON"),
        ("{'a': 1}", "no valid JSON"),
        ('{"a": 1', "no valid JSON"),
        ('{"items": [{"a": 1}, {"b": 2', "no valid JSON"),
        ('[[1, 2], {"a": 1}, oops]', "no valid JSON"),
        ('{"a": "x', "Unterminated"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "9" * 5000 + "}", "no valid JSON"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("[" * 101 + "]" * 101, "deep"),
        ("[" * 100_000 + "]" * 100_000, "deep"),
    ],
)
def test_what_is_not_json_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        json_of(text)


def test_nesting_is_read_up_to_its_limit_and_brackets_in_strings_do_not_count() -> None:
    assert json_of("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert json_of(json.dumps({"a": "[" * 1_000})) == {"a": "[" * 1_000}


@given(st.text('{}[]":,\\ \n`a1', max_size=200))
def test_any_text_gives_a_value_or_a_value_error(text: str) -> None:
    try:
        json_of(text)
    except ValueError as error:
        assert str(error)
    response_of(text)


HOSTILE = [
    "{",
    "[",
    '{"',
    '["',
    '{"a":',
    "[1,",
    '{"a":{"a":"',
    "```json\n",
    "```\n[",
    '{"a" ',
    "{ ",
    "[ ",
    '"',
    '\\"',
    '["\\',
    "[[[[[[[[[[1 ",
    '{}{"',
    "[1]",
]


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("read", [json_of, response_of])
def test_a_megabyte_of_hostile_text_takes_a_moment(piece: str, read: Callable[[str], JsonValue]) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    with suppress(ValueError):
        read(text)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": 1}', {"a": 1}),
        (" [1, 2]\n", [1, 2]),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("```\n[]\n```\n", []),
        ('Here: {"a": 1}', None),
        ('{"a": 1} as asked', None),
        ("42", None),
        ('"text"', None),
        ("```json\n42\n```", None),
        ('{"a": 1}{"b": 2}', None),
        ('{"a": NaN}', None),
        ("", None),
        ("plain words", None),
    ],
)
def test_a_response_is_the_whole_text_as_object_or_array(text: str, value: JsonValue) -> None:
    assert response_of(text) == value
