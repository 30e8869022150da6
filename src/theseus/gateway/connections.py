"""Connections: who sends no request, or sends one byte by byte, or takes nothing of an answer, holds none for long.

Streams and WebSockets last as long as their readers take what they are sent.
"""

import asyncio
import socket
from datetime import timedelta

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

READING = timedelta(seconds=30)
"""How long a request may take to come until its headers are whole; its body has a time of its own."""
WRITING = timedelta(seconds=30)
"""How long somebody may take nothing of what is sent; the kernel counts, also where a connection is being closed."""
IDLE = timedelta(seconds=60)
"""How long a connection is kept for the next request."""


class Connection(H11Protocol):
    """uvicorn's, which by itself waits for the headers of a request for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as in its base
        """A request is due from now on."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Of a request, its body, or what a client sends beside any."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._relax()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """What it is from now on has rules of its own."""
        self._relax()
        super().handle_websocket_upgrade(event)

    def _look(self) -> None:
        # there is none before the first request
        is_answering = bool(self.cycle) and not self.cycle.response_complete
        if is_answering or self not in self.connections:
            self._relax()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(READING.total_seconds(), self.timeout_keep_alive_handler)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bound(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that the host has here; nobody is listened to yet.

    Raises:
        OSError: the port is taken, or the address is none of this machine.
    """
    made: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=_PASSIVE
        ):
            # asyncio switches Nagle's delay off only where the protocol is named
            made.append(socket.socket(family, kind, protocol))
            made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # Linux alone has it; what is accepted here inherits it
                milliseconds = round(WRITING.total_seconds() * 1000)
                made[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
            made[-1].bind(address)
    except OSError as error:
        for each in made:
            each.close()
        raise OSError(f"the gateway cannot listen at {host}:{port}: {error.strerror}") from error
    return made


_PASSIVE = socket.AI_PASSIVE | socket.AI_ADDRCONFIG
