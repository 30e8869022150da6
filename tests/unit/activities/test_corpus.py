"""A folder of documents is searched by its words, best first, as it is now: new, changed and removed files included."""

import asyncio
import os
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.documents import pdf
from theseus.activities.tools.corpus import Corpus
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.readable import Kind, Readable
from theseus.activities.tools.search_apis import SearchError
from theseus.activities.tools.web_search import Answered

PDF = pdf("The zeppelin landed in Lakehurst.")


class Library:
    """A corpus over a folder in a temporary place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "documents"
        self.folder.mkdir()
        self.corpus = self.opened()

    def opened(self) -> Corpus:
        return Corpus(self.folder, self.root / "data" / "corpus", Extraction())

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    async def names(self, query: str, count: int = 10) -> list[str]:
        found = await self.corpus.search(query, count)
        return [one.url.rpartition("/")[2] for one in found.results]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


async def test_text_markdown_html_and_pdf_are_found_by_what_they_say(library: Library) -> None:
    library.put("a.txt", "Gophers dig long tunnels under the prairie.")
    library.put("notes/b.md", "intro\n\n# On Otters\n\nOtters hold hands while they sleep.")
    library.put(
        "c.html",
        "<html><head><title>Bees &amp; wasps</title></head><body><p>Bees dance to tell where.</p></body></html>",
    )
    library.put("d.pdf", PDF)
    os.utime(library.folder / "a.txt", (1_777_636_800, 1_777_636_800))
    found = await library.corpus.search("tunnels", 5)
    assert [one.model_dump() for one in found.results] == [
        {
            "title": "a",
            "url": (library.folder / "a.txt").as_uri(),
            "snippet": "Gophers dig long tunnels under the prairie.",
            "date": "2026-05-01",
            "source": "corpus",
        }
    ]
    otters = (await library.corpus.search("otters", 5)).results
    assert [(one.title, one.url.endswith("/notes/b.md")) for one in otters] == [("On Otters", True)]
    assert [one.title for one in (await library.corpus.search("dance", 5)).results] == ["Bees & wasps"]
    assert await library.names("zeppelin") == ["d.pdf"]


async def test_the_best_document_comes_first_and_other_forms_of_a_word_count(library: Library) -> None:
    library.put("much.txt", "Rivers. A river floods; flooding rivers carve valleys. " * 3)
    library.put(
        "little.txt", "Of cities and streets and towers. " * 20 + "One river. " + "And of parks and squares. " * 20
    )
    library.put("none.txt", "Deserts are dry.")
    assert await library.names("river flood") == ["much.txt", "little.txt"]
    assert await library.names("river", count=1) == ["much.txt"]


async def test_changes_of_files_are_followed(library: Library) -> None:
    path = library.put("a.txt", "about falcons")
    assert await library.names("falcons") == ["a.txt"]
    path.write_text("about pelicans now")
    assert (await library.names("falcons"), await library.names("pelicans")) == ([], ["a.txt"])
    library.put("b.txt", "pelicans too")
    assert sorted(await library.names("pelicans")) == ["a.txt", "b.txt"]
    path.rename(library.folder / "c.txt")
    assert sorted(await library.names("pelicans")) == ["b.txt", "c.txt"]
    (library.folder / "b.txt").unlink()
    assert await library.names("pelicans") == ["c.txt"]


class Counting(Extraction):
    """Counts what it is given to read."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.read_files = 0
        self._seconds = seconds

    async def read(
        self, data: bytes, kind: Kind, charset: str | None = None, url: str | None = None, *, links: bool = False
    ) -> Readable:
        self.read_files += 1
        await asyncio.sleep(self._seconds)
        return Readable(f"number {self.read_files} of the pages")


async def test_files_are_read_once_also_by_a_worker_that_starts_later(library: Library) -> None:
    for name in ("a.html", "b.html"):
        library.put(name, "<p>x</p>")
    counting = Counting()
    for _ in range(2):
        corpus = Corpus(library.folder, library.root / "data" / "corpus", counting)
        for _ in range(2):
            assert len((await corpus.search("pages", 5)).results) == 2
    assert counting.read_files == 2


async def test_a_search_does_not_wait_for_all_files_and_says_what_is_missing(library: Library) -> None:
    for number in range(4):
        library.put(f"{number}.html", "<p>x</p>")
    corpus = Corpus(library.folder, library.root / "data", Counting(seconds=0.3), wait=timedelta(seconds=0.45))
    began = time.monotonic()
    first = await corpus.search("pages", 10)
    assert time.monotonic() - began < 1
    assert first.note is not None and first.note.endswith("files are not read yet.")
    assert len(first.results) < 4
    later = first
    while later.note is not None:
        later = await corpus.search("pages", 10)
    assert (len(later.results), later.note) == (4, None)


async def test_what_cannot_be_read_is_left_out_and_tried_again_when_it_changes(library: Library) -> None:
    library.put("good.txt", "about herons")
    broken = library.put("broken.pdf", b"%PDF-1.4 nothing more")
    assert await library.names("herons") == ["good.txt"]
    broken.write_bytes(PDF)
    assert await library.names("zeppelin") == ["broken.pdf"]


async def test_only_documents_of_the_folder_itself_are_read(library: Library) -> None:
    outside = library.root / "secret.txt"
    outside.write_text("a secret about walruses")
    (library.folder / "link.txt").symlink_to(outside)
    (library.root / "more").mkdir()
    (library.root / "more" / "b.txt").write_text("walruses")
    (library.folder / "folder").symlink_to(library.root / "more")
    library.put(".hidden/a.txt", "walruses")
    library.put(".env.txt", "walruses")
    library.put("program.py", "walruses = 1")
    os.mkfifo(library.folder / "pipe.fifo")
    assert await library.names("walruses") == []


@pytest.mark.parametrize(
    "query", ['"', "a AND", "NOT x", "x NEAR/3 (", "title:x", "*", "x' OR 1=1 --", "^x -y", "🦊", "x*y", "{a b}: c"]
)
async def test_a_query_is_words_only_whatever_the_index_would_make_of_it(library: Library, query: str) -> None:
    library.put("zzz.txt", "nothing of that kind")
    assert (await library.corpus.search(query, 5)).results == ()


async def test_accents_and_case_do_not_matter_and_angle_brackets_stay(library: Library) -> None:
    library.put("a.txt", "Die Brücke aus List<String> &amp; Stahl")
    (one,) = (await library.corpus.search("BRUCKE", 5)).results
    assert one.snippet == "Die Brücke aus List<String> &amp; Stahl"


async def test_a_long_document_is_one_result_with_the_passage_that_fits(library: Library) -> None:
    library.put("long.txt", "Of this and that. " * 5_000 + "The archive of Alexandria burned. " + "And so on. " * 5_000)
    found = (await library.corpus.search("Alexandria archive this that", 10)).results
    assert len(found) == 1
    assert "archive of Alexandria burned" in found[0].snippet
    assert len(found[0].snippet) <= 1_000


@pytest.mark.parametrize("seconds", [13_500_000_000, -2_000_000_000])
async def test_a_document_of_any_time_is_found(library: Library, seconds: int) -> None:
    os.utime(library.put("a.txt", "whale"), (seconds, seconds))
    assert await library.names("whale") == ["a.txt"]


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"caf\xe9/a.txt"])
async def test_a_name_that_is_no_text_is_left_out_and_hides_no_other(library: Library, name: bytes) -> None:
    library.put("good.txt", "whale")
    odd = os.path.join(os.fsencode(library.folder), name)
    os.makedirs(os.path.dirname(odd), exist_ok=True)
    Path(os.fsdecode(odd)).write_text("whale")
    assert await library.names("whale") == ["good.txt"]


async def test_what_a_change_costs_does_not_grow_with_the_documents(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1_000):
        library.put(f"{number}.txt", "lorem ipsum dolor sit amet\n" * 400)
    while (await library.corpus.search("whale", 1)).note:
        pass
    steps: list[int] = []
    connect = sqlite3.connect

    def counting(path: Path, timeout: float) -> sqlite3.Connection:
        index = connect(path, timeout)
        index.set_progress_handler(lambda: steps.append(1), 1_000)
        return index

    monkeypatch.setattr(sqlite3, "connect", counting)
    for number in range(20):
        library.put(f"{number}.txt", "A whale.")
    assert len(await library.names("whale", 20)) == 20
    assert len(steps) < 200
    monkeypatch.undo()
    assert len(await library.names("lorem", 1_000)) == 980


async def test_two_workers_may_share_an_index(library: Library) -> None:
    for number in range(30):
        library.put(f"{number}.txt", f"document {number} about storks")
    first, second = library.opened(), library.opened()
    found = await asyncio.gather(*(corpus.search("storks", 20) for corpus in (first, second, first, second)))
    assert [len(one.results) for one in found] == [20] * 4
    assert len((await library.corpus.search("document", 100)).results) == 30


async def test_workers_that_make_an_index_at_once_do_not_disturb_each_other(library: Library, tmp_path: Path) -> None:
    for number in range(150):
        at_once = threading.Barrier(6)

        def find(indexes: Path, at_once: threading.Barrier = at_once) -> Answered:
            corpus = Corpus(library.folder, indexes, Extraction())
            at_once.wait()
            return asyncio.run(corpus.search("storks", 1))

        places = [tmp_path / f"indexes-{number}"] * 6
        found = await asyncio.gather(*(asyncio.to_thread(find, place) for place in places))
        assert [len(one.results) for one in found] == [0] * 6


async def test_a_folder_that_is_not_there_is_a_failure_like_any_providers(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "none", tmp_path / "data", Extraction())
    with pytest.raises(SearchError, match="cannot be read"):
        await corpus.search("x", 5)
