"""A folder of documents as a search provider: an SQLite full-text index, ranked by BM25, that follows the files' changes."""

import asyncio
import fcntl
import hashlib
import html
import logging
import os
import re
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from theseus.activities.tools import readable
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.readable import Kind, Readable, UnreadableError
from theseus.activities.tools.search_apis import SearchError, SearchResult, plain
from theseus.activities.tools.web_search import Answered

_log = logging.getLogger("theseus.corpus")

KINDS: dict[str, Kind] = {
    **{".txt": "text", ".md": "text", ".markdown": "text", ".rst": "text"},
    **{".html": "html", ".htm": "html", ".xhtml": "html", ".pdf": "pdf"},
}
"""The files that are read, by their ending."""
MAX_FILES = 50_000
MAX_FILE_BYTES = 50 << 20
PASSAGE_CHARS = 2_000
"""A document is found by its passages, so that a long one does not hide what a part of it says."""
SNIPPET_WORDS = 60
WAIT = timedelta(seconds=10)
"""So long a search waits for the index; what is not read by then is found by a later search."""
_LATEST_NS = 2**63 - 1
"""The index keeps no later time; file systems do."""
LOCK_WAIT = timedelta(seconds=10)

_TITLE = re.compile(r"^#{1,3}\s+(\S.*)$", re.MULTILINE)
_WORD = re.compile(r"\w+")
_MARK = "\x02", "\x03"
_VERSION = 2
"""A part of the index's name, so that workers of an older version keep theirs."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    path TEXT PRIMARY KEY, modified_ns INTEGER, size_bytes INTEGER, title TEXT, failed TEXT, first INTEGER, last INTEGER
);
CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5 (
    title, text, path UNINDEXED, tokenize = "porter unicode61 remove_diacritics 2"
);
PRAGMA user_version = 2;
"""
_FIND = """
SELECT path, snippet(passages, 1, ?, ?, ' … ', ?), bm25(passages, 4.0, 1.0) AS rank
FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?
"""


@dataclass(frozen=True)
class _File:
    path: str
    modified_ns: int
    size_bytes: int


class Corpus:
    """The documents of a folder, found by their words.

    Args:
        folder: where they are; links are not followed, hidden files not read.
        indexes: folder that the index is kept in; several workers may share it.
        extraction: reads HTML and PDF.
        wait: how long a search waits for files that are not read yet.
    """

    def __init__(self, folder: Path, indexes: Path, extraction: Extraction, wait: timedelta = WAIT) -> None:
        self._folder = folder.absolute()
        name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        self._index = indexes.absolute() / f"{name}-{_VERSION}.sqlite"
        self._extraction = extraction
        self._wait = wait
        self._updating: asyncio.Task[int] | None = None

    @property
    def name(self) -> str:
        """What it is called in settings and results."""
        return "corpus"

    async def search(self, query: str, count: int) -> Answered:
        """The documents whose passages fit best, each once, by their file URLs.

        Raises:
            SearchError: the folder or the index cannot be read.
        """
        try:
            behind = await self._update()
            found = await asyncio.to_thread(self._find, query, count)
        except (OSError, sqlite3.Error) as error:
            _log.warning("the documents of %s cannot be searched: %s", self._folder, error)
            raise SearchError("down", f"cannot be read ({type(error).__name__})") from error
        return Answered(results=tuple(found), note=f"{behind} files are not read yet." if behind else None)

    async def read(self, url: str) -> Readable:
        """The text of a document of the folder, by the file URL that a search gave.

        Raises:
            OSError: there is no document of that URL in the folder.
            UnreadableError: there is no text in it.
        """
        path = _inside(self._folder, url)
        about = await asyncio.to_thread((self._folder / path).stat)
        return await self._read(_File(path, about.st_mtime_ns, about.st_size))

    def place(self, url: str) -> str:
        """The path in the folder of a document that was read."""
        return str(Path(url2pathname(urlsplit(url).path)).relative_to(self._folder))

    async def _update(self) -> int:
        """Reads what has changed, as far as the wait allows; gives how many files are not read yet."""
        if self._updating is None or self._updating.done():
            self._updating = asyncio.create_task(self._follow())
            self._updating.add_done_callback(_noticed)
        waiting = asyncio.shield(self._updating)
        try:
            async with asyncio.timeout(self._wait.total_seconds()):
                return await waiting
        except TimeoutError:
            changed, _ = await asyncio.to_thread(self._changes)
            return len(changed)

    async def _follow(self) -> int:
        changed, gone = await asyncio.to_thread(self._changes)
        if gone:
            await asyncio.to_thread(self._forget, gone)
        for file in changed:
            try:
                text = await self._read(file)
            except (UnreadableError, OSError) as error:
                _log.info("%s is not searched: %s", file.path, error)
                await asyncio.to_thread(self._store, file, None, str(error))
            else:
                await asyncio.to_thread(self._store, file, text, None)
        return 0

    def _changes(self) -> tuple[list[_File], list[str]]:
        """The files that are new or changed, and the paths of those that are gone."""
        there = {file.path: file for file in _files(self._folder)}
        with self._opened() as index:
            rows = index.execute("SELECT path, modified_ns, size_bytes FROM documents").fetchall()
        known = {path: _File(path, modified, size) for path, modified, size in rows}
        changed = [file for path, file in sorted(there.items()) if known.get(path) != file]
        return changed, [path for path in known if path not in there]

    async def _read(self, file: _File) -> Readable:
        kind = KINDS[Path(file.path).suffix.lower()]
        data = await asyncio.to_thread(_bytes, self._folder / file.path)
        if kind == "text":
            return await asyncio.to_thread(readable.read, data, kind)
        return await self._extraction.read(data, kind)

    def _store(self, file: _File, text: Readable | None, failed: str | None) -> None:
        title = _title(file.path, text) if text else file.path
        with self._opened() as index, index:
            _remove(index, file.path)
            first = index.execute("SELECT coalesce(max(rowid), 0) + 1 FROM passages").fetchone()[0]
            passages = list(_passages(text.text)) if text else []
            rows = ((number, title, passage, file.path) for number, passage in enumerate(passages, first))
            index.executemany("INSERT INTO passages (rowid, title, text, path) VALUES (?, ?, ?, ?)", rows)
            about = (file.path, file.modified_ns, file.size_bytes, title, failed)
            index.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", (*about, first, first + len(passages) - 1)
            )

    def _forget(self, paths: Sequence[str]) -> None:
        with self._opened() as index, index:
            for path in paths:
                _remove(index, path)

    def _find(self, query: str, count: int) -> list[SearchResult]:
        words = " OR ".join(f'"{word}"' for word in dict.fromkeys(_WORD.findall(query)))
        if not words:
            return []
        found: dict[str, SearchResult] = {}
        with self._opened() as index:
            # several passages of one document may be among the best
            rows = index.execute(_FIND, (*_MARK, SNIPPET_WORDS, words, count * 8))
            for path, snippet, _ in rows:
                if path not in found and len(found) < count:
                    found[path] = self._result(index, path, snippet)
        return list(found.values())

    def _result(self, index: sqlite3.Connection, path: str, snippet: str) -> SearchResult:
        row = index.execute("SELECT title, modified_ns FROM documents WHERE path = ?", (path,)).fetchone()
        title, modified_ns = row if row else (path, 0)
        # what looks like an entity in a document is one for the reader of web snippets only
        text = html.escape(snippet.translate({ord(mark): None for mark in _MARK}), quote=False)
        return SearchResult(
            title=title,
            url=(self._folder / path).as_uri(),
            snippet=plain(text, 1_000),
            date=datetime.fromtimestamp(modified_ns / 1e9, UTC).date().isoformat(),
            source=self.name,
        )

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection, None, None]:
        self._index.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._index, timeout=LOCK_WAIT.total_seconds())) as index:
            if not _is_made(index):
                # SQLite refuses to change how a journal is kept while another is at it, and does not wait
                with _one_at_a_time(self._index.with_suffix(".lock")):
                    if not _is_made(index):
                        index.execute("PRAGMA journal_mode = WAL")
                        index.executescript(_SCHEMA)
            yield index


def _is_made(index: sqlite3.Connection) -> bool:
    return index.execute("PRAGMA user_version").fetchone() == (_VERSION,)


@contextmanager
def _one_at_a_time(lock: Path) -> Generator[None, None, None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove(index: sqlite3.Connection, path: str) -> None:
    # first, as it keeps other workers out; by numbers, as looking for passages by their path means to read all there are
    places = index.execute("DELETE FROM documents WHERE path = ? RETURNING first, last", (path,)).fetchall()
    for place in places:
        index.execute("DELETE FROM passages WHERE rowid BETWEEN ? AND ?", place)


def _noticed(update: asyncio.Task[int]) -> None:
    """Nobody may wait any more for an update that fails."""
    if not update.cancelled() and (error := update.exception()) is not None:
        _log.warning("documents could not be read into their index: %s", error)


def _files(folder: Path) -> Iterator[_File]:
    """The files that can be searched.

    Raises:
        OSError: the folder is not there; a folder inside it that cannot be read is left out.
    """
    os.listdir(folder)
    count = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if not _is_text(path):
                _log.info("%r is not searched: its name is no UTF-8", str(path))
                continue
            if name.startswith(".") or path.suffix.lower() not in KINDS or path.is_symlink():
                continue
            try:
                about = path.stat()
            except OSError:
                continue
            count += 1
            if count > MAX_FILES:
                _log.warning("only the first %d files of %s are searched", MAX_FILES, folder)
                return
            if about.st_size <= MAX_FILE_BYTES:
                modified_ns = max(-_LATEST_NS, min(about.st_mtime_ns, _LATEST_NS))
                yield _File(str(path.relative_to(folder)), modified_ns, about.st_size)


def _inside(folder: Path, url: str) -> str:
    """The path in the folder that a file URL names.

    Raises:
        FileNotFoundError: it names nothing that is searched: links lead nowhere, hidden files are not there.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FileNotFoundError(url) from error
    path = Path(url2pathname(parts.path))
    if "\0" in str(path):
        raise FileNotFoundError(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.is_relative_to(folder):
        raise FileNotFoundError(url)
    inner = path.relative_to(folder)
    is_hidden = any(part.startswith(".") for part in inner.parts)
    is_searched = not is_hidden and inner.suffix.lower() in KINDS and path.resolve() == folder.resolve() / inner
    if not is_searched or not path.is_file():
        raise FileNotFoundError(url)
    return str(inner)


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _bytes(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return file.read(MAX_FILE_BYTES)


def _title(path: str, text: Readable) -> str:
    heading = _TITLE.search(text.text, 0, 4_000) if path.lower().endswith((".md", ".markdown")) else None
    return plain(text.title or (heading[1] if heading else "") or Path(path).stem, 200)


def _passages(text: str) -> Iterator[str]:
    """The text in parts that end where a paragraph, a line or at least a word does."""
    start = 0
    while start < len(text):
        end = min(start + PASSAGE_CHARS, len(text))
        if end < len(text):
            breaks = (text.rfind(mark, start + PASSAGE_CHARS // 2, end) for mark in ("\n\n", "\n", " "))
            end = next((place for place in breaks if place > 0), end)
        passage = text[start:end].strip()
        if passage:
            yield passage
        start = end
