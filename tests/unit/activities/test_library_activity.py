"""What of the operator's files cannot be used is in the log of the worker, not only in the answer to a task that wants it."""

import logging
from pathlib import Path

import pytest

from theseus.activities.library.activity import LibraryActivities
from theseus.activities.library.rendering import Rendering
from theseus.activities.library.skills import Skills
from theseus.activities.library.templates import Templates
from theseus.contracts.skill import LoadSkill
from theseus.contracts.template import LoadTemplate
from theseus.roles.presets import PRESETS


def library(folder: Path) -> LibraryActivities:
    """The activities on the files of a folder, and of one that is not there."""
    return LibraryActivities(
        Templates([folder, folder / "gone"]), Skills([folder]), Rendering(), lambda _: (), PRESETS, falls_back=True
    )


async def test_each_problem_is_logged_once_and_again_when_files_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "torn.yaml").write_text("name: [")
    (tmp_path / "odd.yaml").write_text("name: odd\nnodes: []\n")
    (tmp_path / "bad.md").write_text("no skill")
    with caplog.at_level(logging.WARNING, "theseus.library"):
        made = library(tmp_path)
        made.look()
        for _ in range(3):
            await made.load(LoadTemplate(name="t"))
            await made.load_skill(LoadSkill(name="s"))
        told = [record.getMessage() for record in caplog.records]
        assert len(told) == 4, told
        for name in ("torn.yaml", "odd.yaml", "bad.md", "gone: there is no such folder"):
            assert sum(name in line for line in told) == 1, told
        caplog.clear()
        (tmp_path / "torn.yaml").write_text("name: t\nnodes: [{id: a, type: shell}]\n")
        assert "nodes.0" in (await made.load(LoadTemplate(name="t"))).problem
        assert any("torn.yaml" in record.getMessage() and "nodes.0" in record.getMessage() for record in caplog.records)
