"""Bytes of a web page to text that a model can read: HTML, PDF and plain text in any charset.

Parsers of foreign bytes crash, hang and swell, so this file is also a program of its own (`extraction.py` starts it): it
reads one JSON line and then the bytes, writes one JSON line, and can be killed. It imports nothing of ours for that.
"""

import codecs
import html
import io
import json
import logging
import re
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pypdf import PdfReader

Kind = Literal["html", "pdf", "text"]

MAX_TEXT_CHARS = 2_000_000
"""Text beyond this is left out."""
MAX_PDF_PAGES = 500
MAX_RICH_HTML_CHARS = 3_000_000
"""Larger HTML is only freed of its tags: finding the main text takes too long."""
RICH_HTML_SECONDS = 6.0
"""HTML whose main text is not found by then is only freed of its tags."""
PLAIN_HTML_SECONDS = 6.0
"""HTML that is not freed of its tags by then ends there."""
SHORT_CHARS = 250
"""A main text shorter than this is doubted."""
PIECE_CHARS = 1 << 16
MEMORY_BYTES = 1 << 30
"""So much memory the program may use."""

_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9_.:-]{1,40})["']""")
_DATED_CHARS = 200_000
_DAY = r"(?P<day>\d{4}-\d{2}-\d{2})"
_DATES = (
    re.compile(
        rf"<meta[^>]{{0,200}}(?:article:published_time|datePublished|dc\.date)[^>]{{0,200}}content=[\"']{_DAY}", re.I
    ),
    re.compile(rf"\"datePublished\"\s*:\s*\"{_DAY}", re.I),
    re.compile(rf"<time[^>]{{0,200}}datetime=[\"']{_DAY}", re.I),
)
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head", "title"})
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
_NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"})
"""Python knows them as such, the web does not: some take for ever, some make text that cannot be kept."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableError(Exception):
    """The bytes hold no text that can be read; the message says why."""


@dataclass(frozen=True)
class Readable:
    """What can be read of a page. `left_out` says in words what is missing, `published` its day where the page names one."""

    text: str
    title: str = ""
    left_out: str = ""
    published: str = ""


def read(data: bytes, kind: Kind, charset: str | None = None, url: str | None = None) -> Readable:
    """The text of a page.

    Args:
        data: the page's bytes, whole but for plain text and HTML, which may be cut.
        kind: what the bytes are.
        charset: what the server says of them, if it does.
        url: where the page is, so that its links can be made whole.

    Raises:
        UnreadableError: there is no text in it, or it is broken or protected.
    """
    if kind == "pdf":
        return _pdf(data)
    text = decode(data, charset)
    made = replace(_html(text, url), published=_published(text)) if kind == "html" else Readable(text.strip())
    if not made.text:
        raise UnreadableError("the page has no text: it may be made by scripts that only a browser runs")
    if len(made.text) <= MAX_TEXT_CHARS:
        return made
    left_out = f"the text ends after {MAX_TEXT_CHARS} of {len(made.text)} characters"
    return Readable(made.text[:MAX_TEXT_CHARS], made.title, left_out, made.published)


def _published(text: str) -> str:
    """The day on which a page says that it was published; empty where it does not say."""
    head = text[:_DATED_CHARS]
    found = next((match for pattern in _DATES if (match := pattern.search(head))), None)
    return found["day"] if found is not None else ""


def decode(data: bytes, charset: str | None = None) -> str:
    """Bytes as text: by byte order mark, what the server says, what the page says, as UTF-8, and at last as Windows-1252."""
    for name in _charsets(data, charset):
        try:
            if codecs.lookup(name).name.replace("-", "_") in _NO_CHARSETS:
                continue
            return data.decode(name, errors="replace" if name != "utf-8" else "strict")
        except (LookupError, UnicodeError):
            continue
    return data.decode("cp1252", errors="replace")


def _charsets(data: bytes, charset: str | None) -> Iterator[str]:
    for mark, name in _BOMS:
        if data.startswith(mark):
            yield name
    declared = (_META_CHARSET.search(data[:4096]), _XML_ENCODING.search(data[:200]))
    for name in (charset or "", *(found[1].decode("ascii") for found in declared if found)):
        # what calls itself latin-1 on the web is Windows-1252, and what calls itself UTF-8 may not be
        if name.lower() in ("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"):
            yield "cp1252"
        elif name:
            yield "utf-8" if name.lower() in ("utf8", "utf-8") else name
    yield "utf-8"


def _html(text: str, url: str | None) -> Readable:
    found = _TITLE.search(text, 0, 200_000)
    title = " ".join(html.unescape(found[1]).split()) if found else ""
    rich = _main_text(text, url) if len(text) <= MAX_RICH_HTML_CHARS else ""
    if len(rich) >= SHORT_CHARS:
        return Readable(rich, title)
    # of a page that is mostly links or a form, the main text is nothing or next to nothing
    plain, complete = _strip(text)
    if len(plain) <= 4 * len(rich):
        return Readable(rich, title)
    return Readable(plain, title, "" if complete else "the page is hard to read, so that its text may end early")


def _main_text(text: str, url: str | None) -> str:
    try:
        import trafilatura
    except ImportError:  # it comes with the extra `web`
        return ""
    try:
        with _alarm(RICH_HTML_SECONDS):
            found = trafilatura.extract(
                text, url=url, output_format="markdown", include_links=True, include_tables=True, include_comments=False
            )
    except _TooSlowError:
        return ""
    return (found or "").strip()


class _TooSlowError(BaseException):
    """Time is up. Not an Exception: the parser that it interrupts catches those."""


@contextmanager
def _alarm(seconds: float) -> Generator[None]:
    def ring(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Stripper(HTMLParser):
    """Keeps what is between tags, but for what is never shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag == "body":
            self._hidden.clear()
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _strip(page: str) -> tuple[str, bool]:
    """The text between the tags, and whether it was read to the end."""
    stripper = _Stripper()
    complete = True
    try:
        with _alarm(PLAIN_HTML_SECONDS):
            # in pieces, so that a part that takes for ever leaves the text of those before it
            for start in range(0, len(page), PIECE_CHARS):
                stripper.feed(page[start : start + PIECE_CHARS])
            stripper.close()
    except _TooSlowError:
        complete = False
    lines = (" ".join(line.split()) for line in "".join(stripper.parts).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip(), complete


def _pdf(data: bytes) -> Readable:
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, PyPdfError
    except ImportError as error:
        raise UnreadableError("PDF files cannot be read here: this worker runs without the extra `web`") from error
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("the PDF is protected by a password")
        title = reader.metadata.title if reader.metadata else None
        texts, total = _pages(reader), len(reader.pages)
    except DependencyError as error:
        raise UnreadableError(f"the PDF is protected in a way that cannot be read here ({error})") from error
    # a broken PDF shows itself as any of these, deep in the parser
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UnreadableError(f"the PDF is broken: {type(error).__name__}: {str(error)[:200]}") from error
    text = "\n\n".join(texts).strip()
    if not text:
        raise UnreadableError(f"the PDF has {total} pages but no text: they are pictures")
    left_out = f"the text ends after page {len(texts)} of {total}" if len(texts) < total else ""
    return Readable(text[:MAX_TEXT_CHARS], " ".join(str(title or "").split()), left_out)


def _pages(reader: "PdfReader") -> list[str]:
    texts: list[str] = []
    size = 0
    for page in reader.pages[:MAX_PDF_PAGES]:
        texts.append(page.extract_text())
        size += len(texts[-1])
        if size > MAX_TEXT_CHARS:
            break
    return texts


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # there is no such limit on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> int:
    """Reads what to do and the bytes from stdin, writes what it found to stdout; 0 also when there was nothing."""
    _limit_memory()
    logging.disable(logging.CRITICAL)
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        found = read(sys.stdin.buffer.read(), asked["kind"], asked["charset"], asked["url"])
        answer = {
            "text": found.text,
            "title": found.title[:500],
            "left_out": found.left_out,
            "published": found.published,
        }
    except UnreadableError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "reading the page took too much memory"}
    # a page may make lone surrogates, which no JSON reader takes
    sys.stdout.write(json.dumps({k: v.encode(errors="replace").decode() for k, v in answer.items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
