"""One folder of files per session. No path, link or race leads out of it, and it never grows past its quota.

Every step of a path is opened relative to the folder before it and without following links, so that what is checked is
what is used. A session's folder is locked while it is written to, also against other processes; the lock is where no
program that runs in the folder could hold it.
"""

import codecs
import errno
import fcntl
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from theseus.contracts.session import SessionKey
from theseus.contracts.stored import ArtifactPage
from theseus.stores.rules import check_page, session_path

MAX_PAGE_CHARS = 200_000
MAX_ENTRIES = 10_000
"""Files and folders of one session."""
MAX_DEPTH = 32
MAX_NAME_BYTES = 255

_DEEPEST = 4 * MAX_DEPTH
_INCOMING = ".incoming"
_LOCKS = ".locks"
_LEFT_BEHIND = timedelta(hours=1)
_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER = _ROOT | os.O_NOFOLLOW
# a named pipe must not hold the reader
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 1 << 20


class WorkspaceError(Exception):
    """Why a file cannot be read, listed or written, in words that a model can act on."""


class MissingFileError(WorkspaceError):
    """There is no such file or folder."""


class TooLargeFileError(WorkspaceError):
    """The file is larger than was asked for."""


@dataclass(frozen=True)
class Entry:
    """One file or folder of a workspace; a folder has no size of its own."""

    name: str
    kind: Literal["file", "folder"]
    size_bytes: int


class Workspaces:
    """The workspaces of all sessions. All calls block on the disk.

    Args:
        root: folder that holds one folder per session; made when first written to.
        quota_bytes: so much one session may keep, the sum of its files' sizes.
    """

    def __init__(self, root: Path, quota_bytes: int) -> None:
        self._root = root
        self._quota = quota_bytes

    def read(self, key: SessionKey, path: str, offset: int, limit: int) -> ArtifactPage:
        """Up to `limit` characters (at most MAX_PAGE_CHARS) of a UTF-8 text file, from character `offset`.

        Raises:
            WorkspaceError: there is no such file, or it is no text.
            ValueError: offset is below 0 or limit below 1.
        """
        check_page(offset, limit)
        with self._file(key, path, self._quota) as file:
            return _page(file, path, offset, min(limit, MAX_PAGE_CHARS))

    def read_bytes(self, key: SessionKey, path: str, most: int) -> bytes:
        """A whole file of any kind.

        Raises:
            MissingFileError: there is no such file.
            TooLargeFileError: it has more than `most` bytes.
            WorkspaceError: the path leads to no file of this workspace.
        """
        with self._file(key, path, most) as opened, os.fdopen(opened, "rb", closefd=False) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise TooLargeFileError(f"'{path}' has more than {most} bytes")
        return data

    @contextmanager
    def _file(self, key: SessionKey, path: str, most: int) -> Generator[int, None, None]:
        steps = _steps(path)
        if not steps:
            raise WorkspaceError("the workspace itself is a folder: give the path of a file in it")
        with (
            _explained(path),
            self._session(key) as session,
            _folder(session, steps[:-1]) as folder,
            _opened(os.open(steps[-1], _FILE, dir_fd=folder)) as file,
        ):
            about = os.fstat(file)
            if not stat.S_ISREG(about.st_mode):
                raise WorkspaceError(f"'{path}' is not a file: list it if it is a folder")
            if about.st_size > most:
                raise TooLargeFileError(f"'{path}' has {about.st_size} bytes; at most {most} can be read")
            yield file

    def list(self, key: SessionKey, path: str = "") -> list[Entry]:
        """The files and folders right in a folder, by name; links are left out. Nothing for a session without files.

        Raises:
            WorkspaceError: there is no such folder.
        """
        steps = _steps(path)
        with _explained(path):
            try:
                with self._session(key) as session, _folder(session, steps) as folder:
                    return _entries(folder)
            except FileNotFoundError:
                if steps:
                    raise
                return []

    def write(self, key: SessionKey, path: str, text: str) -> int:
        """Makes or replaces a whole file, with the folders that it needs; gives its size in bytes.

        A reader sees the old file or the new one, never a part.

        Raises:
            WorkspaceError: the path cannot be written, or the quota would be passed; nothing has changed then.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise WorkspaceError(f"the text is not valid Unicode at character {error.start}: leave it out") from error
        return self.write_bytes(key, path, data)

    def write_bytes(self, key: SessionKey, path: str, data: bytes) -> int:
        """Makes or replaces a whole file of any kind; otherwise as `write`."""
        steps = _steps(path)
        if not steps:
            raise WorkspaceError("give the path of a file: the workspace itself is a folder")
        with _explained(path), self._session(key, make=True) as session, self._locked(key):
            _check_quota(self._quota, session, steps, len(data))
            with self._incoming() as incoming, _folder(session, steps[:-1], make=True) as folder:
                _replace(incoming, folder, steps[-1], data)
        return len(data)

    def folder(self, key: SessionKey) -> Path:
        """The session's folder, for a program that can reach nothing else; made when it is not there.

        What such a program leaves in it may be anything: links, pipes, more than the quota. All calls here bear that.

        Raises:
            WorkspaceError: it cannot be made.
        """
        with _explained(""), self._session(key, make=True):
            return self._root.absolute() / _folder_name(key)

    @contextmanager
    def _session(self, key: SessionKey, *, make: bool = False) -> Generator[int, None, None]:
        if make:
            self._root.mkdir(parents=True, exist_ok=True)
        with _opened(os.open(self._root, _ROOT)) as root, _folder(root, [_folder_name(key)], make=make) as session:
            yield session

    @contextmanager
    def _locked(self, key: SessionKey) -> Generator[None, None, None]:
        # sessions whose names begin alike share one, so that locks do not grow in number
        name = _folder_name(key)[:2]
        with _opened(os.open(self._root, _ROOT)) as root, _folder(root, [_LOCKS, name], make=True) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _incoming(self) -> Generator[int, None, None]:
        with _opened(os.open(self._root, _ROOT)) as root, _folder(root, [_INCOMING], make=True) as incoming:
            _sweep(incoming)
            yield incoming


def _folder_name(key: SessionKey) -> str:
    return hashlib.sha256(json.dumps(session_path(key)).encode()).hexdigest()[:32]


def _steps(path: str) -> list[str]:
    if path.startswith("/"):
        raise WorkspaceError(f"'{path}' is absolute: give a path relative to the workspace, such as notes/plan.md")
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if ".." in steps:
        raise WorkspaceError(f"'{path}' leads up by '..': give a path inside the workspace")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in path):
        raise WorkspaceError(f"{path!r} has characters that no file name may have: use letters, digits, '-', '_', '.'")
    if any(len(step.encode()) > MAX_NAME_BYTES for step in steps):
        raise WorkspaceError(f"a name in '{path[:60]}...' is too long: at most {MAX_NAME_BYTES} bytes are allowed")
    if len(steps) > MAX_DEPTH:
        raise WorkspaceError(f"the path is {len(steps)} folders deep; at most {MAX_DEPTH} are allowed")
    return steps


@contextmanager
def _opened(descriptor: int) -> Generator[int, None, None]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _folder(start: int, steps: list[str], *, make: bool = False) -> Generator[int, None, None]:
    here = os.dup(start)
    try:
        for step in steps:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(step, 0o700, dir_fd=here)
            there = os.open(step, _FOLDER, dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


@contextmanager
def _explained(path: str) -> Generator[None, None, None]:
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFileError(f"'{path}' does not exist: list its folder to see what there is") from error
    except IsADirectoryError as error:
        raise WorkspaceError(f"'{path}' is a folder: give the path of a file") from error
    except OSError as error:
        raise WorkspaceError(_why(path, error)) from error


def _why(path: str, error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return f"'{path}' goes through something that is not a folder (links are not followed): choose another path"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"'{path}' was not written: the disk of the workspace is full"
    return f"'{path}' cannot be used: {error.strerror}"


def _page(file: int, path: str, offset: int, limit: int) -> ArtifactPage:
    decoder = codecs.getincrementaldecoder("utf-8")()
    wanted: list[str] = []
    end = offset + limit
    chars = 0
    try:
        while block := os.read(file, _BLOCK):
            text = decoder.decode(block)
            wanted.append(text[max(0, offset - chars) : max(0, end - chars)])
            chars += len(text)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise WorkspaceError(f"'{path}' is not a UTF-8 text file") from error
    return ArtifactPage(
        text="".join(wanted), offset=offset, total_chars=chars, next_offset=end if end < chars else None
    )


def _entries(folder: int) -> list[Entry]:
    found: list[Entry] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    found.append(Entry(entry.name, "folder", 0))
                elif entry.is_file(follow_symlinks=False):
                    found.append(Entry(entry.name, "file", entry.stat(follow_symlinks=False).st_size))
    return sorted(found, key=lambda entry: entry.name)


def _check_quota(quota: int, session: int, steps: list[str], size: int) -> None:
    used, entries = _usage(session)
    free = quota - used + _size_now(session, steps)
    if size > free:
        raise WorkspaceError(
            f"the file would have {size} bytes, but only {max(0, free)} of the workspace's {quota} are free: "
            f"write less, or overwrite a file that is not needed any more with an empty text"
        )
    if entries + len(steps) > MAX_ENTRIES:
        raise WorkspaceError(f"the workspace has {entries} files and folders already: overwrite one of them")


def _usage(session: int) -> tuple[int, int]:
    """Bytes of the files, and how many files and folders; a program may have nested them deeper than any walk goes."""
    size = count = 0
    for path, folders, files, here in os.fwalk(".", dir_fd=session, follow_symlinks=False):
        count += len(folders) + len(files)
        if path.count("/") > _DEEPEST:
            raise WorkspaceError("folders of the workspace are nested too deep: remove some of them")
        for name in files:
            with suppress(FileNotFoundError):
                size += os.stat(name, dir_fd=here, follow_symlinks=False).st_size
    return size, count


def _size_now(session: int, steps: list[str]) -> int:
    try:
        with _folder(session, steps[:-1]) as folder:
            about = os.stat(steps[-1], dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return 0
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError
    return about.st_size


def _replace(incoming: int, folder: int, name: str, data: bytes) -> None:
    draft = secrets.token_hex(16)
    try:
        with open(os.open(draft, _NEW, 0o600, dir_fd=incoming), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, name, src_dir_fd=incoming, dst_dir_fd=folder)
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=incoming)
        raise


def _sweep(incoming: int) -> None:
    """Removes drafts of writers that died."""
    for name in os.listdir(incoming):
        with suppress(FileNotFoundError):
            if time.time() - os.stat(name, dir_fd=incoming).st_mtime > _LEFT_BEHIND.total_seconds():
                os.unlink(name, dir_fd=incoming)
