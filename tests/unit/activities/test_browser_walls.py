"""Whatever a page does, the browser connects to nothing that tools may not reach, and opens no file of the machine."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.responses import Response

from tests.support.browsing import Neighbour, Site, Surfer, neighbour, site
from theseus.activities.tools.egress import Egress

SECRET_FILE = "/etc/passwd"
INSIDE = "root:"


@pytest_asyncio.fixture(scope="module")
async def shop() -> AsyncGenerator[Site]:
    async with site() as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def other() -> AsyncGenerator[Neighbour]:
    async with neighbour() as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def surfer(shop: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Surfer]:
    """May reach the shop's port on loopback, and not the neighbour's."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return [{"shop.example": "127.0.0.1", "inside.example": "127.0.0.1"}.get(host, "192.168.0.1")]

    egress = Egress([f"127.0.0.1:{shop.port}"], resolve=resolve)
    async with Surfer(tmp_path_factory.mktemp("walls"), [], egress=egress) as made:
        yield made


ADDRESSES = {
    "loopback": "http://127.0.0.1:{port}/",
    "by name": "http://localhost:{port}/",
    "another loopback": "http://127.9.9.9:{port}/",
    "IPv6 loopback": "http://[::1]:{port}/",
    "IPv4 in IPv6": "http://[::ffff:127.0.0.1]:{port}/",
    "as a number": "http://2130706433:{port}/",
    "unspecified": "http://0.0.0.0:{port}/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "private": "http://10.0.0.1/",
    "a name that leads inside": "http://inside.example:{port}/",
    "TLS": "https://127.0.0.1:{port}/",
    "file": f"file://{SECRET_FILE}",
    "data": "data:text/html,<p>hello",
    "javascript": "javascript:document.title",
    "the browser's own": "chrome://version",
    "source": f"view-source:file://{SECRET_FILE}",
    "blob": "blob:null/1",
    "ftp": "ftp://127.0.0.1:{port}/",
    "with a password": "http://a:b@127.0.0.1:{port}/",
    "empty page": "about:blank",
}


@pytest.mark.parametrize("case", ADDRESSES)
async def test_an_address_that_may_not_be_opened_is_refused(
    case: str, shop: Site, other: Neighbour, surfer: Surfer
) -> None:
    outcome = await surfer("navigate", url=ADDRESSES[case].format(port=other.port))
    assert outcome.is_error and "was not opened: " in outcome.text
    assert not outcome.text.endswith("ERR_FAILED"), "it says why"
    assert other.heard == []


@pytest.mark.parametrize("case", ADDRESSES)
async def test_no_redirect_leads_there(case: str, shop: Site, other: Neighbour, surfer: Surfer) -> None:
    where = ADDRESSES[case].format(port=other.port)
    shop.pages["/away"] = Response(status_code=302, headers={"location": where})
    outcome = await surfer("navigate", task=f"redirect-{case}", url=f"{shop.url}/away")
    assert outcome.is_error and "was not opened: " in outcome.text
    assert other.heard == [] and INSIDE not in outcome.text


WAYS = {
    "script": "<script>location = WHERE</script>",
    "refresh": "<meta http-equiv=refresh content='0;url=ADDRESS'>",
    "link": "<a id=a href='ADDRESS'>Go</a><script>a.click()</script>",
    "frame": "<iframe src='ADDRESS'></iframe>",
    "form": "<form id=f action='ADDRESS' method=post></form><script>f.submit()</script>",
}
TRAPS = [
    (way, case) for way in WAYS for case in ("loopback", "metadata", "file", "data", "the browser's own", "source")
]


# a form that is sent nowhere leaves a page that never ends: two of these are enough
@pytest.mark.parametrize(("way", "case"), [trap for trap in TRAPS if trap[0] != "form"] + TRAPS[-6:-3:2])
async def test_no_page_leads_there(way: str, case: str, shop: Site, other: Neighbour, surfer: Surfer) -> None:
    where = ADDRESSES[case].format(port=other.port)
    shop.pages["/trap"] = f"<title>trap</title>{WAYS[way]}".replace("WHERE", repr(where)).replace("ADDRESS", where)
    # one agent in all: it goes on after each trap
    outcome = await surfer("navigate", task="trapped", url=f"{shop.url}/trap")
    later = await surfer("extract", task="trapped")
    assert other.heard == [] and INSIDE not in outcome.text + later.text
    assert "Chromium" not in later.text.replace("chromewebdata", ""), "no page of the browser's own"


async def test_a_click_that_leads_there_says_so(shop: Site, other: Neighbour, surfer: Surfer) -> None:
    shop.pages["/link"] = f"<a href='http://127.0.0.1:{other.port}/'>Inside</a>"
    await surfer.ok("navigate", url=f"{shop.url}/link")
    shown = await surfer.ok("click", name="Inside")
    assert "was refused: 127.0.0.1 is a loopback address" in shown
    assert "Inside" in await surfer.ok("navigate", url=f"{shop.url}/link"), "it goes on"
    assert other.heard == []


REACHING = """<title>start</title><script>
const tried = [], port = %d;
const attempt = (name, make) => tried.push(new Promise((done) => {
  try { Promise.resolve(make()).then(() => done(name + " ok"), () => done(name + " no")); } catch (error) { done(name + " no"); }
  setTimeout(() => done(name + " late"), 4000);
}));
const event = (target) => new Promise((ok, no) => { target.onopen = target.onload = ok; target.onerror = target.onclose = no; });
for (const host of ["127.0.0.1", "localhost", "[::1]", "inside.example"]) {
  const at = `${host}:${port}`;
  attempt("fetch", () => fetch(`http://${at}/`, { mode: "no-cors" }));
  attempt("secure fetch", () => fetch(`https://${at}/`, { mode: "no-cors" }));
  attempt("request", () => { const x = new XMLHttpRequest(); x.open("POST", `http://${at}/`); x.send("x"); return event(x); });
  attempt("socket", () => event(new WebSocket(`ws://${at}/`)));
  attempt("secure socket", () => event(new WebSocket(`wss://${at}/`)));
  attempt("events", () => event(new EventSource(`http://${at}/`)));
  attempt("image", () => { const i = new Image(); i.src = `http://${at}/i.png`; return event(i); });
  attempt("script", () => { const s = document.createElement("script"); s.src = `http://${at}/s.js`; document.head.append(s); return event(s); });
  attempt("style", () => { const l = document.createElement("link"); l.rel = "stylesheet"; l.href = `http://${at}/s.css`; document.head.append(l); return event(l); });
  for (const rel of ["preconnect", "dns-prefetch", "prefetch", "preload", "prerender"])
    attempt(rel, () => { const l = document.createElement("link"); l.rel = rel; l.as = "image"; l.href = `http://${at}/`; document.head.append(l); return event(l); });
  attempt("beacon", () => { navigator.sendBeacon(`http://${at}/`, "x"); return Promise.reject(); });
  attempt("worker", () => { const w = new Worker(URL.createObjectURL(new Blob([`fetch("http://${at}/", {mode: "no-cors"}).then(() => postMessage(1))`])));
    return new Promise((ok) => { w.onmessage = ok; }); });
  attempt("transport", () => new WebTransport(`https://${at}/`).ready);
}
attempt("rtc", async () => {
  const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${port}` }, { urls: `turn:127.0.0.1:${port}?transport=tcp`, username: "a", credential: "b" }] });
  peer.createDataChannel("x");
  await peer.setLocalDescription(await peer.createOffer());
  await peer.addIceCandidate({ candidate: `candidate:1 1 udp 2113937151 127.0.0.1 ${port} typ host`, sdpMid: "0" }).catch(() => 0);
  return new Promise(() => 0);
});
navigator.serviceWorker?.register("/worker.js").catch(() => 0);
Promise.all(tried).then((all) => { document.body.textContent = "tried: " + [...new Set(all)].sort().join(", "); });
</script><body></body>"""


async def test_no_script_reaches_it_by_any_way_that_browsers_have(shop: Site, other: Neighbour, surfer: Surfer) -> None:
    shop.pages["/reach"] = REACHING % other.port
    await surfer.ok("navigate", url=f"{shop.url}/reach")
    shown = await surfer.ok("wait", text="tried:", seconds=10)
    assert "socket no" in shown and "fetch no" in shown
    assert " ok" not in shown
    await asyncio.sleep(0.5)
    assert other.heard == []


async def test_what_is_allowed_is_reached_by_name_frame_fetch_and_socket(shop: Site, surfer: Surfer) -> None:
    name = f"http://shop.example:{shop.port}"
    shop.pages["/uses"] = (
        f"<iframe src='{name}/about'></iframe><p id=out></p><script>"
        "fetch('/about').then((answer) => answer.text()).then((text) => { out.textContent = 'got ' + text.length })</script>"
    )
    assert "Title: About" in await surfer.ok("navigate", url=f"{name}/about")
    await surfer.ok("navigate", url=f"{shop.url}/uses")
    shown = await surfer.ok("wait", text="got", seconds=5)
    assert "Since 1912" in shown and f"got {len(str(shop.pages['/about']))}" in shown


async def test_a_websocket_to_an_allowed_place_works(shop: Site, tmp_path: Path) -> None:
    said: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
        writer.write(accept + b"\r\n\r\n\x81\x05hello")
        said.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    shop.pages["/socket"] = (
        f"<p id=out></p><script>const s = new WebSocket('ws://127.0.0.1:{port}/');"
        "s.onmessage = (event) => { out.textContent = 'heard ' + event.data; s.send('x') }</script>"
    )
    async with Surfer(tmp_path, [f"127.0.0.1:{shop.port}", f"127.0.0.1:{port}"]) as surfer:
        await surfer.ok("navigate", url=f"{shop.url}/socket")
        assert "heard hello" in await surfer.ok("wait", text="heard", seconds=5)
    server.close()


async def test_a_name_that_changes_its_address_is_not_followed(shop: Site, other: Neighbour, tmp_path: Path) -> None:
    answers = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal answers
        answers += 1
        # public when it is asked by the tool, the neighbour's when the browser connects
        return ["93.184.216.34"] if answers == 1 else ["127.0.0.1"]

    async with Surfer(tmp_path, [], egress=Egress([], resolve=resolve)) as surfer:
        outcome = await surfer("navigate", url=f"http://rebinds.example:{other.port}/")
    assert outcome.is_error and answers >= 2
    assert "leads to a loopback address" in outcome.text
    assert other.heard == []


async def test_a_page_gets_no_file_no_download_and_no_right(shop: Site, surfer: Surfer) -> None:
    shop.pages["/file"] = Response(
        b"x" * 1000, media_type="application/zip", headers={"content-disposition": "attachment; filename=big.zip"}
    )
    outcome = await surfer("navigate", url=f"{shop.url}/file")
    assert outcome.is_error and "it is a file and no page" in outcome.text
    shop.pages["/offer"] = f"""<a href=/file download>Take it</a><p id=out></p><script>
        fetch("file://{SECRET_FILE}").catch(() => out.append("no file;"));
        navigator.permissions.query({{name: "geolocation"}}).then((r) => out.append(r.state + ";"));
        navigator.clipboard?.readText().catch(() => out.append("no clipboard;"));
        window.open("/about") || out.append("no window;");</script>"""
    shown = await surfer.ok("navigate", url=f"{shop.url}/offer")
    assert "no file;" in shown and "no window;" in shown and "granted" not in shown
    assert "a download was refused: big.zip" in await surfer.ok("click", name="Take it")


async def test_tabs_are_few(shop: Site, surfer: Surfer) -> None:
    shop.pages["/tabs"] = "<button onclick=\"for (let i = 0; i < 9; i++) open('/about?' + i)\">Many</button>"
    await surfer.ok("navigate", task="tabs", url=f"{shop.url}/tabs")
    await surfer.ok("click", task="tabs", name="Many")
    steps = 0
    while not (await surfer("back", task="tabs")).is_error:
        steps += 1
        assert steps < 6
