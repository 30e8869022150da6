"""What may be a secret is told by nobody, and a person who approves a call without seeing it changes nothing of it."""

import json

import pytest

from theseus.contracts.messages import ToolCall
from theseus.domain.telling import meant_arguments, shown_arguments


def call(arguments: str, name: str = "browser_type") -> ToolCall:
    return ToolCall(id="x", name=name, arguments=arguments)


TYPED = call('{"text": "hunter22", "name": "Password", "submit": true}')


def test_what_is_typed_is_only_counted() -> None:
    assert json.loads(shown_arguments(TYPED)) == {"text": "[8 characters]", "name": "Password", "submit": True}


@pytest.mark.parametrize("arguments", ['{"text": "hunter22"', '["hunter22"]', '"hunter22"'])
def test_arguments_that_cannot_be_read_are_told_by_nobody(arguments: str) -> None:
    assert "hunter22" not in shown_arguments(call(arguments))


def test_other_calls_are_told_as_they_are() -> None:
    for arguments in ('{"text":  "x"}', "{oops", ""):
        assert shown_arguments(call(arguments, "file_write")) == arguments


def test_what_a_person_did_not_see_and_left_stays_and_what_they_changed_is_changed() -> None:
    shown = json.loads(shown_arguments(TYPED))
    assert json.loads(meant_arguments(TYPED, shown | {"submit": False})) == {
        "text": "hunter22",
        "name": "Password",
        "submit": False,
    }
    assert json.loads(meant_arguments(TYPED, shown | {"text": "other"}))["text"] == "other"
    other = call('{"text": "[3 characters]"}', "file_write")
    assert json.loads(meant_arguments(other, {"text": "y"})) == {"text": "y"}
