"""What the gateway counts of itself, for Prometheus, and the line that it writes for each request."""

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("theseus.gateway.access")

NOWHERE = "none"
"""The route of a request that has none: addresses that people make up are no labels."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WS"})
OTHER = "other"
"""The method of a request that has none of these: words that people make up are no labels."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_QUIET = ("/health", "/readiness", "/metrics")


class Counts:
    """Counts of one gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter(
            "theseus_gateway_requests", "Requests that were answered.", labels, registry=self._registry
        )
        self.seconds = Histogram(
            *("theseus_gateway_request_seconds", "Until an answer began.", ("method", "route")),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self.open = Gauge("theseus_gateway_open_requests", "Requests and streams under way.", registry=self._registry)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class Counting:
    """Counts requests, and writes a line for each: what was asked, without its query; the status; how long it took."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began, status, task = time.monotonic(), 0, ""

        async def seen(message: Message) -> None:
            nonlocal status, task
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                task = Headers(raw=message.get("headers", [])).get("x-workflow-id", "")
            elif message["type"] == "websocket.accept":
                status = 101
            if status and not answered:
                answered.append(time.monotonic() - began)
            await send(message)

        answered: list[float] = []
        with self._counts.open.track_inprogress():
            try:
                await self._app(scope, receive, seen)
            finally:
                self._told(scope, status, task, answered[0] if answered else time.monotonic() - began)

    def _told(self, scope: Scope, status: int, task: str, seconds: float) -> None:
        method, route = scope.get("method", "WS"), getattr(scope.get("route"), "path", NOWHERE)
        # a client that left before it was answered
        shown = status or 499
        label = method if method in METHODS else OTHER
        self._counts.requests.labels(label, route, str(shown)).inc()
        self._counts.seconds.labels(label, route).observe(seconds)
        task = task or scope.get("path_params", {}).get("task_id", "")
        more = {"task_id": task} if task else {}
        level = logging.DEBUG if scope["path"] in _QUIET else logging.INFO
        # as it was sent: decoded, it may hold what passes for lines of its own
        path = scope.get("raw_path", b"").decode("ascii", "backslashreplace") or scope["path"]
        _log.log(level, "%s %s %d in %.0f ms", method, path, shown, seconds * 1000, extra=more)
