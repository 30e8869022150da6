"""The log of requests: each as the server saw it, in memory and, if asked, in a file."""

import itertools
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_SECRET_HEADERS = frozenset({"authorization", "x-api-key"})


@dataclass
class LoggedRequest:
    """One request; times are seconds since the epoch. Headers come without keys.

    `outcome` is `open` until it ends, then `answered`, the status of an error (`429`), `garbage`, `cut`, `client closed`
    (then `client_closed_at` says when), `stopped` with the server, or `failed`.
    """

    method: str
    path: str
    model: str
    body: dict[str, Any]
    headers: dict[str, str]
    number: int
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    outcome: str = "open"
    client_closed_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data of it."""
        return asdict(self)


class RequestLog:
    """Requests in the order in which they came."""

    def __init__(self, path: Path | None) -> None:
        """`path` gets each request as it ends, one JSON object a line.

        Raises:
            OSError: the file cannot be written.
        """
        self.requests: list[LoggedRequest] = []
        self._numbers = itertools.count(1)
        self._path = path
        if path is not None:
            path.open("a").close()

    def begin(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> LoggedRequest:
        """Notes a request."""
        shown = {name: value for name, value in headers.items() if name not in _SECRET_HEADERS}
        model = str(body.get("model", ""))
        logged = LoggedRequest(method, path, model, body, shown, next(self._numbers))
        self.requests.append(logged)
        return logged

    def end(self, logged: LoggedRequest, outcome: str) -> None:
        """Notes how a request ended."""
        logged.ended_at, logged.outcome = time.time(), outcome
        if outcome == "client closed":
            logged.client_closed_at = logged.ended_at
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(logged.as_json()) + "\n")
