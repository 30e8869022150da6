"""Tools that others describe by a JSON Schema: what a model is shown of them is bounded, what it gives is validated.

Names, descriptions and schemas are data of whoever serves the tool. No schema makes us fetch anything, and no regular
expression of it is run here: the server checks those itself.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, cast

from jsonschema import Draft202012Validator, exceptions, validators
from pydantic import JsonValue
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from theseus.activities.tools.registry import PROBLEMS_SHOWN, SOURCE_MARK, ArgumentsError, Tool, ToolContext
from theseus.contracts.tools import ToolSpec

MAX_DESCRIPTION_CHARS = 2_000
MAX_NESTED_DESCRIPTION_CHARS = 400
MAX_SCHEMA_CHARS = 32_000
MAX_DEPTH = 40
MAX_ARGUMENTS_CHARS = 500_000
MAX_NAME_CHARS = 64
PROBLEM_CHARS = 300
MAX_CHECKED_CHARS = 64_000
"""A schema is checked to be one, as a whole, which takes long."""
MAX_STEPS = 30_000
"""So many keywords of a schema are looked at for one call: references and alternatives may multiply without end."""

Call = Callable[[dict[str, JsonValue], ToolContext], Awaitable[str]]
"""Does a call with arguments that fit the schema; ToolError's message goes to the model."""

_NOT_SHOWN_AT_ROOT = (
    "$schema",
    "$id",
    "title",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "enum",
    "const",
    "if",
    "then",
    "else",
)
"""Providers refuse a whole request for some of these at the root of one schema; calls are validated with them."""


class UnusableSchemaError(ValueError):
    """A schema cannot be that of a tool's arguments."""


def tool_name(source: str, name: str) -> str:
    """The name of a source's tool, `<source>__<name>`, the same in every worker.

    One that breaks the rule of names (64 of letters, digits, '_' and '-') is changed, and told from others by a hash.
    """
    whole = f"{source}{SOURCE_MARK}{name}"
    clean = re.sub(r"[^a-zA-Z0-9_-]", "_", whole)
    if clean == whole and len(whole) <= MAX_NAME_CHARS:
        return whole
    mark = hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:8]
    return f"{clean[: MAX_NAME_CHARS - len(mark) - 1]}_{mark}"


def plain_text(text: str, limit: int) -> str:
    """The text without control characters and lone surrogates, cut to `limit` characters."""
    sound = text[: 2 * limit].encode(errors="replace").decode()
    clean = "".join(char for char in sound if char.isprintable() or char in "\n\t").strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "\u2026"


def shown_schema(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The schema as models are shown it: an object's, with short descriptions.

    Raises:
        UnusableSchemaError: it is none of an object, nested too deeply, or too large.
    """
    if schema.get("type", "object") != "object":
        raise UnusableSchemaError("the schema of its arguments is not that of an object")
    kept = {key: value for key, value in schema.items() if key not in _NOT_SHOWN_AT_ROOT}
    made = cast("dict[str, JsonValue]", _shortened(kept, 0))
    made = {**made, "type": "object"}
    if not isinstance(made.setdefault("properties", {}), dict):
        raise UnusableSchemaError("the properties of its schema are no object")
    size = len(json.dumps(made, ensure_ascii=False))
    if size > MAX_SCHEMA_CHARS:
        raise UnusableSchemaError(f"its schema has {size} characters; at most {MAX_SCHEMA_CHARS} are shown to a model")
    return made


def declared_tool(
    spec: ToolSpec,
    call: Call,
    *,
    schema: Mapping[str, JsonValue] | None = None,
    failures: tuple[type[Exception], ...] = (),
) -> Tool:
    """Makes a tool of a spec and a function that does a call.

    Args:
        spec: what models are told; its `parameters` are a JSON Schema (2020-12).
        call: does a call, with arguments that fit.
        schema: what arguments are validated with, when it says more than what is shown.
        failures: exceptions whose message is meant for the model; ToolError always is.

    Raises:
        UnusableSchemaError: the schema is not valid.
    """
    read = _reader(spec.parameters if schema is None else schema)

    async def work(values: Mapping[str, object], context: ToolContext) -> object:
        return await call(cast("dict[str, JsonValue]", dict(values)), context)

    return Tool(spec, read, work, failures)


def _shortened(value: JsonValue, depth: int) -> JsonValue:
    if depth > MAX_DEPTH:
        raise UnusableSchemaError(f"its schema is nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [_shortened(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _shortened(item, depth + 1) for key, item in value.items()}
    description = made.get("description")
    if isinstance(description, str):
        made["description"] = plain_text(description, MAX_NESTED_DESCRIPTION_CHARS)
    return made


class _TooMuchWorkError(Exception):
    """A call would take too long to check."""


_steps_left: ContextVar[int] = ContextVar("steps_left")


def _counted(check: Callable[..., Any]) -> Callable[..., Any]:
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        left = _steps_left.get() - (len(cast("list[object]", value)) if isinstance(value, (list, dict)) else 1)
        _steps_left.set(left)
        if left < 0:
            raise _TooMuchWorkError
        yield from check(validator, value, instance, schema) or ()

    return counted


def _unchecked(*_: object) -> None:
    """A keyword that the server checks itself: a hostile expression, or a long list, would stop the whole worker."""


_UNCHECKED = {"pattern": _unchecked, "patternProperties": _unchecked, "uniqueItems": _unchecked}
_KEYWORDS = cast("Mapping[str, Callable[..., Any]]", Draft202012Validator.VALIDATORS)
_Validator = cast(
    "Callable[..., Any]",
    validators.extend(Draft202012Validator, {k: _UNCHECKED.get(k) or _counted(v) for k, v in _KEYWORDS.items()}),
)


def _reader(schema: Mapping[str, JsonValue]) -> Callable[[str], Mapping[str, object]]:
    try:
        bounded = _without_patterns(_shortened(cast("JsonValue", dict(schema)), 0))
        if (size := len(json.dumps(bounded, ensure_ascii=False))) > MAX_CHECKED_CHARS:
            raise UnusableSchemaError(f"its schema has {size} characters; at most {MAX_CHECKED_CHARS} are read")
        Draft202012Validator.check_schema(cast("Any", schema))
    except (exceptions.SchemaError, RecursionError) as error:
        raise UnusableSchemaError(f"its schema is not valid: {str(error).splitlines()[0][:PROBLEM_CHARS]}") from error
    # with its own registry the library would fetch a $ref to an address by itself
    validator: Any = _Validator(bounded, registry=EMPTY_REGISTRY)

    def read(text: str) -> Mapping[str, object]:
        given = _object(text)
        _steps_left.set(MAX_STEPS)
        try:
            found: list[Any] = list(itertools.islice(validator.iter_errors(given), PROBLEMS_SHOWN + 1))
        except (Unresolvable, RecursionError) as error:
            raise ArgumentsError(["the tool's own schema is broken, so it cannot be called"]) from error
        except _TooMuchWorkError as error:
            raise ArgumentsError(["arguments: they take too long to check: send fewer and simpler values"]) from error
        if found:
            raise ArgumentsError([_problem(error) for error in found])
        return given

    return read


def _without_patterns(value: JsonValue) -> JsonValue:
    """A schema in which names that only patterns would allow are allowed."""
    if isinstance(value, list):
        return [_without_patterns(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _without_patterns(item) for key, item in value.items()}
    if isinstance(made.get("patternProperties"), dict):
        for key in ("patternProperties", "additionalProperties", "unevaluatedProperties"):
            made.pop(key, None)
    return made


def _object(text: str) -> dict[str, object]:
    if len(text) > MAX_ARGUMENTS_CHARS:
        raise ArgumentsError([f"arguments: {len(text)} characters; at most {MAX_ARGUMENTS_CHARS} are taken"])
    try:
        given: object = json.loads(text, parse_constant=_no_number)
        json.dumps(given, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ArgumentsError(["arguments: Invalid JSON: nested too deeply"]) from error
    except ValueError as error:
        raise ArgumentsError([f"arguments: Invalid JSON: {error}"]) from error
    if not isinstance(given, dict):
        raise ArgumentsError(["arguments: Input should be an object"])
    return cast("dict[str, object]", given)


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number that JSON has")


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "arguments"
    return f"{where}: {error.message}"[:PROBLEM_CHARS]
