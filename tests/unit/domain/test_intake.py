"""Bad input is refused before anything is spent, with a message that names the field; good input loses nothing."""

from typing import Any

import pytest

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.errors import DomainError, InvalidInput
from theseus.contracts.task import Mode
from theseus.domain.intake import Setting, accept


def taken(raw: Any, workflow_mode: Mode | None = Mode.SIMPLE) -> AcceptedTask:
    return accept(raw, Setting("task-1", workflow_mode, "fresh", ("generalist", "writer")))


def refused(raw: Any, workflow_mode: Mode | None = Mode.SIMPLE) -> DomainError:
    with pytest.raises(DomainError) as info:
        taken(raw, workflow_mode)
    return info.value


def nested(depth: int) -> Any:
    """So many arrays in each other."""
    made: list[Any] = []
    for _ in range(depth - 1):
        made = [made]
    return made


@pytest.mark.parametrize("depth", [99, 199, 255, 900, 100_000])
def test_an_input_is_nested_as_deep_as_it_can_be_carried(depth: int) -> None:
    error = refused({"query": "x", "context": {"a": nested(depth)}})
    assert isinstance(error, InvalidInput) and "nested too deeply: at most 100" in error.message
    assert taken({"query": "x", "context": {"a": nested(98)}}).context.model_extra


def test_the_smallest_input_is_one_query() -> None:
    task = taken({"query": "hi"})
    assert (task.task_id, task.session.session_id, task.new_session) == ("task-1", "fresh", True)
    assert (task.role, task.max_iterations, task.mode) == ("generalist", 10, Mode.SIMPLE)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "x" * 10_001}, "query"),
        ({"query": 7}, "query"),
        ({"query": "x", "mode": "fast"}, "mode"),
        ({"query": "x", "model_tier": "huge"}, "model_tier"),
        ({"query": "x", "max_iterations": 0}, "max_iterations"),
        ({"query": "x", "max_iterations": 51}, "max_iterations"),
        ({"query": "x", "max_concurrent_agents": 21}, "max_concurrent_agents"),
        ({"query": "x", "colour": "red"}, "colour"),
        ({"query": "x", "limits": {"dollars": 1}}, "limits.dollars"),
        ({"query": "x", "session_id": "../../etc"}, "session_id"),
        ({"query": "x", "session_id": "a b"}, "session_id"),
        ({"query": "x", "task_id": "another"}, "task_id"),
        ({"query": "x", "context": {"history_window_size": 4}}, "context.history_window_size"),
        ({"query": "x", "context": {"history_window_size": 201}}, "context.history_window_size"),
        ({"query": "x", "context": {"compression_trigger_ratio": 1.5}}, "context.compression_trigger_ratio"),
        ({"query": "x", "context": {"template": "a", "template_name": "b"}}, "context.template_name"),
        ({"query": "x", "model_tier": "small", "context": {"template": "a", "disable_ai": True}}, "model_tier"),
        ({"query": "x", "context": {"disable_ai": True, "model_override": "m"}}, "context.model_override"),
        ({"query": "x", "context": {"disable_ai": True, "provider_override": "p"}}, "context.provider_override"),
        ({"query": "x", "context": {"disable_ai": True}}, "context.disable_ai"),
        ({"query": "x", "context": {"role": "pirate"}}, "context.role"),
        ({"query": "x", "research_strategy": "deep"}, "research_strategy"),
        ({"query": "x", "context": {"iterative_max_iterations": 2}}, "context.iterative_max_iterations"),
        ({"query": "x", "context": {"review_plan": "manual"}}, "context.review_plan"),
        ({"query": "x", "context": {"template_version": "1.0.0"}}, "context.template_version"),
        ({"query": "x", "context": {"platforms": {"meta": False}}}, "context.platforms"),
        ({"query": "x", "context": {"memory": True}}, "context.memory"),
        ({"query": "x", "tenant_id": "acme", "context": {"memory": True}}, "context.memory"),
        ({"query": "x", "mode": "complex"}, "mode"),
    ],
)
def test_a_broken_rule_is_named(raw: dict[str, Any], field: str) -> None:
    error = refused(raw)
    assert isinstance(error, InvalidInput)
    assert error.field == field
    assert field in error.message


def test_memory_without_a_model_is_refused_and_with_a_user_taken() -> None:
    context: dict[str, Any] = {"memory": True, "disable_ai": True, "template": "t"}
    assert refused({"query": "x", "user_id": "ada", "context": context}, None).field == "context.memory"
    assert taken({"query": "x", "user_id": "ada", "context": {"memory": True}}).context.memory is True
    assert taken({"query": "x", "context": {"memory": False}}).context.memory is False


@pytest.mark.parametrize("raw", [None, "hello", 3, [], [{"query": "x"}], True])
def test_what_is_not_an_object_is_refused_with_an_example(raw: Any) -> None:
    assert '{"query": "..."}' in refused(raw).message


def test_more_than_a_mebibyte_is_refused_with_its_size() -> None:
    error = refused({"query": "x", "context": {"blob": "y" * (1024 * 1024)}})
    assert "1,048,576" in error.message


@pytest.mark.parametrize(
    ("raw", "workflow_mode", "mode"),
    [
        ({"query": "x"}, None, None),
        ({"query": "x", "mode": "standard"}, None, Mode.STANDARD),
        ({"query": "x", "context": {"force_research": True}}, None, Mode.RESEARCH),
        ({"query": "x", "context": {"template": "t"}, "mode": "complex"}, None, Mode.TEMPLATE),
        ({"query": "x", "skill": "s"}, None, Mode.SIMPLE),
        ({"query": "x"}, Mode.SUPERVISOR, Mode.SUPERVISOR),
    ],
)
def test_the_mode_is_the_workflow_types_or_what_the_input_asks_for(
    raw: Any, workflow_mode: Mode | None, mode: Mode | None
) -> None:
    assert taken(raw, workflow_mode).mode is mode


def test_a_template_workflow_without_a_template_is_refused() -> None:
    assert refused({"query": "x"}, Mode.TEMPLATE).field == "context.template"


def test_a_top_level_key_wins_over_its_twin_in_the_context() -> None:
    task = taken(
        {
            "query": "x",
            "model_override": "top",
            "context": {"model_override": "below", "provider_override": "openai", "model_tier": "large"},
        }
    )
    assert (task.model_override, task.provider_override, task.model_tier) == ("top", "openai", "large")


def test_unknown_context_keys_are_kept() -> None:
    task = taken({"query": "x", "context": {"customer": {"id": 7}, "tags": ["a"]}})
    assert task.context.model_extra == {"customer": {"id": 7}, "tags": ["a"]}


def test_null_means_absent_and_strings_of_schedules_are_understood() -> None:
    task = taken(
        {"query": "x", "session_id": None, "context": {"force_research": "false", "history_window_size": "60"}}
    )
    assert task.new_session
    assert task.context.history_window_size == 60


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"mode": "standard"}, "mode"),
        ({"context": {"force_research": True}}, "context.force_research"),
        ({"context": {"system_prompt": "be kind"}}, "context.system_prompt"),
        ({"context": {"template": "t"}}, "skill"),
    ],
)
def test_a_skill_drives_one_agent_and_nothing_else(more: dict[str, Any], field: str) -> None:
    error = refused({"query": "x", "skill": "code-review", **more}, None)
    assert error.field == field and "cannot be combined" in error.message


def test_a_template_in_two_versions_is_refused_and_in_one_is_not() -> None:
    context = {"template": "t@1.0.0", "template_version": "2.0.0"}
    assert refused({"query": "x", "context": context}, None).field == "context.template_version"


def test_a_review_that_nobody_asked_for_has_no_timeout() -> None:
    given = {"force_research": True, "review_timeout": 9}
    assert refused({"query": "x", "context": given}, Mode.RESEARCH).field == "context.review_timeout"
    asked = {"query": "x", "context": {**given, "require_review": True}}
    assert taken(asked, Mode.RESEARCH).context.review_timeout == 9


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_has_not_is_refused_and_not_forgotten(number: float) -> None:
    assert "number" in str(refused({"query": "x", "context": {"a": [number]}}))
