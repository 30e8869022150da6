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
from urllib.parse import urldefrag, urljoin, urlsplit

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
MAX_LINKS = 2_000
MAX_LINK_CHARS = 2_000
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
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre",
    "section", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"})
"""Python knows them as such, the web does not: some take for ever, some make text that cannot be kept."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class UnreadableError(Exception):
    """The bytes hold no text that can be read; the message says why."""


@dataclass(frozen=True)
class Link:
    """An address on a page, and the words that it stands under."""

    url: str
    text: str


@dataclass(frozen=True)
class Readable:
    """What can be read of a page. `left_out` says in words what is missing, `published` its day where the page names one."""

    text: str
    title: str = ""
    left_out: str = ""
    published: str = ""
    links: tuple[Link, ...] = ()


def read(
    data: bytes, kind: Kind, charset: str | None = None, url: str | None = None, *, links: bool = False
) -> Readable:
    """The text of a page.

    Args:
        data: the page's bytes, whole but for plain text and HTML, which may be cut.
        kind: what the bytes are.
        charset: what the server says of them, if it does.
        url: where the page is, so that its links can be made whole.
        links: whether to give the links of HTML too, each once, in the page's order.

    Raises:
        UnreadableError: there is no text in it, or it is broken or protected.
    """
    if kind == "pdf":
        return _pdf(data)
    text = decode(data, charset)
    made = Readable(text.strip())
    if kind == "html":
        found = _links(text, url) if links and url else ()
        made = replace(_html(text, url), published=_published(text), links=found)
    if not made.text:
        raise UnreadableError("the page has no text: it may be made by scripts that only a browser runs")
    if len(made.text) <= MAX_TEXT_CHARS:
        return made
    left_out = f"the text ends after {MAX_TEXT_CHARS} of {len(made.text)} characters"
    return replace(made, text=made.text[:MAX_TEXT_CHARS], left_out=left_out)


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


class _Links(HTMLParser):
    """Keeps the web addresses that a page links to."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self._base = url
        self._url = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") or ""
        if tag == "base" and target:
            self._base = _joined(self._base, target) or self._base
        elif tag == "a":
            self._end()
            self._url = target

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end()

    def handle_data(self, data: str) -> None:
        if self._url:
            self._words.append(data)

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        url, words = _joined(self._base, self._url) if self._url else "", self._words
        self._url, self._words = "", []
        if url and len(self.found) < MAX_LINKS:
            self.found.setdefault(url, " ".join("".join(words).split())[:200])


def _links(page: str, url: str) -> tuple[Link, ...]:
    parser = _Links(url)
    _fed(parser, page)
    return tuple(Link(url, text) for url, text in parser.found.items())


def _joined(base: str, target: str) -> str:
    """A whole web address, without the place on its page; empty where it is none."""
    try:
        whole = urldefrag(urljoin(base, target.strip())).url
        parts = urlsplit(whole)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return whole if is_web and len(whole) <= MAX_LINK_CHARS else ""


def _fed(parser: HTMLParser, page: str) -> bool:
    """Gives a page to a parser; whether it came to the end."""
    try:
        with _alarm(PLAIN_HTML_SECONDS):
            # in pieces, so that a part that takes for ever leaves what those before it had
            for start in range(0, len(page), PIECE_CHARS):
                parser.feed(page[start : start + PIECE_CHARS])
            parser.close()
    except _TooSlowError:
        return False
    return True


def _strip(page: str) -> tuple[str, bool]:
    """The text between the tags, and whether it was read to the end."""
    stripper = _Stripper()
    complete = _fed(stripper, page)
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
    if not left_out and len(text) > MAX_TEXT_CHARS:
        left_out = f"the text ends after {MAX_TEXT_CHARS} of {len(text)} characters"
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
        given = (asked["kind"], asked["charset"], asked["url"])
        found = read(sys.stdin.buffer.read(), *given, links=asked["links"])
        answer: dict[str, str | list[dict[str, str]]] = {
            "text": _sound(found.text),
            "title": _sound(found.title[:500]),
            "left_out": found.left_out,
            "published": found.published,
            "links": [{"url": _sound(link.url), "text": _sound(link.text)} for link in found.links],
        }
    except UnreadableError as error:
        answer = {"error": _sound(str(error))}
    except MemoryError:
        answer = {"error": "reading the page took too much memory"}
    sys.stdout.write(json.dumps(answer))
    return 0


def _sound(text: str) -> str:
    """The text without lone surrogates, which a page may make, and no JSON reader takes."""
    return text.encode(errors="replace").decode()


if __name__ == "__main__":
    raise SystemExit(main())
