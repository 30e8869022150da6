"""The demo shows a newcomer every kind of task, all ending as it says, and leaves nothing running."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.dev_process import clean_env

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_every_task_of_the_demo_ends_as_it_should(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "theseus.demo", "--data-dir", str(tmp_path), "--llm", "local"],
        env=clean_env() | {"DEMO_EXIT": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("status  completed") == 4
    assert ended.stdout.count("status  cancelled") == 1
    assert ended.stdout.count("/namespaces/default/workflows/task-") == 5
    assert "calculator gave 391" in ended.stderr
    assert not (tmp_path / "ready.json").exists()
