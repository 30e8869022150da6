"""No path, link or race leads out of a session's workspace, and it never holds more than its quota."""

import fcntl
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theseus.contracts.session import SessionKey
from theseus.stores.files import MAX_DEPTH, MAX_PAGE_CHARS, Entry, WorkspaceError, Workspaces

KEY = SessionKey(session_id="s", tenant_id="acme", user_id="ann")
OTHER = SessionKey(session_id="s", tenant_id="acme", user_id="bob")
QUOTA = 10_000


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Workspaces:
    return Workspaces(tmp_path / "deep" / "root", QUOTA)


def home(files: Workspaces, tmp_path: Path) -> Path:
    """The session's own folder."""
    files.write(KEY, "here.txt", "here")
    return next(tmp_path.glob("**/here.txt")).parent


def text(files: Workspaces, path: str, key: SessionKey = KEY) -> str:
    return files.read(key, path, 0, MAX_PAGE_CHARS).text


def test_what_was_written_is_read_and_listed(files: Workspaces):
    assert files.write(KEY, "notes/plan ✓.md", "grüße 🙂") == 12
    files.write(KEY, "./a//b.txt", "b")
    assert text(files, "notes/plan ✓.md") == "grüße 🙂"
    assert text(files, "a/b.txt") == "b"
    assert files.list(KEY) == [Entry("a", "folder", 0), Entry("notes", "folder", 0)]
    assert files.list(KEY, "notes") == [Entry("plan ✓.md", "file", 12)]


def test_writing_replaces_the_whole_file_and_leaves_no_drafts(files: Workspaces, tmp_path: Path):
    files.write(KEY, "f", "a long first text")
    files.write(KEY, "f", "short")
    assert text(files, "f") == "short"
    assert [entry.name for entry in files.list(KEY)] == ["f"]
    assert list((tmp_path / "deep/root/.incoming").iterdir()) == []


def test_a_session_sees_only_its_own_files(files: Workspaces):
    files.write(KEY, "f", "mine")
    assert files.list(OTHER) == []
    with pytest.raises(WorkspaceError, match="'f' does not exist"):
        text(files, "f", OTHER)


def test_looking_makes_no_folders(files: Workspaces, tmp_path: Path):
    assert files.list(KEY) == []
    with pytest.raises(WorkspaceError, match="does not exist"):
        files.list(KEY, "sub")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("size", [0, 1, 999, 1 << 20, (1 << 20) + 1])
def test_pages_are_counted_in_characters(tmp_path: Path, size: int):
    files = Workspaces(tmp_path, 10_000_000)
    content = ("ab漢🐎é" * (size // 5 + 1))[:size]
    files.write(KEY, "f", content)
    for offset, limit in ((0, 10), (3, 4), (size // 2, 50_000), (max(0, size - 2), 10), (size + 5, 10)):
        page = files.read(KEY, "f", offset, limit)
        end = offset + limit
        assert page.text == content[offset:end]
        assert (page.total_chars, page.next_offset) == (size, end if end < size else None)


def test_one_page_is_never_larger_than_the_cap(tmp_path: Path):
    files = Workspaces(tmp_path, 10_000_000)
    files.write(KEY, "f", "x" * (MAX_PAGE_CHARS + 5))
    page = files.read(KEY, "f", 0, 10**9)
    assert (len(page.text), page.next_offset) == (MAX_PAGE_CHARS, MAX_PAGE_CHARS)


def test_a_file_that_is_no_text_or_too_large_is_refused(files: Workspaces, tmp_path: Path):
    folder = home(files, tmp_path)
    (folder / "picture").write_bytes(b"\x89PNG\xff")
    (folder / "cut").write_bytes("é".encode()[:1])
    os.truncate(os.open(folder / "huge", os.O_CREAT | os.O_WRONLY), QUOTA + 1)
    for name in ("picture", "cut"):
        with pytest.raises(WorkspaceError, match=f"'{name}' is not a UTF-8 text file"):
            text(files, name)
    with pytest.raises(WorkspaceError, match=f"at most {QUOTA} can be read"):
        text(files, "huge")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd", "is absolute"),
        ("//x", "is absolute"),
        ("..", "leads up"),
        ("../outside/secret.txt", "leads up"),
        ("a/../../outside/secret.txt", "leads up"),
        ("a/./../b", "leads up"),
        ("nul\0byte", "no file name"),
        ("new\nline", "no file name"),
        ("half\ud800", "no file name"),
        ("bytes\udcff", "no file name"),
        ("x" * 256, "too long"),
        ("/".join("a" * (MAX_DEPTH + 1)), "folders deep"),
        ("", "is a folder"),
        (".", "is a folder"),
        ("here.txt/below", "not a folder"),
    ],
)
def test_a_path_that_cannot_be_is_refused_with_a_reason(files: Workspaces, outside: Path, path: str, why: str):
    files.write(KEY, "here.txt", "here")
    for act in (lambda: text(files, path), lambda: files.write(KEY, path, "x")):
        with pytest.raises(WorkspaceError, match=why):
            act()
    assert (outside / "secret.txt").read_text() == "secret"


def test_a_folder_is_not_a_file_and_a_file_not_a_folder(files: Workspaces):
    files.write(KEY, "d/f", "x")
    for act, why in (
        (lambda: text(files, "d"), "is not a file|is a folder"),
        (lambda: files.write(KEY, "d", "x"), "is a folder"),
        (lambda: files.list(KEY, "d/f"), "not a folder"),
    ):
        with pytest.raises(WorkspaceError, match=why):
            act()


def test_no_link_is_followed_wherever_it_stands(files: Workspaces, tmp_path: Path, outside: Path):
    folder = home(files, tmp_path)
    (folder / "file_link").symlink_to(outside / "secret.txt")
    (folder / "folder_link").symlink_to(outside)
    (folder / "inner_link").symlink_to("here.txt")
    for path in ("file_link", "folder_link/secret.txt", "inner_link"):
        with pytest.raises(WorkspaceError, match="links are not followed"):
            text(files, path)
    for path in ("folder_link/new.txt", "folder_link/sub/new.txt"):
        with pytest.raises(WorkspaceError, match="links are not followed"):
            files.write(KEY, path, "x")
    with pytest.raises(WorkspaceError, match="links are not followed"):
        files.list(KEY, "folder_link")
    assert [entry.name for entry in files.list(KEY)] == ["here.txt"]
    files.write(KEY, "file_link", "replaced")
    assert not (folder / "file_link").is_symlink()
    assert sorted(p.name for p in outside.iterdir()) == ["secret.txt"]
    assert (outside / "secret.txt").read_text() == "secret"


def test_a_session_folder_that_is_a_link_is_not_entered(files: Workspaces, tmp_path: Path, outside: Path):
    folder = home(files, tmp_path)
    (folder / "here.txt").unlink()
    folder.rmdir()
    folder.symlink_to(outside)
    for act in (lambda: text(files, "secret.txt"), lambda: files.list(KEY), lambda: files.write(KEY, "x", "x")):
        with pytest.raises(WorkspaceError, match="links are not followed"):
            act()


def test_a_pipe_does_not_hold_the_reader(files: Workspaces, tmp_path: Path):
    os.mkfifo(home(files, tmp_path) / "pipe")
    with pytest.raises(WorkspaceError, match="is not a file"):
        text(files, "pipe")
    assert [entry.name for entry in files.list(KEY)] == ["here.txt"]


@contextmanager
def going_on(act: Callable[[], None]) -> Generator[None, None, None]:
    """Does it over and over in a thread."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            act()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_reader_that_races_with_a_link_stays_inside(files: Workspaces, tmp_path: Path, outside: Path):
    folder = home(files, tmp_path)
    (folder / "kept").mkdir()
    (folder / "kept" / "secret.txt").write_text("inside")

    def swap() -> None:
        (folder / "kept").rename(folder / "d")
        (folder / "d").rename(folder / "kept")
        (folder / "d").symlink_to(outside)
        (folder / "d").unlink()

    seen: set[str] = set()
    with going_on(swap):
        for turn in range(200_000):
            if turn >= 5_000 and len(seen) > 1:
                break
            try:
                seen.add(text(files, "d/secret.txt"))
            except WorkspaceError:
                seen.add("refused")
    assert seen == {"inside", "refused"}


def test_a_writer_that_races_with_a_link_stays_inside(files: Workspaces, tmp_path: Path, outside: Path):
    folder = home(files, tmp_path)

    def swap() -> None:
        with suppress(OSError):
            (folder / "d").symlink_to(outside)
        with suppress(OSError):
            (folder / "d").unlink()
        time.sleep(0.002)
        shutil.rmtree(folder / "d", ignore_errors=True)

    outcomes: list[bool] = []
    with going_on(swap):
        while len(outcomes) < 5_000 and not (outcomes.count(True) >= 50 and outcomes.count(False) >= 50):
            try:
                files.write(KEY, "d/new.txt", "x")
                outcomes.append(True)
            except WorkspaceError:
                outcomes.append(False)
    assert True in outcomes
    assert [p.name for p in outside.iterdir()] == ["secret.txt"]


def test_the_quota_counts_what_is_there_after_the_write(files: Workspaces):
    files.write(KEY, "a", "x" * 6_000)
    with pytest.raises(WorkspaceError, match=r"6001 bytes, but only 4000 of the workspace's 10000 are free"):
        files.write(KEY, "sub/b", "y" * 6_001)
    assert [entry.name for entry in files.list(KEY)] == ["a"]
    files.write(KEY, "sub/b", "é" * 2_000)
    files.write(KEY, "a", "z" * 6_000)
    files.write(KEY, "a", "")
    files.write(KEY, "c", "x" * 6_000)
    files.write(OTHER, "a", "x" * QUOTA)


def test_writers_at_the_same_time_cannot_pass_the_quota_together(files: Workspaces):
    def write(n: int) -> bool:
        try:
            files.write(KEY, f"f{n}", "x" * 1_000)
        except WorkspaceError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(write, range(40)))
    assert done.count(True) == 10
    assert sum(entry.size_bytes for entry in files.list(KEY)) == QUOTA


def test_a_reader_never_sees_a_part_of_a_write(files: Workspaces):
    versions = ("a" * 9_000, "b" * 4_000)
    files.write(KEY, "f", versions[0])

    def write() -> None:
        for version in versions:
            files.write(KEY, "f", version)

    with going_on(write):
        assert {text(files, "f") for _ in range(300)} <= set(versions)


def test_a_program_in_the_workspace_cannot_hold_writers_up(files: Workspaces):
    held = os.open(files.folder(KEY), os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer = threading.Thread(target=files.write, args=(KEY, "a.txt", "a"), daemon=True)
        writer.start()
        writer.join(timeout=5)
        assert not writer.is_alive()
    finally:
        os.close(held)


def test_a_nest_deeper_than_any_walk_goes_is_told(files: Workspaces):
    here = os.open(files.folder(KEY), os.O_RDONLY)
    for _ in range(2_000):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(here)
    with pytest.raises(WorkspaceError, match="nested too deep"):
        files.write(KEY, "a.txt", "a")
    subprocess.run(["rm", "-rf", files.folder(KEY) / "d"], check=True)
    files.write(KEY, "a.txt", "a")


def test_text_that_cannot_be_written_changes_nothing(files: Workspaces):
    files.write(KEY, "f", "old")
    with pytest.raises(WorkspaceError, match="not valid Unicode at character 4"):
        files.write(KEY, "f", "half\ud800")
    assert text(files, "f") == "old"


def test_drafts_of_writers_that_died_are_removed(files: Workspaces, tmp_path: Path):
    files.write(KEY, "f", "x")
    old, young = (tmp_path / "deep/root/.incoming" / name for name in ("old", "young"))
    for draft in (old, young):
        draft.write_text("draft")
    os.utime(old, (0, 0))
    files.write(KEY, "f", "y")
    assert not old.exists() and young.exists()


def test_no_file_stays_open(files: Workspaces, tmp_path: Path, outside: Path):
    (home(files, tmp_path) / "link").symlink_to(outside)
    before = len(os.listdir("/proc/self/fd"))
    acts: list[Callable[[], Any]] = [
        lambda: files.write(KEY, "a/b", "x"),
        lambda: text(files, "a/b"),
        lambda: text(files, "a"),
        lambda: text(files, "a/none"),
        lambda: text(files, "link/x"),
        lambda: files.list(KEY, "a"),
        lambda: files.write(KEY, "big", "x" * QUOTA),
    ]
    for act in acts * 3:
        try:
            act()
        except WorkspaceError:
            continue
    assert len(os.listdir("/proc/self/fd")) == before


PIECES = st.sampled_from(
    ["..", ".", "", "/", "~", "a", "link", "secret.txt", "\0", "\\", "%2e%2e", "\uff0e\uff0e", "-rf"]
)
PATHS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.lists(PIECES, max_size=8).map("/".join),
    st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=8).map("/".join),
)


@given(path=PATHS)
@settings(max_examples=150, deadline=None)
def test_no_path_whatever_escapes(path: str):
    with TemporaryDirectory() as place:
        beside = Path(place) / "secret.txt"
        beside.write_text("secret")
        files = Workspaces(Path(place) / "root", QUOTA)
        session = home(files, Path(place))
        (session / "link").symlink_to(place)
        for look in (lambda: text(files, path), lambda: str(files.list(KEY, path))):
            with suppress(WorkspaceError):
                assert "secret" not in look()
        with suppress(WorkspaceError):
            files.write(KEY, path, "written")
            assert text(files, path) == "written"
        inside = {Path(folder) / name for folder, _, names in os.walk(session) for name in names}
        found = {Path(folder) / name for folder, _, names in os.walk(place) for name in names}
        assert found == inside | {beside}
        assert beside.read_text() == "secret"


def test_bytes_of_any_kind_are_kept_within_the_same_bounds(files: Workspaces, tmp_path: Path):
    data = bytes(range(256))
    assert files.write_bytes(KEY, "pictures/a.png", data) == 256
    assert (home(files, tmp_path) / "pictures" / "a.png").read_bytes() == data
    for path in ("../a.png", "/a.png", ""):
        with pytest.raises(WorkspaceError):
            files.write_bytes(KEY, path, data)
    with pytest.raises(WorkspaceError, match="are free"):
        files.write_bytes(KEY, "big", b"x" * (QUOTA + 1))
