"""The committed JSON Schemas are those of the code: a gateway built against them is never surprised."""

import json
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from theseus import contracts
from theseus.contracts import export


def test_the_committed_schemas_are_those_of_the_code() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in export.FOLDER.glob("*.json")}
    made = export.documents()
    drifted = sorted(name for name in committed.keys() | made.keys() if committed.get(name) != made.get(name))
    assert not drifted, (
        f"the outer contract changed in {', '.join(drifted)}. If that is meant, run `make schema` ({export.COMMAND}), "
        "commit src/theseus/contracts/schema and say so in CHANGELOG.md; else undo it: gateways rely on it."
    )


@pytest.mark.parametrize("name", sorted(export.documents()))
def test_a_schema_is_a_schema(name: str) -> None:
    document = json.loads((export.FOLDER / name).read_text(encoding="utf-8"))
    if name != "names.json":
        jsonschema.Draft202012Validator.check_schema(document)


ACCEPTED = [
    {"query": "What is a monad?"},
    {"query": "x", "session_id": "s-1", "mode": "simple", "limits": {"tokens": 1000}, "context": {"own_key": [1]}},
]
REFUSED = [{}, {"query": ""}, {"query": "x", "surprise": 1}, {"query": "x", "mode": "other"}, {"query": 7}]


@pytest.mark.parametrize("data", ACCEPTED)
def test_the_schema_accepts_what_the_code_accepts(data: dict[str, Any]) -> None:
    contracts.TaskInput.model_validate(data)
    jsonschema.validate(data, _schema("task_input"))


@pytest.mark.parametrize("data", REFUSED)
def test_the_schema_refuses_what_the_code_refuses(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="TaskInput"):
        contracts.TaskInput.model_validate(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, _schema("task_input"))


SENT: list[tuple[str, Any, dict[str, Any]]] = [
    ("task_result", contracts.TaskResult, {"task_id": "t", "status": "completed", "result": "42", "mode": "simple"}),
    ("progress", contracts.Progress, {"phase": "work", "plan": {"subtasks": [{"id": "1", "description": "d"}]}}),
    ("control_state", contracts.ControlState, {"is_paused": True, "paused_at": "2026-01-02T03:04:05Z"}),
    (
        "event",
        contracts.Event,
        {
            "type": "STREAM_END",
            "workflow_id": "t",
            "timestamp": "2026-01-02T03:04:05Z",
            "payload": {"status": "completed"},
        },
    ),
]


@pytest.mark.parametrize(("name", "kind", "data"), SENT)
def test_what_the_code_sends_fits_its_schema(name: str, kind: Any, data: dict[str, Any]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    jsonschema.validate(adapter.dump_python(adapter.validate_python(data), mode="json"), _schema(name))


def test_writing_removes_what_is_no_longer_part_of_the_contract(tmp_path: Any) -> None:
    (tmp_path / "gone.json").write_text("{}")
    export.write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == export.documents().keys()


def _schema(name: str) -> dict[str, Any]:
    return json.loads((export.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
