"""What an operation sends for a call's arguments: address, headers and body."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from pydantic import JsonValue

from theseus.activities.tools.openapi.file import Credentials
from theseus.activities.tools.openapi.operations import BODY, Operation, Parameter
from theseus.activities.tools.registry import ToolError

USER_AGENT = "theseus-worker (openapi tool)"
_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Sent:
    """A request. `shown` is its method and address without the query, which may hold a key."""

    method: str
    url: str
    shown: str
    headers: Mapping[str, str]
    body: bytes | None


def request(
    operation: Operation,
    base_url: str,
    credentials: Credentials,
    arguments: Mapping[str, JsonValue],
    idempotency_key: str,
) -> Sent:
    """The request of a call; one that changes something carries the key that is the same for every try.

    Raises:
        ToolError: a value cannot be sent where it belongs.
    """
    path = operation.path
    query: Pairs = []
    headers: dict[str, str] = {"Accept": "application/json, */*;q=0.5", "User-Agent": USER_AGENT}
    for parameter in operation.parameters:
        if parameter.key not in arguments:
            continue
        value = arguments[parameter.key]
        if parameter.where == "path":
            path = path.replace(f"{{{parameter.name}}}", _segment(parameter, value))
        elif parameter.where == "query":
            query += _query(parameter, value)
        else:
            headers[parameter.name] = _header(parameter, value)
    body = None
    if operation.body_type is not None and BODY in arguments:
        body = json.dumps(arguments[BODY], ensure_ascii=False).encode()
        headers["Content-Type"] = operation.body_type
    if operation.method not in ("GET", "HEAD"):
        headers["Idempotency-Key"] = idempotency_key
    # last, so that no argument takes their place
    headers.update(credentials.headers)
    query += credentials.query
    url = f"{base_url}{path}"
    shown = f"{operation.method} {url}"
    return Sent(operation.method, f"{url}?{urlencode(query, quote_via=quote)}" if query else url, shown, headers, body)


def _segment(parameter: Parameter, value: JsonValue) -> str:
    text = _as_json(value) if parameter.as_json else _joined(value, ",")
    # also when it is encoded, a server may take it for a way up
    if not text or any(part in (".", "..") for part in re.split(r"[/\\]", text)):
        raise ToolError(f"{parameter.key} cannot be {text[:100]!r}: it becomes a part of the address.")
    return quote(text, safe=",")


def _header(parameter: Parameter, value: JsonValue) -> str:
    text = _as_json(value) if parameter.as_json else _joined(value, ",")
    if not text.isascii() or not text.isprintable():
        raise ToolError(
            f"{parameter.key} goes into a header: use printable ASCII characters only, without line breaks."
        )
    return text


def _query(parameter: Parameter, value: JsonValue) -> Pairs:
    name = parameter.name
    if parameter.as_json:
        return [(name, _as_json(value))]
    if isinstance(value, dict):
        if parameter.style == "deepObject":
            return [(f"{name}[{key}]", _scalar(item)) for key, item in value.items()]
        if parameter.explode:
            return [(key, _joined(item, ",")) for key, item in value.items()]
        return [(name, _joined(value, ","))]
    if isinstance(value, list):
        if parameter.explode:
            return [(name, _scalar(item)) for item in value]
        return [(name, _joined(value, _DELIMITERS.get(parameter.style, ",")))]
    return [(name, _scalar(value))]


def _joined(value: JsonValue, delimiter: str) -> str:
    if isinstance(value, dict):
        return delimiter.join(part for key, item in value.items() for part in (key, _scalar(item)))
    if isinstance(value, list):
        return delimiter.join(_scalar(item) for item in value)
    return _scalar(value)


def _scalar(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _as_json(value)


def _as_json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
