"""What the project says of itself is true: paths exist, commands exist, pins agree, and pages stay short."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from tests.contract.source_tree import ROOT

PAGES = {"README.md": 120, "AGENTS.md": 120}
DECISION_LINES = 40

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_PATH = re.compile(r"`((?:src|tests|docs|deploy|requirements)/[\w./-]+|\.ci/run)`")
_TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _pins(name: str) -> set[tuple[str, str]]:
    return set(_PIN.findall(_text(f"requirements/{name}.txt")))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_read_in_one_sitting(page: str) -> None:
    assert len(_text(page).splitlines()) <= PAGES[page]


@pytest.mark.parametrize("page", PAGES)
def test_a_path_that_is_named_exists(page: str) -> None:
    named = _PATH.findall(_text(page))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_command_that_is_named_exists(page: str) -> None:
    code = re.findall(r"(?:`|^)make ([a-z-]+)", _text(page), re.MULTILINE)
    assert code
    assert set(code) <= set(_TARGET.findall(_text("Makefile")))


def test_continuous_integration_runs_targets_that_exist() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK), "chmod +x .ci/run"
    run = set(re.findall(r'^step "[^"]+" ([a-z]+)$', script.read_text(encoding="utf-8"), re.MULTILINE))
    assert {"setup", "lint", "types", "test"} == run
    assert run <= set(_TARGET.findall(_text("Makefile")))


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_is_half_a_page_and_whole(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= DECISION_LINES
    assert lines[0].startswith(f"# {path.name[:4]}: ")
    assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]


@pytest.mark.parametrize("name", ["all", "worker", "build", "weights"])
def test_every_requirement_has_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=[A-Za-z])", _text(f"requirements/{name}.txt"))
    without = [entry.splitlines()[0] for entry in entries if _PIN.match(entry) and "--hash=sha256:" not in entry]
    assert without == []


def test_the_image_has_the_versions_that_were_tested() -> None:
    assert _pins("worker") <= _pins("all")
    assert _pins("build") <= _pins("all")


def test_every_dependency_of_the_package_is_pinned() -> None:
    project = tomllib.loads(_text("pyproject.toml"))
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    wanted: list[str] = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += [line for lines in extras.values() for line in lines]
    names = {re.split(r"[<>=!~\[; ]", line)[0].lower() for line in wanted}
    missing = names - {project["project"]["name"]} - {name.lower() for name, _ in _pins("all")}
    assert missing == set(), "run `make lock`"
