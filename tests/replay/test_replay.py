"""A task that began on yesterday's code goes on with today's: every recorded history replays."""

import json
import re
from pathlib import Path

import pytest
from temporalio.worker import Replayer

from tests.replay.record import HISTORIES, PATHS
from theseus import runtime, sandbox
from theseus.commands.replaying import read_history
from theseus.workflows.registry import WORKFLOWS

RECORDED = sorted(HISTORIES.glob("*.json"))


def replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, data_converter=runtime.DATA_CONVERTER, workflow_runner=sandbox.runner())


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
async def test_a_recorded_history_replays(file: Path) -> None:
    history = read_history(file.stem, file.read_text())
    result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None, f"{file.name}: {result.replay_failure}"


def test_every_path_has_a_recorded_history() -> None:
    assert {file.stem for file in RECORDED} >= set(PATHS), "run `python -m tests.replay.record`"


async def test_a_history_that_does_not_fit_is_noticed() -> None:
    file = HISTORIES / "simple-react.json"
    other = file.read_text().replace('"tool.run"', '"tool.walk"', 1)
    history = read_history(file.stem, other)
    result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is not None
    assert "ondeterminis" in str(result.replay_failure)


def test_recorded_histories_name_no_machine() -> None:
    for file in RECORDED:
        events = json.loads(file.read_text())["events"]
        text = json.dumps(events)
        assert '"stackTrace": "  File' not in text, file.name
        assert set(re.findall(r'"identity": "([^"]*)"', text)) <= {"recorded"}, file.name
