"""Where tools may connect to: the one place that decides, and the transport that keeps to the decision.

An address is checked and then connected to by that very address, so that a name which resolves differently a moment
later (DNS rebinding) changes nothing. TLS and the Host header still go by the name.
"""

import asyncio
import ipaddress
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx2

_log = logging.getLogger("theseus.egress")

MAX_URL_CHARS = 4096
MAX_ADDRESSES = 16
"""More addresses of one name are not looked at."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name, as text; an OSError when there are none."""

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = 0x5EFE
"""Bits 32 to 63 of an address with an IPv4 address in its last 32 (RFC 5214), but for one flag."""
# special-purpose ranges (IANA registries) that the standard library of some Python version takes for public
_SPECIAL: tuple[Network, ...] = (
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv6Network("2001:2::/48"),
    ipaddress.IPv6Network("2001:10::/28"),
    ipaddress.IPv6Network("2001:20::/28"),
    ipaddress.IPv6Network("3fff::/20"),
)
_NUMERIC_PART = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE | re.ASCII)


class EgressRefused(Exception):
    """A connection is not allowed, or there is nowhere to connect to; `reason` is for people and models."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Checked:
    """Where a URL leads: the host as it is named on the wire, the port, and addresses that may be connected to."""

    host: str
    port: int
    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class _Rule:
    """One entry of an allow-list: a host name or a network, on one port or on all."""

    host: str | None
    network: Network | None
    port: int | None

    def allows_host(self, host: str, port: int) -> bool:
        return self.host == host and self.port in (None, port)

    def allows_address(self, address: Address, port: int) -> bool:
        return self.network is not None and address in self.network and self.port in (None, port)


class Egress:
    """Public addresses may be connected to, and what the allow-list names.

    Args:
        allow: hosts ("wiki.corp"), addresses ("10.1.2.3", "fd00::1"), networks ("10.0.0.0/8"); a host or an address may
            carry a port ("wiki.corp:8080", "[fd00::1]:80") and then allows only that.
        resolve: how names become addresses; the system's way if absent.
        verify: whom TLS trusts, when not the system's certificates.

    Raises:
        ValueError: an entry of the allow-list is none of these.
    """

    def __init__(
        self, allow: Sequence[str] = (), *, resolve: Resolve | None = None, verify: ssl.SSLContext | None = None
    ) -> None:
        self._rules = tuple(_rule(entry) for entry in allow)
        self._resolve = resolve or _system_addresses
        self._verify = verify

    async def check(self, url: str) -> Checked:
        """Where a URL leads, if all addresses of its host may be connected to.

        Raises:
            EgressRefused: it is no web address, its host has no address, or one that may not be connected to.
        """
        host, port = _place(url)
        literal = _literal(host)
        addresses = (literal,) if literal is not None else await self._addresses(host, port)
        for address in addresses:
            kind = refusal(address)
            if kind and not self._allowed(host, port, address):
                _log.info("refused %s:%d: %s is %s", host, port, address, kind)
                leads = f"{host} is {kind}" if literal is not None else f"{host} leads to {kind}"
                raise EgressRefused(f"{leads}, which tools may not connect to. Use a public web address.")
        return Checked(host, port, addresses)

    def transport(self) -> httpx2.AsyncBaseTransport:
        """A transport that checks each request and connects to a checked address only. No proxy, no reuse of connections."""
        if self._verify is None:
            # made once: it reads all certificates of the system
            self._verify = httpx2.create_ssl_context(trust_env=False)
        # a connection is known by its address alone here, so reuse could send one host's request over another host's TLS
        limits = httpx2.Limits(max_keepalive_connections=0)
        return _Pinned(self, httpx2.AsyncHTTPTransport(verify=self._verify, trust_env=False, limits=limits))

    def _allowed(self, host: str, port: int, address: Address) -> bool:
        name = host.rstrip(".")
        return any(rule.allows_host(name, port) or rule.allows_address(address, port) for rule in self._rules)

    async def _addresses(self, host: str, port: int) -> tuple[Address, ...]:
        try:
            found = await self._resolve(host, port)
            addresses = tuple(ipaddress.ip_address(text) for text in dict.fromkeys(found))
        except (OSError, UnicodeError) as error:
            raise EgressRefused(f"the host {host} cannot be found: check the spelling ({error})") from error
        except ValueError as error:
            raise EgressRefused(f"the host {host} has an address that is none: {error}") from error
        if not addresses:
            raise EgressRefused(f"the host {host} has no address: check the spelling")
        return addresses[:MAX_ADDRESSES]


def refusal(address: Address) -> str | None:
    """What kind of address that is, in words, when it is not a public one; None when it is."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return "an address of one network link"
        last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.ipv4_mapped is not None or address in _NAT64:
            return refusal(last)
        if address not in _GLOBAL_V6:
            return _kind(address) or "a special-purpose address"
        # a tunnel's end has to be public and so has the address that the packets come out at
        end = address.sixtofour or (last if (int(address) >> 32) & 0xFDFFFFFF == _ISATAP else None)
        if end is not None and (kind := refusal(end)):
            return kind
    if any(address in network for network in _SPECIAL if network.version == address.version):
        return "a special-purpose address"
    return _kind(address) or (None if address.is_global else "a special-purpose address")


def _kind(address: Address) -> str | None:
    kinds = (
        (address.is_unspecified, "the unspecified address"),
        (address.is_loopback, "a loopback address"),
        (address.is_link_local, "a link-local address"),
        (address.is_multicast, "a multicast address"),
        (address.is_private, "a private address"),
        (address.is_reserved, "a reserved address"),
    )
    return next((kind for holds, kind in kinds if holds), None)


def _place(url: str) -> tuple[str, int]:
    """Host (ASCII, lower case, no brackets) and port of a web address."""
    if len(url) > MAX_URL_CHARS:
        raise EgressRefused(f"the address has {len(url)} characters; at most {MAX_URL_CHARS} are taken")
    try:
        parsed = httpx2.URL(url)
        host = parsed.raw_host.decode("ascii").lower()
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise EgressRefused(f"not a web address: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise EgressRefused("only addresses that begin with http:// or https:// can be opened")
    if parsed.userinfo:
        raise EgressRefused("an address with a user name or password in it is not opened: leave out what is before '@'")
    if not host or len(host) > 253 or not re.fullmatch(r"[a-z0-9._:\-]+", host):
        raise EgressRefused(f"the address has no usable host name: {host[:100]!r}")
    port = parsed.port if parsed.port is not None else 443 if parsed.scheme == "https" else 80
    if not 0 < port < 65536:
        raise EgressRefused(f"there is no port {port}: ports go from 1 to 65535")
    return host, port


def _literal(host: str) -> Address | None:
    """The address that a host is, in any of the forms that the system's resolver takes for one."""
    bare = host.rstrip(".")
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    parts = bare.split(".")
    if len(parts) > 4 or not all(_NUMERIC_PART.fullmatch(part) for part in parts):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except OSError as error:
        raise EgressRefused(f"{host} looks like an address but is none") from error


def _rule(entry: str) -> _Rule:
    text = entry.strip().lower()
    try:
        return _Rule(None, ipaddress.ip_network(text, strict=False), None)
    except ValueError:
        pass
    matched = re.fullmatch(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?", text)
    port = int(matched["port"]) if matched and matched["port"] else None
    if matched is None or (port is not None and not 0 < port < 65536):
        raise ValueError(
            f"{entry!r} is no host, address or network that can be allowed: write wiki.corp:80 or 10.0.0.0/8"
        )
    host = matched["host"].strip("[]").rstrip(".")
    try:
        return _Rule(None, ipaddress.ip_network(host), port)
    except ValueError:
        return _Rule(host, None, port)


async def _system_addresses(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class _Pinned(httpx2.AsyncBaseTransport):
    """Sends each request to a checked address of its host, while Host header and TLS name stay the host's."""

    def __init__(self, egress: Egress, inner: httpx2.AsyncHTTPTransport) -> None:
        self._egress = egress
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        checked = await self._egress.check(str(request.url))
        for address in checked.addresses[:-1]:
            try:
                return await self._send(request, checked, address)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._send(request, checked, checked.addresses[-1])

    async def _send(self, request: httpx2.Request, checked: Checked, address: Address) -> httpx2.Response:
        pinned = httpx2.Request(
            method=request.method,
            url=request.url.copy_with(host=str(address)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": checked.host.rstrip(".")},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()
