"""The commands on templates and skills say what there is and what is wrong with it, by exit code too, and need no server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from theseus.cli import app
from theseus.commands.terminal import CommandError

SOUND = "name: t\nversion: {version}\nparameters: {{who: {{required: true}}}}\nnodes:\n  - {{id: a, type: render, text: 'Hello {{{{ params.who }}}}'}}\n"
SKILL = "---\nname: s\nversion: {version}\ndescription: Works.\n---\nWork.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of templates and skills that the settings name."""
    for version in ("1.10.0", "1.9.0"):
        (tmp_path / f"t-{version}.yaml").write_text(SOUND.format(version=version))
        (tmp_path / f"s-{version}.md").write_text(SKILL.format(version=version))
    monkeypatch.setenv("THESEUS_TEMPLATES", str(tmp_path))
    monkeypatch.setenv("THESEUS_SKILLS", str(tmp_path))
    return tmp_path


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refused(*arguments: str) -> CommandError:
    ended = ran(*arguments)
    assert isinstance(ended.exception, CommandError), ended.output
    return ended.exception


def test_lists_have_every_version_in_order_with_what_it_needs(folder: Path) -> None:
    rows = [row for row in json.loads(ran("templates", "list", "--json").stdout) if row["name"] == "t"]
    assert [row["version"] for row in rows] == ["1.9.0", "1.10.0"]
    assert all(row["needs"] == "who" for row in rows)
    rows = [row for row in json.loads(ran("skills", "list", "--json").stdout) if row["name"] == "s"]
    assert [row["version"] for row in rows] == ["1.9.0", "1.10.0"]


def test_one_is_shown_as_it_runs_the_newest_where_no_version_is_named(folder: Path) -> None:
    shown = json.loads(ran("templates", "show", "t", "--json").stdout)
    assert shown["version"] == "1.10.0" and len(shown["content_hash"]) == 64
    assert json.loads(ran("skills", "show", "s@1.9.0", "--json").stdout)["head"]["version"] == "1.9.0"
    assert "there is no template 'none'" in str(refused("templates", "show", "none"))
    assert "there is no skill 'none'" in str(refused("skills", "show", "none"))


def test_a_template_is_rendered_without_a_task(folder: Path) -> None:
    assert ran("templates", "render", "t", "--params", '{"who": "Ada"}').stdout == "Hello Ada\n"
    assert "who" in str(refused("templates", "render", "t"))


@pytest.mark.parametrize("kind", ["templates", "skills"])
def test_what_is_wrong_is_said_with_its_place_and_ends_a_script(folder: Path, kind: str) -> None:
    assert ran(kind, "validate", str(folder)).exit_code == 0
    (folder / "bad.yaml").write_text("name: bad\nnodes: []\n")
    (folder / "bad.md").write_text("---\nnome: bad\n---\nWork.\n")
    ended = ran(kind, "validate", str(folder))
    assert ended.exit_code == 1 and f"{folder / 'bad.'}" in ended.stderr


@pytest.mark.parametrize("kind", ["templates", "skills"])
def test_a_folder_that_is_not_there_is_not_sound(folder: Path, kind: str) -> None:
    """A mistyped path in a pipeline would let everything pass."""
    ended = ran(kind, "validate", str(folder / "tempaltes"))
    assert ended.exit_code == 1 and "tempaltes: there is no such folder" in ended.stderr
