"""web_fetch gives a page's text or says why not, within its caps, whatever the server at the other end does."""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from theseus.activities.tools.egress import Egress
from theseus.activities.tools.evidence import Notes
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.activities.tools.web_fetch import DATA_NOTE, MAX_REDIRECTS, Fetcher, Pages, web_tools
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.stores.memory import MemoryEvidence

CONTEXT = ToolContext(SessionKey(session_id="s"), "task-1", "task-1:1:c")
CAP = 200_000

Send = Callable[[bytes], Awaitable[None]]
Answer = Callable[[str, Send], Awaitable[None]]


@asynccontextmanager
async def site(answer: Answer) -> AsyncGenerator[tuple[str, list[str]]]:
    """A server on this machine whose every answer is written byte by byte by `answer`; gives its address and what it got."""
    seen: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            seen.append(head)
            await answer(head.split(" ")[1], send)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


def whole(
    body: bytes, content_type: str = "text/html; charset=utf-8", status: str = "200 OK", extra: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"{head}{extra}\r\n".encode("latin-1") + body


def always(data: bytes) -> Answer:
    async def answer(path: str, send: Send) -> None:
        await send(data)

    return answer


async def fetch(url: str, allow: str = "127.0.0.1", limit: float = 10) -> Outcome:
    fetcher = Fetcher(Egress([allow] if allow else []), CAP, timedelta(seconds=limit))
    registry = Registry(web_tools(Pages(fetcher, Extraction()), Notes(MemoryEvidence())))
    call = ToolCall(id="c", name="web_fetch", arguments=json.dumps({"url": url}))
    return await registry.run(call, CONTEXT)


ARTICLE = (
    "<html><head><title>Ships &amp; planks</title><script>var hidden = 1</script></head><body><nav>menu</nav><article>"
    + "".join(f"<p>Plank number {n} was replaced, and the <a href='/log/{n}'>log</a> says so.</p>" for n in range(12))
    + "</article></body></html>"
)


async def test_a_page_is_its_address_its_title_and_its_text_under_a_line_that_calls_it_data() -> None:
    async with site(always(whole(ARTICLE.encode()))) as (at, seen):
        outcome = await fetch(f"{at}/ship")
    assert not outcome.is_error
    lines = outcome.text.split("\n")
    assert lines[:3] == [DATA_NOTE, f"URL: {at}/ship", "Title: Ships & planks"]
    assert f"Plank number 11 was replaced, and the [log]({at}/log/11) says so." in outcome.text
    assert "hidden" not in outcome.text
    assert "host: 127.0.0.1:" in seen[0].lower()


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain; charset=iso-8859-1", "Größe".encode("latin-1"), "Größe"),
        ("text/plain", "Größe".encode(), "Größe"),
        ("text/plain; charset=nonsense", "Größe".encode(), "Größe"),
        ("text/plain; charset=zlib", "Größe".encode(), "Größe"),
        ("application/json", b'{"a": [1, 2]}', '{"a": [1, 2]}'),
        (
            "application/rss+xml",
            "<?xml version='1.0' encoding='windows-1251'?><t>Корабль</t>".encode("cp1251"),
            "Корабль",
        ),
        ("text/html", "<meta charset=shift_jis><p>船の板</p>".encode("shift_jis"), "船の板"),
        ("", b"<!doctype html><p>no type was named</p>", "no type was named"),
        ("", b"plain and untyped", "plain and untyped"),
    ],
)
async def test_text_of_any_charset_and_kind_is_read(content_type: str, body: bytes, expected: str) -> None:
    async with site(always(whole(body, content_type))) as (at, _):
        outcome = await fetch(at)
    assert not outcome.is_error, outcome.text
    assert expected in outcome.text


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (whole(b"", "image/png"), "leads to image/png, which cannot be read"),
        (whole(b"\0\1\2", "application/octet-stream"), "application/octet-stream, which cannot be read"),
        (whole(b"GIF89a\0\0", ""), "is no text and no PDF"),
        (whole(b"gone", status="404 Not Found"), "answered with status 404 Not Found"),
        (whole(b"", status="429 Too Many Requests", extra="Retry-After: 7\r\n"), "it asks to wait 7"),
        (whole(b"x", extra="Content-Encoding: br\r\n"), "came in the encoding 'br'"),
        (whole(b"x", extra="Content-Encoding: gzip, gzip\r\n"), "came in the encoding 'gzip, gzip'"),
        (whole(b"no gzip at all", extra="Content-Encoding: gzip\r\n"), "could not be read: DecodingError"),
        (whole(b"<html><script>draw()</script></html>"), "the page has no text"),
        (whole(b"%PDF-1.7 nothing", "application/pdf"), "the PDF is broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nContent-Type: text/plain\r\n\r\ncut", "could not be read"),
        (b"SSH-2.0-OpenSSH\r\n", "could not be read"),
        (b"", "could not be read"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000, "could not be read"),
        (whole(b"", status="302 Found", extra="Location: ftp://1.1.1.1/\r\n"), "only addresses that begin with http"),
        (whole(b"", status="302 Found", extra="Location: http://[::1]/x\r\n"), "::1 is a loopback address"),
        (whole(b"", status="307 x", extra="Location: http://169.254.169.254/latest/\r\n"), "a link-local address"),
        (whole(b"", status="302 Found", extra="Location: http://u:p@127.0.0.1/\r\n"), "user name or password"),
        (whole(b"", status="302 Found", extra="Location: http://[bad/\r\n"), ""),
        (whole(b"", status="302 Found"), "answered with status 302"),
    ],
)
async def test_what_cannot_be_had_says_why(answer: bytes, told: str) -> None:
    async with site(always(answer)) as (at, _):
        outcome = await fetch(at)
    assert outcome.is_error
    assert told in outcome.text
    assert "failed unexpectedly" not in outcome.text


async def test_nobody_there_is_said() -> None:
    async with site(always(b"")) as (at, _):
        pass
    outcome = await fetch(at)
    assert outcome.is_error
    assert "could not be read: ConnectError" in outcome.text


async def test_without_the_allow_list_this_machine_is_never_asked() -> None:
    async with site(always(whole(b"secret", "text/plain"))) as (at, seen):
        for url in (at, at.replace("127.0.0.1", "localhost"), at.replace("127.0.0.1", "0x7f000001")):
            outcome = await fetch(url, allow="")
            assert "a loopback address" in outcome.text
    assert seen == []


async def test_a_redirect_to_a_private_address_is_refused_before_anyone_is_asked() -> None:
    async with site(always(whole(b"secret", "text/plain"))) as (inner, asked):
        redirect = whole(b"", status="302 Found", extra=f"Location: {inner}/admin\r\n")
        async with site(always(redirect)) as (outer, seen):
            outcome = await fetch(outer, allow=outer.removeprefix("http://"))
    assert outcome.is_error
    assert "a loopback address" in outcome.text
    assert (len(seen), asked) == (1, [])


async def test_redirects_are_followed_so_far_and_no_further() -> None:
    async def answer(path: str, send: Send) -> None:
        left = int(path.removeprefix("/"))
        extra = f"Location: /{left - 1}\r\n"
        await send(whole(b"here", "text/plain") if left == 0 else whole(b"", status="301 Moved", extra=extra))

    async with site(answer) as (at, seen):
        outcome = await fetch(f"{at}/{MAX_REDIRECTS}")
        assert outcome.text == f"{DATA_NOTE}\nURL: {at}/0\n\nhere"
        seen.clear()
        outcome = await fetch(f"{at}/{MAX_REDIRECTS + 10}")
        assert outcome.is_error
        assert f"redirects more than {MAX_REDIRECTS} times" in outcome.text
        assert len(seen) == MAX_REDIRECTS + 1


def endless(head: str, piece: bytes) -> tuple[Answer, list[int]]:
    sent = [0]

    async def answer(path: str, send: Send) -> None:
        await send(f"HTTP/1.1 {head}\r\n\r\n".encode())
        while True:
            await send(piece)
            sent[0] += len(piece)

    return answer, sent


async def test_an_endless_page_is_read_up_to_the_cap_and_says_so() -> None:
    answer, sent = endless("200 OK\r\nContent-Type: text/plain", b"over and over\n" * 1000)
    async with site(answer) as (at, _):
        outcome = await fetch(at)
    assert f"Left out: all after the first {CAP} bytes of the page" in outcome.text
    assert CAP - 1000 < len(outcome.text) < CAP + 1000
    assert sent[0] < 20_000_000


async def test_the_endless_body_of_a_redirect_is_not_read() -> None:
    answer, sent = endless("302 Found\r\nLocation: http://10.0.0.1/", b"x" * 10_000)
    async with site(answer) as (at, _):
        outcome = await fetch(at)
    assert "10.0.0.1 is a private address" in outcome.text
    assert sent[0] < 20_000_000


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)])
async def test_compressed_pages_are_read(coding: str, pack: Callable[[bytes], bytes]) -> None:
    page = whole(pack(b"planks" * 100), "text/plain", extra=f"Content-Encoding: {coding}\r\n")
    async with site(always(page)) as (at, _):
        outcome = await fetch(at)
    assert outcome.text.endswith("planks" * 100)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_decompression_bomb_is_cut_at_the_cap(coding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"\n" * 1000 + b"a" * 200_000_000)
    async with site(always(whole(bomb, "text/plain", extra=f"Content-Encoding: {coding}\r\n"))) as (at, _):
        began = time.monotonic()
        outcome = await fetch(at)
    assert f"Left out: all after the first {CAP} bytes" in outcome.text
    assert len(outcome.text) < CAP + 1000
    assert time.monotonic() - began < 2


async def test_a_pdf_above_the_cap_is_refused_because_it_cannot_be_read_in_part() -> None:
    async with site(always(whole(b"%PDF-1.7" + b"x" * CAP, "application/pdf"))) as (at, _):
        outcome = await fetch(at)
    assert f"is a PDF larger than {CAP} bytes" in outcome.text


async def test_a_server_that_drips_is_left_after_the_limit() -> None:
    async def drip(path: str, send: Send) -> None:
        await send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            await send(b".")
            await asyncio.sleep(0.02)

    async with site(drip) as (at, _):
        began = time.monotonic()
        outcome = await fetch(at, limit=0.4)
    assert outcome.is_error
    assert outcome.text == f"{at} took longer than 0.4 s"
    assert time.monotonic() - began < 2


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site(always(whole(b"from the proxy", "text/plain"))) as (proxy, asked):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        async with site(always(whole(b"from the page", "text/plain"))) as (at, _):
            outcome = await fetch(at)
    assert outcome.text.endswith("from the page")
    assert asked == []
