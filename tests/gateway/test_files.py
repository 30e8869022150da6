"""What agents wrote in a session is listed and read by its user, and no path, link or content leads anywhere else."""

import base64
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.gateway.test_sessions import asked, got
from tests.support.gateway import Gateway, people
from theseus.contracts.memory import Change, Fact, Kind, Known, Owner
from theseus.contracts.session import SessionKey
from theseus.gateway import files
from theseus.stores.files import Workspaces

FILES = "/api/v1/sessions/s-1/files"
KEY = SessionKey(session_id="s-1", user_id="dev")


def workspaces(door: Gateway) -> Workspaces:
    return Workspaces(door.world.settings.workspaces, door.world.settings.workspace_quota_bytes)


async def has(door: Gateway, **written: bytes) -> Path:
    """A session with these files; gives its folder."""
    await asked(door.http, "one")
    for path, data in {"notes/plan.md": b"# Plan", **written}.items():
        workspaces(door).write_bytes(KEY, path, data)
    (found,) = door.world.settings.workspaces.rglob("notes")
    return found.parent


async def test_what_an_agent_wrote_is_listed_and_read(door: Gateway) -> None:
    call = {"name": "file_write", "arguments": {"path": "out/poem.txt", "content": "Grüße"}}
    door.world.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [call]}}, {"reply": {"text": "ok"}}]}
    )
    await asked(door.http, "write", context={"role": "developer"})
    assert (await got(door.http, FILES))["files"] == [{"name": "out", "path": "out", "is_dir": True, "size_bytes": 0}]
    listed = await got(door.http, f"{FILES}?path=out/")
    assert (listed["success"], listed["path"], listed["truncated"]) == (True, "out", False)
    assert listed["files"] == [{"name": "poem.txt", "path": "out/poem.txt", "is_dir": False, "size_bytes": 7}]
    assert await got(door.http, f"{FILES}/out/poem.txt") == {
        "success": True,
        "path": "out/poem.txt",
        "content": "Grüße",
        "encoding": "utf-8",
        "content_type": "text/plain",
        "size_bytes": 7,
    }


async def test_a_session_without_files_has_an_empty_list(door: Gateway) -> None:
    await asked(door.http, "one")
    assert (await got(door.http, FILES))["files"] == []


async def test_what_is_no_text_comes_in_base64(door: Gateway) -> None:
    data = bytes(range(256))
    await has(door, **{"a.png": data, "zero": b"a\x00b", "ü & ;.md": b"x"})
    told = await got(door.http, f"{FILES}/a.png")
    assert (told["encoding"], told["content_type"], base64.b64decode(told["content"])) == ("base64", "image/png", data)
    assert (await got(door.http, f"{FILES}/zero"))["content_type"] == "application/octet-stream"
    assert (await got(door.http, f"{FILES}/{quote('ü & ;.md')}"))["content"] == "x"


@pytest.mark.parametrize("name", ["page.html", 'a";b.svg', "ü\u202ex.html"])
async def test_a_download_is_saved_and_never_shown(door: Gateway, name: str) -> None:
    await has(door, **{name: b"<script>alert(1)</script>"})
    answer = await door.http.get(f"{FILES}/{quote(name)}", params={"download": "true"})
    assert (answer.status_code, answer.content) == (200, b"<script>alert(1)</script>")
    headers = answer.headers
    assert headers["Content-Type"] == "application/octet-stream" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith('attachment; filename="')
    assert headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quote(name, safe='')}")
    assert headers["Content-Disposition"].count('"') == 2 and "sandbox" in headers["Content-Security-Policy"]
    told = await door.http.get(f"{FILES}/{quote(name)}")
    assert told.headers["Content-Type"] == "application/json", "as JSON, too, it is no page"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("../secret", 400),
        ("%2e%2e/secret", 400),
        ("notes/..%2f..%2fsecret", 400),
        ("%2fetc/passwd", 400),
        ("notes", 400),
        ("link", 400),
        ("folder-link/secret", 400),
        ("pipe", 400),
        ("a%00b", 400),
        ("%ff", 404),
        ("nowhere.txt", 404),
        ("notes/plan.md/x", 400),
        ("x" * 300, 400),
        ("a/" * 200 + "b", 400),
    ],
)
async def test_a_path_that_leads_elsewhere_is_refused(door: Gateway, tmp_path: Path, path: str, status: int) -> None:
    home = await has(door)
    (tmp_path / "secret").write_text("secret")
    (home.parent / "secret").write_text("secret")
    (home / "link").symlink_to(tmp_path / "secret")
    (home / "folder-link").symlink_to(tmp_path)
    os.mkfifo(home / "pipe")
    # httpx would resolve the dots itself
    url = door.http.base_url.copy_with(raw_path=f"{FILES}/{path}".encode())
    answer = await door.http.get(url)
    assert answer.status_code in (status, 404) if ".." in path else answer.status_code == status, answer.text
    assert "secret" not in answer.json().get("content", "") and str(tmp_path) not in answer.text
    listed = await door.http.get(FILES, params={"path": path.split("/")[0]})
    assert str(tmp_path) not in listed.text
    names = {each["name"] for each in (await got(door.http, FILES))["files"]}
    assert names == {"notes"}, "links and pipes are not listed"


@pytest.mark.parametrize("path", ["..", "/etc", "folder-link", "notes/plan.md", "nowhere"])
async def test_a_folder_that_is_none_is_refused(door: Gateway, tmp_path: Path, path: str) -> None:
    home = await has(door)
    (home / "folder-link").symlink_to(tmp_path)
    answer = await door.http.get(FILES, params={"path": path})
    assert answer.status_code in (400, 404) and set(answer.json()) == {"error"}


async def test_a_huge_file_is_refused_before_it_is_read(door: Gateway) -> None:
    home = await has(door)
    with (home / "huge").open("wb") as file:
        file.truncate(50 * 1024**3)
    for query in ("", "?download=true"):
        answer = await door.http.get(f"{FILES}/huge{query}")
        assert answer.status_code == 413 and str(files.MOST_FILE_BYTES) in answer.json()["error"]


async def test_a_folder_of_very_many_files_is_cut_and_says_so(door: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("theseus.gateway.routes.files.MOST_ENTRIES", 2)
    await has(door, a=b"", b=b"", c=b"")
    told = await got(door.http, FILES)
    assert [each["name"] for each in told["files"]] == ["a", "b"] and told["truncated"]


async def test_files_belong_to_the_user_of_the_session(door: Gateway) -> None:
    async with people(door, "acme/ann", "acme/bob", "evil/ann") as (ann, bob, foreign):
        for http in (ann, bob):
            await asked(http, "one")
        workspaces(door).write(SessionKey(session_id="s-1", tenant_id="acme", user_id="ann"), "a.txt", "hers")
        assert (await got(ann, f"{FILES}/a.txt"))["content"] == "hers"
        assert (await bob.get(f"{FILES}/a.txt")).status_code == 404 and (await got(bob, FILES))["files"] == []
        assert (await foreign.get(f"{FILES}/a.txt")).status_code == 404


def remembers(known: Known) -> Change:
    del known
    fact = Fact.model_validate(
        {
            "id": "f-1",
            "text": "likes\n tea",
            "kind": Kind.PREFERENCE,
            "task_id": "t",
            "n": 1,
            "at": "2026-11-23T00:00:00Z",
        }
    )
    return Change(add=(fact,))


async def test_what_is_remembered_of_a_user_is_a_file_of_theirs(door: Gateway) -> None:
    async with people(door, "acme/ann", "acme/bob") as (ann, bob):
        await door.world.stores.memory.revise(Owner(tenant_id="acme", user_id="ann"), (), remembers)
        listed: list[dict[str, Any]] = (await got(ann, "/api/v1/memory/files"))["files"]
        told = await got(ann, "/api/v1/memory/files/MEMORY.md")
        assert told["content"] == "- likes tea (preference, 2026-11-23)\n"
        assert listed == [{"name": "MEMORY.md", "path": "MEMORY.md", "is_dir": False, "size_bytes": told["size_bytes"]}]
        assert (await got(bob, "/api/v1/memory/files"))["files"] == []
        assert (await bob.get("/api/v1/memory/files/MEMORY.md")).status_code == 404
        assert (await ann.get("/api/v1/memory/files/OTHER.md")).status_code == 404
