"""A parameter is of the type that the template says, or the task is refused, naming it."""

from typing import Any

import pytest

from theseus.contracts.errors import InvalidInput
from theseus.contracts.template import Template
from theseus.domain.templates.binding import bound


def template(**parameters: Any) -> Template:
    nodes = [{"id": "a", "type": "render", "text": "A"}]
    made = Template.model_validate({"name": "t", "parameters": parameters, "nodes": nodes})
    # what is recorded in a history is read back before it is used
    return Template.model_validate_json(made.model_dump_json(by_alias=True))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", "x", 1),
        ("integer", 3, "3"),
        ("integer", 0, True),
        ("number", 1.5, True),
        ("boolean", False, 0),
        ("list", [], {}),
        ("object", {}, []),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, good: Any, bad: Any) -> None:
    made = template(p={"type": kind})
    assert bound(made, {"p": good}) == {"p": good}
    for value in (bad, None):
        with pytest.raises(InvalidInput) as refused:
            bound(made, {"p": value})
        assert refused.value.field == "context.prompt_params.p" and kind in refused.value.message


def test_a_missing_parameter_is_refused_and_a_default_stands_for_one() -> None:
    with pytest.raises(InvalidInput, match=r"prompt_params\.p: the template t needs it \(the day\)"):
        bound(template(p={"description": "the day"}), {})
    assert bound(template(p={"default": "x"}), {}) == {"p": "x"}
    assert bound(template(p={"default": None}), {}) == {"p": None}, "null is a default, also after a history"
    assert bound(template(p={"required": False}), {}) == {"p": None}


def test_a_value_that_is_not_among_the_choices_is_refused() -> None:
    made = template(p={"choices": ["a", "b"]})
    assert bound(made, {"p": "a"}) == {"p": "a"}
    with pytest.raises(InvalidInput, match="'c' is not among 'a', 'b'"):
        bound(made, {"p": "c"})


def test_what_no_parameter_names_is_kept_for_tools() -> None:
    assert bound(template(), {"profile_id": "x"}) == {"profile_id": "x"}
