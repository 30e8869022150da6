"""A shelf: all files of a kind in some folders, by name and version, read anew when they change."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from theseus.activities.library.documents import MAX_FILE_BYTES, LibraryError
from theseus.domain.versions import newest, ordered

T = TypeVar("T")

WHOLE_FOLDER = "SKILL"
"""A file of this name stands for its folder."""
MAX_FILES = 1000
MAX_DEPTH = 8
UNSETTLED_NS = 2_000_000_000
"""A file changed so lately may change again within one tick of the file system's clock, and look the same."""

Stamp = tuple[int, int, int]


def library_folders(own: Sequence[str], shipped: str) -> list[Path]:
    """The folders of a kind: one's own, and the shipped one of that name beside this package's code."""
    return [*(Path(folder) for folder in own), Path(str(resources.files("theseus"))) / shipped]


@dataclass(frozen=True)
class Item(Generic[T]):
    """One file: what it is called, what it holds, the hash of its bytes."""

    name: str
    version: str
    value: T
    file: str
    digest: str = ""

    @property
    def key(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Contents(Generic[T]):
    """What is on a shelf at one moment.

    `problems` are files that cannot be used and folders that are not there, in words; `spoiled` are the keys of such
    files, and `torn` is what those are called that do not even say their name.
    """

    items: Mapping[str, Mapping[str, Item[T]]] = field(default_factory=dict[str, Mapping[str, Item[T]]])
    problems: tuple[str, ...] = ()
    spoiled: Mapping[str, str] = field(default_factory=dict[str, str])
    torn: Mapping[str, str] = field(default_factory=dict[str, str])

    def all(self) -> Iterator[Item[T]]:
        """Every item, by name and from the oldest version to the newest."""
        for name in sorted(self.items):
            versions = self.items[name]
            yield from (versions[version] for version in ordered(versions))

    def find(self, name: str, version: str | None) -> Item[T] | None:
        """The item of a version, or the newest; None when there is none.

        Raises:
            LibraryError: its file cannot be used.
        """
        versions = self.items.get(name, {})
        if not versions and name in self.torn:
            raise LibraryError(self.torn[name])
        wanted = version or newest(versions)
        problem = self.spoiled.get(f"{name}@{wanted}" if wanted is not None else name)
        if problem is not None:
            raise LibraryError(problem)
        return versions.get(wanted) if wanted is not None else None


class Shelf(Generic[T]):
    """The files of a kind.

    Args:
        folders: where they are; one that is not there is a problem, and takes no other with it.
        suffixes: how their names end.
        read: makes an item of a file's name and bytes; raises LibraryError for one that cannot be used.
        skipped: names of files that are none of the kind.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        suffixes: tuple[str, ...],
        read: Callable[[str, bytes], Item[T]],
        skipped: Collection[str] = (),
    ) -> None:
        self._skipped = skipped
        self._folders = tuple(folders)
        self._suffixes = suffixes
        self._read = read
        self._known: dict[Path, tuple[Stamp, Item[T] | str]] = {}
        self._missing: list[str] = []
        self._contents: Contents[T] | None = None
        self._lock = Lock()

    def contents(self) -> Contents[T]:
        """What is there now. Only files that changed are read; the same object while nothing did. Any thread may ask."""
        with self._lock:
            return self._now()

    def _now(self) -> Contents[T]:
        found: dict[Path, tuple[Stamp, Item[T] | str]] = {}
        missing = [problem for folder in self._folders if (problem := _shut(folder))]
        overflow = ""
        for path, stamp in self._files():
            if len(found) >= MAX_FILES:
                overflow = f"{path}: not read: there are more than {MAX_FILES} files"
                break
            known = self._known.get(path)
            is_same = known is not None and known[0] == stamp and stamp[0] < time.time_ns() - UNSETTLED_NS
            found[path] = known if known is not None and is_same else (stamp, self._item(path, known))
        if self._contents is None or found != self._known or missing != self._missing:
            self._known, self._missing = found, missing
            more = [*missing, *([overflow] if overflow else [])]
            self._contents = _arranged({path: each for path, (_, each) in found.items()}, more)
        return self._contents

    def _files(self) -> Iterator[tuple[Path, Stamp]]:
        seen: set[Path] = set()
        for folder in self._folders:
            for place, folders, names in os.walk(folder):
                deep = len(Path(place).relative_to(folder).parts) >= MAX_DEPTH
                folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
                for name in sorted(names):
                    path = Path(place, name)
                    is_other = name.startswith(".") or name in self._skipped or not name.endswith(self._suffixes)
                    if is_other or path in seen:
                        continue
                    seen.add(path)
                    try:
                        now = path.stat()
                    except OSError:
                        now = None
                    yield path, (now.st_mtime_ns, now.st_size, now.st_ino) if now is not None else (0, 0, 0)

    def _item(self, path: Path, known: tuple[Stamp, Item[T] | str] | None) -> Item[T] | str:
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                return f"{path}: it is no file"
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
            digest = hashlib.sha256(data).hexdigest()
            if known is not None and isinstance(known[1], Item) and known[1].digest == digest:
                return known[1]
            item = self._read(str(path), data)
        except OSError as error:
            return f"{path}: cannot be read ({error.strerror})"
        except LibraryError as error:
            return str(error)
        return Item(item.name, item.version, item.value, str(path), digest)


def _arranged(found: Mapping[Path, Item[T] | str], more: Sequence[str]) -> Contents[T]:
    items: dict[str, dict[str, Item[T]]] = {}
    torn = {_called(path): each for path, each in found.items() if isinstance(each, str)}
    problems = [each for each in found.values() if isinstance(each, str)]
    spoiled: dict[str, str] = {}
    for item in found.values():
        if isinstance(item, str):
            continue
        earlier = items.setdefault(item.name, {}).get(item.version)
        if earlier is not None:
            problem = f"{item.file}: {item.key} is there twice: {earlier.file} has that name and version too"
            spoiled[item.key] = problem
            problems.append(problem)
        else:
            items[item.name][item.version] = item
    return Contents(items, (*problems, *more), spoiled, torn)


def _shut(folder: Path) -> str:
    """Why a folder cannot be looked into; empty when it can."""
    try:
        with os.scandir(folder):
            return ""
    except (FileNotFoundError, NotADirectoryError):
        return f"{folder}: there is no such folder"
    except OSError as error:
        return f"{folder}: the folder cannot be read ({error.strerror})"


def _called(path: Path) -> str:
    """What a file is called: as its folder, where all such files have one name."""
    return path.parent.name if path.stem == WHOLE_FOLDER else path.stem
