"""Bytes of any page become text or a reason in bounded time and memory, and never harm the worker."""

import asyncio
import io
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from theseus.activities.tools import readable
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.readable import MAX_TEXT_CHARS, UnreadableError


def pdf(*pages: str, title: str = "", password: str = "") -> bytes:
    """A PDF with one line of text a page."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(300, 300)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})  # pyright: ignore[reportPrivateUsage]
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(stream)  # pyright: ignore[reportPrivateUsage]
    if title:
        writer.add_metadata({"/Title": title})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_a_pdf_is_the_text_of_its_pages_and_its_title() -> None:
    found = await Extraction().read(pdf("The first plank", "The second plank", title="The ship's log"), "pdf")
    assert found.text.split("\n\n") == ["The first plank", "The second plank"]
    assert found.title == "The ship's log"


async def test_a_protected_and_an_empty_pdf_say_so() -> None:
    with pytest.raises(UnreadableError, match="protected"):
        await Extraction().read(pdf("secret", password="x"), "pdf")
    with pytest.raises(UnreadableError, match="has 1 pages but no text"):
        await Extraction().read(pdf(""), "pdf")


async def test_a_page_that_is_only_links_is_freed_of_its_tags() -> None:
    page = (
        "<body><ul>" + "".join(f"<li><a href='/{n}'>Chapter {n}</a></li>" for n in range(100)) + "</ul><style>x</style>"
    )
    found = await Extraction().read(page.encode(), "html")
    assert "Chapter 0" in found.text
    assert "Chapter 99" in found.text
    assert "<" not in found.text


async def test_text_beyond_the_cap_is_left_out_and_said() -> None:
    found = readable.read(b"a" * (MAX_TEXT_CHARS + 5), "text")
    assert len(found.text) == MAX_TEXT_CHARS
    assert found.left_out == f"the text ends after {MAX_TEXT_CHARS} of {MAX_TEXT_CHARS + 5} characters"


def test_a_pdf_whose_last_page_is_cut_says_so() -> None:
    found = readable.read(pdf("word " * (MAX_TEXT_CHARS // 5) + "end"), "pdf")
    assert len(found.text) == MAX_TEXT_CHARS
    assert found.left_out.startswith(f"the text ends after {MAX_TEXT_CHARS} of ")


async def test_a_page_that_is_too_hard_is_given_up_in_time_and_its_reader_is_gone() -> None:
    hard = b"<html><body>" + b"<p>words <b>and</b> more words</p>" * 60_000
    began = time.monotonic()
    with pytest.raises(UnreadableError, match=r"too hard to read: 0\.3 s were not enough"):
        await Extraction(timedelta(seconds=0.3)).read(hard, "html")
    assert time.monotonic() - began < 3


async def test_a_page_too_large_to_search_for_its_main_text_still_gives_its_text() -> None:
    large = b"<html><title>Large</title><body>" + b"<p>words <b>and</b> more words</p>\n" * 100_000
    began = time.monotonic()
    found = await Extraction().read(large, "html")
    assert found.text.startswith("words and more words\n")
    assert found.title == "Large"
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "data",
    [
        b"<div>" * 20_000 + b"deep",
        b"<" * 200_000,
        b"<!--" * 5_000,
        b"<title>" * 5_000,
        b"<meta charset" * 2_000,
        b"&amp" * 100_000,
        b"\xff\xfe" + b"\0" * 100_000,
        b"<a href='" + b"x" * 500_000,
    ],
    ids=["deep", "open", "comments", "titles", "metas", "entities", "zeros", "attribute"],
)
async def test_hostile_html_gives_text_or_a_reason(data: bytes) -> None:
    began = time.monotonic()
    try:
        assert (await Extraction().read(data, "html")).text
    except UnreadableError as error:
        assert str(error)
    assert time.monotonic() - began < 25


async def test_a_page_that_would_take_for_ever_gives_the_text_that_was_read_until_then() -> None:
    page = b"<body><p>the beginning</p>" + b"<!-- " * 200_000
    began = time.monotonic()
    found = await Extraction().read(page, "html")
    assert found.text.startswith("the beginning")
    assert "may end early" in found.left_out
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("damage", range(6))
async def test_a_damaged_pdf_gives_text_or_a_reason(damage: int) -> None:
    data = bytearray(pdf("The first plank", "The second plank"))
    data[damage * len(data) // 6 : damage * len(data) // 6 + 40] = b"9" * 40
    try:
        assert isinstance((await Extraction().read(bytes(data), "pdf")).text, str)
    except UnreadableError as error:
        assert "reader died" not in str(error)


async def test_a_reader_that_is_cancelled_leaves_no_process() -> None:
    extraction = Extraction()
    hard = b"<html><body>" + b"<p>words <b>and</b> more words</p>" * 60_000
    reading = asyncio.create_task(extraction.read(hard, "html"))
    await asyncio.sleep(0.3)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await extraction.read(b"<p>next</p>", "html")).text == "next"


async def test_the_reader_sees_no_key_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    # the reader is a program of its own: what it is started with is all that a taken-over parser could see
    started: list[dict[str, str]] = []
    create = asyncio.create_subprocess_exec

    async def watched(*args: str, env: dict[str, str], **rest: Any) -> asyncio.subprocess.Process:
        started.append(env)
        return await create(*args, env=env, **rest)

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    assert (await Extraction().read(b"<p>text</p>", "html")).text == "text"
    assert [set(env) for env in started] == [{"PYTHONPATH", "PYTHONUTF8"}]


@given(
    st.binary(max_size=300),
    st.sampled_from([None, "utf-8", "utf-16", "cp1252", "shift_jis", "idna", "hex", "rot13", "x y"]),
)
def test_any_bytes_are_decoded_to_text_that_can_be_kept(data: bytes, charset: str | None) -> None:
    text = readable.decode(data, charset)
    assert text.encode().decode() == text


@pytest.mark.parametrize("charset", ["punycode", "UTF7", "unicode-escape", "raw_unicode_escape", "idna", "undefined"])
@pytest.mark.parametrize("said_by", ["the server", "the page"])
def test_a_charset_that_the_web_does_not_have_neither_takes_for_ever_nor_breaks_text(
    charset: str, said_by: str
) -> None:
    hostile = b"+2AA- \\ud800 xn--" + b"a9" * 250_000
    told = charset if said_by == "the server" else None
    began = time.monotonic()
    text = readable.decode(f"<meta charset={charset}>".encode() + hostile, told)
    assert time.monotonic() - began < 2
    assert text.endswith(hostile.decode())


@given(st.text(max_size=200))
def test_utf_8_is_read_as_it_was_written(text: str) -> None:
    data = text.encode()
    if not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        assert readable.decode(data, "UTF-8") == text
