"""The file tools and read_artifact reach what belongs to the caller's session, whole or page by page, and nothing else."""

import json
from pathlib import Path

import pytest

from theseus.activities.tools import built_in_tools
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.stored import ArtifactPage
from theseus.contracts.tools import Effect
from theseus.stores.files import WorkspaceError, Workspaces
from theseus.stores.memory import MemoryArtifacts, MemoryEvidence
from theseus.stores.ports import StoreDownError

ADA = SessionKey(session_id="s", user_id="ada")
BOB = SessionKey(session_id="s", user_id="bob")


class Running:
    """A registry of the built-in tools over a real folder and memory."""

    def __init__(self, root: Path) -> None:
        self.artifacts = MemoryArtifacts()
        self.registry = Registry(
            built_in_tools(
                artifacts=self.artifacts,
                evidence=MemoryEvidence(),
                workspaces=Workspaces(root, quota_bytes=10_000),
                workspace_failures=(WorkspaceError,),
            )
        )

    async def __call__(self, name: str, key: SessionKey = ADA, **arguments: object) -> Outcome:
        context = ToolContext(key, "task-1", "task-1:1:c")
        return await self.registry.run(ToolCall(id="c", name=name, arguments=json.dumps(arguments)), context)


@pytest.fixture
def run(tmp_path: Path) -> Running:
    return Running(tmp_path / "workspaces")


def test_the_built_in_tools_are_these_with_these_effects(run: Running) -> None:
    assert {facts.name: facts.effect for facts in run.registry.facts()} == {
        "calculator": Effect.READ,
        "python_executor": Effect.READ,
        "web_fetch": Effect.READ,
        "web_subpage_fetch": Effect.READ,
        "web_crawl": Effect.READ,
        "read_source": Effect.READ,
        "note_evidence": Effect.READ,
        "read_artifact": Effect.READ,
        "file_read": Effect.READ,
        "file_list": Effect.READ,
        "file_write": Effect.IDEMPOTENT,
        "send_message": Effect.WRITE,
    }


async def test_what_is_written_is_listed_and_read(run: Running) -> None:
    assert (await run("file_list")).text == "[There are no files]"
    written = await run("file_write", path="notes/plan.md", content="älter")
    assert (written.text, written.is_error) == ("notes/plan.md is written: 6 bytes", False)
    assert (await run("file_write", path="a.txt", content="")).text == "a.txt is written: 0 bytes"
    assert (await run("file_list")).text == "a.txt (0 bytes)\nnotes/"
    assert (await run("file_list", path="notes")).text == "plan.md (6 bytes)"
    assert (await run("file_read", path="notes/plan.md")).text == "älter"
    assert (await run("file_read", path="a.txt")).text == "[The file is empty]"


async def test_writing_replaces_the_whole_file_so_that_writing_twice_is_writing_once(run: Running) -> None:
    for content in ("a long first version", "short", "short"):
        await run("file_write", path="a.txt", content=content)
    assert (await run("file_read", path="a.txt")).text == "short"


async def test_a_long_file_is_read_page_by_page(run: Running) -> None:
    text = "".join(f"{n:04}," for n in range(1000))
    await run("file_write", path="long.txt", content=text)
    first = await run("file_read", path="long.txt", limit=3000)
    assert first.text == f"[Characters 0 to 3000 of 5000; read on at offset 3000]\n{text[:3000]}"
    last = await run("file_read", path="long.txt", offset=3000)
    assert last.text == f"[Characters 3000 to 5000 of 5000, its end]\n{text[3000:]}"


@pytest.mark.parametrize("path", ["../other", "/etc/passwd", "a/../../x", "missing.txt", "~/x", "a\0b", "x" * 1024])
async def test_a_path_that_leads_out_or_nowhere_is_a_value_that_says_so(run: Running, path: str) -> None:
    outcome = await run("file_read", path=path)
    assert outcome.is_error
    assert "failed unexpectedly" not in outcome.text


async def test_a_full_workspace_is_a_value(run: Running) -> None:
    outcome = await run("file_write", path="large.txt", content="x" * 20_000)
    assert outcome.is_error
    assert "10000" in outcome.text.replace(",", "")


async def test_the_files_of_one_user_are_not_there_for_another(run: Running) -> None:
    await run("file_write", path="a.txt", content="ada's")
    assert (await run("file_read", BOB, path="a.txt")).is_error
    assert (await run("file_list", BOB)).text == "[There are no files]"


async def test_an_artifact_is_read_page_by_page_to_its_end(run: Running) -> None:
    text = "".join(f"{n:05}," for n in range(4000))
    made = await run.artifacts.put(ADA, text)
    read, offset = "", 0
    while True:
        outcome = await run("read_artifact", artifact_id=made, offset=offset, limit=11_000)
        note, _, page = outcome.text.partition("\n")
        read += page
        offset += len(page)
        assert note.startswith(f"[Characters {offset - len(page)} to {offset} of 24000")
        if note.endswith("its end]"):
            break
        assert f"read on at offset {offset}]" in note
    assert read == text


async def test_a_foreign_an_unknown_and_an_ended_artifact_are_values(run: Running) -> None:
    made = await run.artifacts.put(ADA, "text")
    for outcome in (await run("read_artifact", BOB, artifact_id=made), await run("read_artifact", artifact_id="none")):
        assert outcome.is_error
        assert "There is no artifact" in outcome.text
    ended = await run("read_artifact", artifact_id=made, offset=4)
    assert ended.text == "The artifact ends before offset 4: it has 4 characters."


@pytest.mark.parametrize("arguments", [{"offset": -1}, {"limit": 0}, {"limit": 11_001}, {"artifact_id": ""}])
async def test_pages_that_cannot_be_are_refused(run: Running, arguments: dict[str, object]) -> None:
    outcome = await run("read_artifact", ADA, **{"artifact_id": "x", **arguments})
    assert "cannot be used" in outcome.text


async def test_a_store_that_is_down_is_a_value(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> ArtifactPage:
        raise StoreDownError("no route")

    monkeypatch.setattr(run.artifacts, "page", down)
    outcome = await run("read_artifact", artifact_id="x")
    assert outcome.is_error
    assert "cannot be reached now" in outcome.text
