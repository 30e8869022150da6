"""What goes into a history and comes out of it is the same: whatever an activity or an agent is given, and gives back."""

import typing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Annotated, Any, cast

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, ValidationError

from tests.contract.test_steps_are_registered import KINDS, name_of
from theseus.contracts.agent import AgentReport, Assignment
from theseus.contracts.messages import AssistantMessage, LLMRequest, Route, TaskRef, ToolMessage
from theseus.contracts.session import SessionKey
from theseus.runtime import DATA_CONVERTER

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    JsonValue: _JSON,
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    timedelta: st.timedeltas(timedelta(), timedelta(days=60)),
}


def carried() -> dict[str, Any]:
    """Every type that an activity or an agent takes or gives."""
    found: dict[str, Any] = {"AgentWorkflow takes": Assignment, "AgentWorkflow gives": AgentReport}
    for kind in KINDS.values():
        for method in vars(kind).values():
            name = name_of(method)
            if name is None:
                continue
            for what, hint in typing.get_type_hints(method).items():
                found[f"{name} {'gives' if what == 'return' else 'takes'}"] = hint
    return found


CARRIED = carried()


def instances(kind: type[BaseModel], depth: int) -> st.SearchStrategy[Any]:
    """Instances with some fields given and some left to their defaults; the deepest have their defaults alone."""
    fields = {name: of(field.rebuild_annotation(), depth) for name, field in kind.model_fields.items()}
    required = {name: values for name, values in fields.items() if kind.model_fields[name].is_required()}
    optional = {name: values for name, values in fields.items() if name not in required and depth > 0}

    def made(values: dict[str, Any]) -> BaseModel:
        try:
            return kind.model_validate({kind.model_fields[name].alias or name: value for name, value in values.items()})
        except ValidationError:
            assume(False)
            raise

    return st.fixed_dictionaries(required, optional=optional).map(made)


def of(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of a type; models nest no deeper than `depth`."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return st.deferred(lambda: instances(hint, depth - 1))
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated and list(models(parts[0])):
        return of(parts[0], depth)
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(of(parts[0], depth), max_size=2).map(tuple)
    if origin is list:
        return st.lists(of(parts[0], depth), max_size=2)
    if origin is dict:
        return st.dictionaries(of(parts[0], depth), of(parts[1], depth), max_size=2)
    if origin in (typing.Union, UnionType):
        return st.one_of([of(part, depth) for part in parts])
    return st.from_type(cast(type[Any], hint))


def models(hint: Any) -> Iterator[type[BaseModel]]:
    """The models that a type names."""
    for part in typing.get_args(hint) or (hint,):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part


@pytest.mark.parametrize("name", sorted(name for name, hint in CARRIED.items() if list(models(hint))))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_what_a_history_carries_comes_out_as_it_went_in(name: str, data: st.DataObject) -> None:
    value = data.draw(of(CARRIED[name], 3))
    payload = DATA_CONVERTER.payload_converter.to_payloads([value])
    assert DATA_CONVERTER.payload_converter.from_payloads(payload, [CARRIED[name]]) == [value]


REQUEST = LLMRequest(
    ref=TaskRef(task_id="t", session=SessionKey(session_id="s")),
    step=1,
    route=Route(provider="p", model="m"),
    delta=(AssistantMessage(text="a"), ToolMessage(call_id="c", name="n", text="")),
    max_output_tokens=1,
)


def test_what_is_as_always_takes_no_place_in_a_history() -> None:
    assert REQUEST.model_dump(mode="json") == {
        "ref": {"task_id": "t", "session": {"session_id": "s"}},
        "step": 1,
        "route": {"provider": "p", "model": "m"},
        "delta": [{"role": "assistant", "text": "a"}, {"role": "tool", "call_id": "c", "name": "n", "text": ""}],
        "tool_choice": "auto",
        "max_output_tokens": 1,
    }


def test_what_was_written_with_its_defaults_is_read_as_ever() -> None:
    whole: dict[str, Any] = {
        **REQUEST.model_dump(mode="json"),
        "head": None,
        "prefix": None,
        "tools": [],
        "stream": True,
        "routes_before": 0,
    }
    assert LLMRequest.model_validate(whole) == REQUEST
