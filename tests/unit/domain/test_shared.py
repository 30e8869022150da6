"""Tools know what the caller of their task gave, and no history grows by a large context at each call."""

import pytest

from theseus.contracts.task import TaskContext
from theseus.domain.shared import INLINE_BYTES, shared, values_of

GIVEN = {"role": "chat", "prompt_params": {"aid": "a"}, "company": {"id": 7}, "platforms": None}


def test_known_and_unknown_keys_are_shared_as_given_and_defaults_are_not() -> None:
    context = TaskContext.model_validate({**GIVEN, "recents_count": 0})
    told = {"role": "chat", "prompt_params": {"aid": "a"}, "company": {"id": 7}, "recents_count": 0}
    assert values_of(context) == told == shared(context).values


def test_a_system_prompt_is_for_models_alone() -> None:
    assert values_of(TaskContext(system_prompt="secret")) == {}


@pytest.mark.parametrize(("size", "inline"), [(INLINE_BYTES - 20, True), (INLINE_BYTES, False)])
def test_a_context_is_copied_into_calls_up_to_its_cap_only(size: int, inline: bool) -> None:
    made = shared(TaskContext.model_validate({"blob": "é" * (size // 2)}))
    assert (bool(made.values), made.is_in_input) == (inline, not inline)
