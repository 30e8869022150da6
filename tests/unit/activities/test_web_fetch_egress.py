"""No request of a tool reaches an address that is not public, whatever a name, a redirect or a resolver says."""

import asyncio
import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.activities.tools.egress import Egress, EgressRefused, refusal

PRIVATE_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
PRIVATE_V6 = [
    "::/127",
    "100::/64",
    "64:ff9b:1::/48",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


def _within(networks: Sequence[str]) -> st.SearchStrategy[str]:
    parsed = [ipaddress.ip_network(network) for network in networks]
    return st.sampled_from(parsed).flatmap(
        lambda n: st.integers(int(n.network_address), int(n.broadcast_address)).map(
            lambda i: str(ipaddress.IPv4Address(i) if n.version == 4 else ipaddress.IPv6Address(i))
        )
    )


private_v4 = _within(PRIVATE_V4)
private_v6 = _within(PRIVATE_V6)
public_v4 = (
    st.ip_addresses(v=4)
    .map(str)
    .filter(lambda a: not any(ipaddress.ip_address(a) in ipaddress.ip_network(n) for n in PRIVATE_V4))
)


def _v4_forms(text: str) -> list[str]:
    number = int(ipaddress.IPv4Address(text))
    a, b, c, d = (int(part) for part in text.split("."))
    return [
        text,
        f"{text}.",
        str(number),
        hex(number),
        f"0X{number:08X}",
        f"0{number:o}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{a}.{b}.{(c << 8) + d}",
        f"00{a:o}.{b}.{c}.{hex(d)}",
        text.replace(".", "\u3002"),
    ]


def _v6_around(text: str) -> list[str]:
    number = int(ipaddress.IPv4Address(text))
    return [
        f"::ffff:{text}",
        f"::{text}",
        f"64:ff9b::{text}",
        str(ipaddress.IPv6Address((0x2002 << 112) + (number << 80) + 1)),
        str(ipaddress.IPv6Address((0x20010000 << 96) + (0x08080808 << 64) + (number ^ 0xFFFFFFFF))),
        str(ipaddress.IPv6Address((0x20010000 << 96) + (number << 64) + (0x08080808 ^ 0xFFFFFFFF))),
        str(ipaddress.IPv6Address((0x26000000 << 96) + (0x5EFE << 32) + number)),
    ]


def _answers(*addresses: str) -> Callable[[str, int], "asyncio.Future[Sequence[str]]"]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return lambda host, port: asyncio.ensure_future(resolve(host, port))


def _check(url: str, egress: Egress | None = None) -> str:
    checked = asyncio.run((egress or Egress()).check(url))
    return ",".join(map(str, checked.addresses))


def _refused(url: str, egress: Egress | None = None) -> str:
    with pytest.raises(EgressRefused) as caught:
        _check(url, egress)
    return caught.value.reason


@given(private_v4, st.data(), st.sampled_from(["http", "https"]))
def test_a_private_ipv4_address_is_refused_in_every_notation(address: str, data: st.DataObject, scheme: str) -> None:
    host = data.draw(st.sampled_from(_v4_forms(address)))
    _refused(f"{scheme}://{host}:8080/x")


@given(private_v6 | private_v4.flatmap(lambda a: st.sampled_from(_v6_around(a))))
def test_a_private_ipv6_address_and_every_wrapping_of_a_private_ipv4_address_is_refused(address: str) -> None:
    _refused(f"http://[{address}]/")
    _refused(f"http://[{ipaddress.IPv6Address(address).exploded}]/")
    _refused("http://name.example/", Egress(resolve=_answers(address)))


@given(public_v4)
def test_a_public_ipv4_address_is_let_through_as_itself_and_mapped(address: str) -> None:
    assert _check(f"http://{address}/") == address
    assert refusal(ipaddress.ip_address(f"::ffff:{address}")) is None
    assert refusal(ipaddress.ip_address(f"64:ff9b::{address}")) is None


@given(st.lists(public_v4, max_size=4), private_v4 | private_v6)
def test_one_private_address_among_public_ones_refuses_the_name(public: list[str], private: str) -> None:
    addresses = [*public[: len(public) // 2], private, *public[len(public) // 2 :]]
    reason = _refused("https://name.example/", Egress(resolve=_answers(*addresses)))
    assert "name.example leads to" in reason
    assert private not in reason.replace("name.example", ""), "a refusal does not map out the inner network"


_outside_global_unicast = st.tuples(st.sampled_from([0, *range(2, 8)]), st.integers(1 << 100, (1 << 125) - 1)).map(
    lambda drawn: ipaddress.IPv6Address((drawn[0] << 125) + drawn[1])
)


@given(_outside_global_unicast.filter(lambda address: address not in ipaddress.ip_network("64:ff9b::/96")))
def test_no_ipv6_address_outside_global_unicast_is_public(address: ipaddress.IPv6Address) -> None:
    assert refusal(address)


@given(_within(PRIVATE_V6[1:]), public_v4, st.sampled_from([0x5EFE, 0x02005EFE]))
def test_a_public_ipv4_address_inside_a_private_ipv6_address_opens_nothing(outer: str, inner: str, isatap: int) -> None:
    network = int(ipaddress.IPv6Address(outer)) >> 64 << 64
    assert refusal(ipaddress.IPv6Address(network + (isatap << 32) + int(ipaddress.IPv4Address(inner))))
    assert refusal(ipaddress.IPv6Address(f"::{inner}"))


@given(public_v4)
def test_a_tunnel_is_open_when_both_its_ends_are_public(inner: str) -> None:
    number = int(ipaddress.IPv4Address(inner))
    assert refusal(ipaddress.IPv6Address((0x2002 << 112) + (number << 80) + 1)) is None
    assert refusal(ipaddress.IPv6Address((0x26000000 << 96) + (0x5EFE << 32) + number)) is None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "fe80::1%2", "::", "::1"]
)
def test_metadata_services_and_links_are_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/", "only addresses that begin with http"),
        ("file:///etc/passwd", "only addresses that begin with http"),
        ("gopher://1.1.1.1/", "only addresses that begin with http"),
        ("//example.org/", "only addresses that begin with http"),
        ("example.org", "only addresses that begin with http"),
        ("", "only addresses that begin with http"),
        ("http://user@1.1.1.1/", "user name or password"),
        ("http://user:secret@1.1.1.1/", "user name or password"),
        ("http://1.1.1.1\\@127.0.0.1/", "user name or password"),
        ("http://1.1.1.1@127.0.0.1/", "user name or password"),
        ("http://127.0.0.1#@1.1.1.1/", "a loopback address"),
        ("http://127.0.0.1?@1.1.1.1/", "a loopback address"),
        ("http:///x", "no usable host"),
        ("http://[fe80::1%25lo]/", "no usable host"),
        ("http://exa%6dple.com/", "no usable host"),
        ("http://a b/", "no usable host"),
        ("http://1.1.1.1:0/", "no port 0"),
        ("http://1.1.1.1:99999/", "no port 99999"),
        ("http://1.1.1.1:x/", "not a web address"),
        ("http://\uff11\uff12\uff17.0.0.1/", "not a web address"),
        ("http://999.1.1.1/", "not a web address"),
        ("http://0x1ffffffff/", "looks like an address"),
        ("http://1.1.1.1/" + "a" * 5000, "at most 4096"),
        ("http://" + "a" * 300 + "/", ""),
        ("http://localhost/", "localhost leads to a loopback address"),
        ("http://LOCALHOST/", "leads to a loopback address"),
    ],
)
def test_what_is_no_address_of_the_public_web_is_refused_with_the_reason(url: str, why: str) -> None:
    assert why in _refused(url)


@given(st.text(max_size=60))
def test_any_text_is_checked_or_refused(text: str) -> None:
    egress = Egress(resolve=_answers("10.0.0.1"))
    for url in (text, f"http://{text}", f"http://{text}@example.org", f"http://[{text}]/"):
        try:
            checked = asyncio.run(egress.check(url))
        except EgressRefused as error:
            assert error.reason
        else:
            assert all(refusal(address) is None for address in checked.addresses)


def test_a_name_without_an_address_is_refused_as_not_found() -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    assert "cannot be found" in _refused("http://nowhere.example/", Egress(resolve=nowhere))
    assert "has no address" in _refused("http://nowhere.example/", Egress(resolve=_answers()))


@pytest.mark.parametrize(
    ("allow", "url", "allowed"),
    [
        ("wiki.corp", "http://wiki.corp/", True),
        ("wiki.corp", "https://WIKI.corp.:8443/", True),
        ("wiki.corp", "http://evil.wiki.corp/", False),
        ("wiki.corp:8080", "http://wiki.corp:8080/", True),
        ("wiki.corp:8080", "http://wiki.corp/", False),
        ("wiki.corp:443", "https://wiki.corp/", True),
        ("10.0.0.0/8", "http://wiki.corp/", True),
        ("10.0.0.0/8", "http://10.9.9.9/", True),
        ("10.0.0.0/8", "http://0xa000001/", True),
        ("10.0.0.0/8", "http://127.0.0.1/", False),
        ("10.1.2.3", "http://wiki.corp:81/", True),
        ("10.1.2.3:80", "http://wiki.corp/", True),
        ("10.1.2.3:80", "http://wiki.corp:81/", False),
        ("[fd00::1]:80", "http://[fd00::1]/", True),
        ("[fd00::1]:80", "http://[fd00::1]:81/", False),
        ("fd00::/8", "http://[fd00::1]:81/", True),
    ],
)
def test_the_allow_list_opens_what_it_names_and_nothing_else(allow: str, url: str, allowed: bool) -> None:
    egress = Egress([allow], resolve=_answers("10.1.2.3"))
    if allowed:
        assert _check(url, egress)
    else:
        _refused(url, egress)


@pytest.mark.parametrize(
    "entry", ["", "http://wiki.corp/", "wiki.corp:0", "wiki.corp:70000", "*.corp", "a b", "10.0.0.0/99"]
)
def test_an_allow_list_entry_that_names_nothing_is_refused_at_once(entry: str) -> None:
    with pytest.raises(ValueError, match="no host, address or network"):
        Egress([entry])


@asynccontextmanager
async def _server(
    address: str, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A server that keeps the head of every request and answers with the address it was reached at."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        body = address.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, port, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


async def test_the_connection_goes_to_the_checked_address_though_the_name_resolves_differently_a_moment_later() -> None:
    answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    async with _server("127.0.0.2") as (port, checked), _server("127.0.0.1", port) as (_, other):
        egress = Egress(["127.0.0.2"], resolve=rebinding)
        async with httpx2.AsyncClient(transport=egress.transport(), trust_env=False) as client:
            answer = await client.get(f"http://name.example:{port}/")
            assert answer.text == "127.0.0.2"
            assert f"host: name.example:{port}".encode() in checked[0].lower()
            with pytest.raises(EgressRefused, match="loopback"):
                await client.get(f"http://name.example:{port}/")
        assert (len(checked), other) == (1, [])


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with _server("127.0.0.2") as (port, _):
        egress = Egress(["127.0.0.0/8"], resolve=_answers("127.0.0.3", "127.0.0.2"))
        async with httpx2.AsyncClient(transport=egress.transport(), trust_env=False) as client:
            assert (await client.get(f"http://name.example:{port}/")).text == "127.0.0.2"


async def test_a_redirect_that_the_client_follows_is_checked_again() -> None:
    async def bounce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(bounce, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport = Egress([f"127.0.0.1:{port}"]).transport()
        async with httpx2.AsyncClient(transport=transport, follow_redirects=True, trust_env=False) as client:
            with pytest.raises(EgressRefused, match="link-local"):
                await client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_tls_goes_by_the_name_although_the_connection_goes_by_the_address(tmp_path: Path) -> None:
    subject = ["-subj", "/CN=ship.example", "-addext", "subjectAltName=DNS:ship.example"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    asked: list[str] = []
    tls.sni_callback = lambda _, name, __: asked.append(name)
    trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    async with _server("127.0.0.1", tls=tls) as (port, seen):
        egress = Egress(["127.0.0.1"], resolve=_answers("127.0.0.1"), verify=trusted)
        async with httpx2.AsyncClient(transport=egress.transport(), trust_env=False) as client:
            assert (await client.get(f"https://ship.example:{port}/")).status_code == 200
            with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
                await client.get(f"https://other.example:{port}/")
        assert asked == ["ship.example", "other.example"]
        assert len(seen) == 1
