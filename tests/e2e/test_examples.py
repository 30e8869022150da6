"""What users' documents say to type works as it stands there against `theseus dev`: curl, httpx, requests, JavaScript.

The examples are in `tests/examples/`, word for word; only host and port are changed, and names that an example takes
from the one before it are given.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.dev_process import dev
from tests.support.browsing import installed

pytestmark = pytest.mark.e2e

FOLDER = Path(__file__).parents[1] / "examples"
AXIOS = "axios@1.21.1"
UUIDGEN = f"#!{sys.executable}\nimport uuid\nprint(uuid.uuid4())\n"
BEFORE = """\
import json, time, uuid, httpx, requests
url, task_id = {url!r} + "/api/v1/tasks", {task!r}
"""


@dataclass(frozen=True)
class Example:
    """One block of a document."""

    title: str
    language: str
    code: str


def examples(language: str) -> list[Example]:
    """All of a language."""
    found: list[Example] = []
    for file in sorted(FOLDER.glob("*.md")):
        for title, kind, code in re.findall(r"^## ([^\n]*)\n\n```(\w+)\n(.*?)^```", file.read_text(), re.S | re.M):
            found.append(Example(f"{file.stem}: {title}", kind, code))
    return [each for each in found if each.language == language]


@dataclass(frozen=True)
class Place:
    """A `theseus dev`, and a task that ended there."""

    url: str
    task: str
    path: str

    def run(self, command: list[str], code: str, folder: Path) -> str:
        """What a program prints that ends well."""
        said = code.replace("http://localhost:8080", self.url)
        ended = subprocess.run(
            [*command, said],
            cwd=folder,
            env={**os.environ, "PATH": self.path},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("dev")
    tools = folder / "bin"
    tools.mkdir()
    if shutil.which("uuidgen") is None:
        (tools / "uuidgen").write_text(UUIDGEN)
        (tools / "uuidgen").chmod(0o755)
    with dev(folder, "--llm", "scripted", gateway=True) as it:
        url: str = it.ready["gateway_url"]
        task = httpx.post(f"{url}/api/v1/tasks", json={"query": "hello", "mode": "simple"}).json()["task_id"]
        yield Place(url, task, f"{tools}{os.pathsep}{os.environ['PATH']}")


def answers(text: str) -> list[dict[str, object]]:
    """The JSON objects that curl printed, one after another."""
    found: list[dict[str, object]] = []
    reader = json.JSONDecoder()
    while (at := text.find("{")) >= 0:
        value, end = reader.raw_decode(text[at:])
        found.append(value)
        text = text[at + end :]
    return found


@pytest.mark.parametrize("example", examples("bash"), ids=lambda each: each.title)
def test_what_is_typed_into_a_shell_works(place: Place, tmp_path: Path, example: Example) -> None:
    if "jq" in example.code and shutil.which("jq") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("jq is not installed")
    said = place.run(["bash", "-euc"], example.code, tmp_path)
    told = answers(said)
    assert told or "Task ID: " in said
    assert not [each for each in told if each.get("error")], said
    if "RESPONSE=$(" not in example.code:
        taken = [each for each in told if each.get("status") == "STATUS_CODE_OK" and each.get("task_id")]
        assert len(taken) == example.code.count("-X POST"), said


@pytest.mark.parametrize("example", examples("python"), ids=lambda each: each.title)
def test_what_is_written_in_python_works(place: Place, tmp_path: Path, example: Example) -> None:
    before = BEFORE.format(url=place.url, task=place.task)
    said = place.run([sys.executable, "-c"], before + example.code, tmp_path)
    assert "rror" not in said or "Error: None" in said, said


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js is not installed")
def test_what_is_written_for_node_works(place: Place, tmp_path: Path) -> None:
    install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(tmp_path), AXIOS]
    got = subprocess.run(install, capture_output=True, text=True, timeout=100, check=False)
    if got.returncode != 0:
        pytest.skip(f"{AXIOS} cannot be installed here: {got.stderr[-300:]}")
    (example,) = [each for each in examples("javascript") if "axios" in each.code]
    said = place.run(["node", "-e"], example.code, tmp_path)
    assert "Task ID: task-" in said and "Status: STATUS_CODE_OK" in said


def test_what_is_written_for_a_browser_works(place: Place) -> None:
    (example,) = [each for each in examples("javascript") if "EventSource" in each.code]
    listen = f"""(id) => new Promise((resolve) => {{
        {example.code}
        eventSource.addEventListener("done", (event) => resolve(event.data));
    }})"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(place.url)
        last = json.loads(page.evaluate(listen, place.task))
        browser.close()
    assert last["type"] == "done"


def test_every_example_is_run() -> None:
    counted = {language: len(examples(language)) for language in ("bash", "python", "javascript")}
    assert counted == {"bash": 18, "python": 13, "javascript": 2}
