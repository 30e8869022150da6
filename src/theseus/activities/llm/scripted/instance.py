"""A valid instance of a JSON Schema, small."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import chain, count, islice
from typing import Any, cast

from theseus.activities.llm.scripted.flattening import Schema, SchemaError, plain
from theseus.activities.llm.scripted.matching_text import matching_text

_MOST_TRIED = 500
"""Values looked through for a set of different ones."""

_FORMATS = {
    "date-time": "2025-01-01T00:00:00Z",
    "date": "2025-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_TOLD_BY: Mapping[str, tuple[str, ...]] = {
    # what a schema without `type` speaks of; anything else is text
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "contains"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def instance(schema: object) -> Any:
    """The instance: required properties only, arrays as short as allowed, the first of what may be chosen.

    Understands references (also recursive ones), unions, `allOf`, enums, bounds, lengths, formats, unique items and most
    patterns. Does not look at `not`, `if`, and whether only one part of a `oneOf` holds.

    Raises:
        SchemaError: nothing is valid for it, or a part of it cannot be read.
    """
    try:
        for value in _values(schema, schema, frozenset()):
            return value
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise error if isinstance(error, SchemaError) else SchemaError(f"the schema cannot be read: {error}") from error
    raise SchemaError("no instance can be made: its rules contradict each other, or it recurs without an end")


class _Place:
    """Where in a schema values are made: the whole of it, and the references on the way."""

    def __init__(self, root: object, entered: frozenset[str]) -> None:
        self._root = root
        self._entered = entered

    def values(self, node: object) -> Iterator[Any]:
        return _values(node, self._root, self._entered)


def _values(node: object, root: object, entered: frozenset[str]) -> Iterator[Any]:
    """Valid values, smallest first, few of them equal; none if there are none."""
    for schema, way in plain(node, root, entered):
        kinds = _kinds(schema)
        if "const" in schema or "enum" in schema:
            listed = [schema["const"]] if "const" in schema else schema["enum"]
            yield from (value for value in listed if _listed(value, schema, kinds))
            continue
        place = _Place(root, way)
        yield from chain.from_iterable(_MAKERS[kind](schema, place) for kind in kinds)


def _kinds(schema: Schema) -> list[str]:
    kinds = schema.get("type")
    if isinstance(kinds, str):
        return [kinds]
    if isinstance(kinds, list):
        return sorted(cast(list[str], kinds), key=lambda kind: kind == "null")
    return [next((kind for kind, keys in _TOLD_BY.items() if any(key in schema for key in keys)), "string")]


def _listed(value: object, schema: Schema, kinds: list[str]) -> bool:
    if "enum" in schema and value not in schema["enum"]:
        return False
    return "type" not in schema or any(_is_a(kind, value) for kind in kinds)


def _is_a(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int | float):
        return kind == "number" or (kind == "integer" and float(value).is_integer())
    types = {"string": str, "object": dict, "array": list, "null": type(None)}
    return kind in types and isinstance(value, types[kind])


def _object(schema: Schema, place: _Place) -> Iterator[dict[str, Any]]:
    properties = cast(dict[str, object], schema.get("properties", {}))
    others = schema.get("additionalProperties", {})
    wanted = dict.fromkeys([*schema.get("required", [])])
    spare = chain(properties, () if others is False else (f"key{n}" for n in count(1)))
    while len(wanted) < schema.get("minProperties", 0):
        name = next((name for name in spare if name not in wanted), None)
        if name is None:
            return
        wanted[name] = None
    if len(wanted) > schema.get("maxProperties", math.inf):
        return
    made = {name: _first(place, properties.get(name, others)) for name in wanted}
    if any(value is _NONE for value in made.values()):
        return
    yield made
    for name in wanted:
        for value in islice(place.values(properties.get(name, others)), 1, None):
            yield made | {name: value}


_NONE = object()


def _first(place: _Place, node: object) -> object:
    return next(place.values(node), _NONE)


def _array(schema: Schema, place: _Place) -> Iterator[list[Any]]:
    items = schema.get("items", {})
    heads = cast(list[object], items if isinstance(items, list) else schema.get("prefixItems", []))
    rest = schema.get("additionalItems", {}) if isinstance(items, list) else items
    least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    held: list[object] = []
    if "contains" in schema:
        held = [{"allOf": [schema["contains"], rest]}] * schema.get("minContains", 1)
        least = max(least, len(heads) + len(held))
    for length in range(least, int(min(most, least + _MOST_TRIED)) + 1):
        free = length - len(held)
        nodes = [*heads[:free], *([rest] * (free - len(heads))), *held]
        made = _items(nodes, place, unique=bool(schema.get("uniqueItems")))
        if made is None:
            return
        yield made


def _items(nodes: list[object], place: _Place, *, unique: bool) -> list[Any] | None:
    made: list[Any] = []
    seen: set[str] = set()
    for node in nodes:
        tried = islice(place.values(node), _MOST_TRIED + len(nodes))
        value = next((value for value in tried if not unique or _name(value) not in seen), _NONE)
        if value is _NONE:
            return None
        made.append(value)
        seen.add(_name(value))
    return made


def _name(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _integer(schema: Schema, _: _Place) -> Iterator[int]:
    # the whole numbers among the multiples of p/q are the multiples of p
    step = Fraction(str(schema.get("multipleOf", 1))).numerator
    return (int(value) for value in _steps(schema, Fraction(step)))


def _number(schema: Schema, _: _Place) -> Iterator[float]:
    step = schema.get("multipleOf")
    values = _between(schema) if step is None else _steps(schema, Fraction(str(step)))
    return (int(value) if value.denominator == 1 else float(value) for value in values)


def _bounds(schema: Schema) -> tuple[Fraction | None, Fraction | None, Callable[[Fraction], bool]]:
    """The lowest and highest number, and whether one is allowed (a bound itself may not be)."""
    given = {
        key: Fraction(str(schema[key]))
        for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        if schema.get(key) is not None
    }
    lows = [given[key] for key in ("minimum", "exclusiveMinimum") if key in given]
    highs = [given[key] for key in ("maximum", "exclusiveMaximum") if key in given]
    out = [given[key] for key in ("exclusiveMinimum", "exclusiveMaximum") if key in given]
    low, high = max(lows, default=None), min(highs, default=None)

    def allowed(value: Fraction) -> bool:
        return value not in out and (low is None or value >= low) and (high is None or value <= high)

    return low, high, allowed


def _steps(schema: Schema, step: Fraction) -> Iterator[Fraction]:
    low, high, allowed = _bounds(schema)
    up = math.ceil(low / step) if low is not None and low > 0 else 0
    if high is not None and high < 0:
        up = math.floor(high / step)
        yield from _while_allowed((step * (up - n) for n in count()), allowed)
        return
    yield from _while_allowed((step * (up + n) for n in count()), allowed)
    if up == 0:
        yield from _while_allowed((step * -n for n in count(1)), allowed)


def _while_allowed(values: Iterator[Fraction], allowed: Callable[[Fraction], bool]) -> Iterator[Fraction]:
    for place, value in enumerate(values):
        if allowed(value):
            yield value
        elif place > 0:  # the first one may be an excluded bound
            return


def _between(schema: Schema) -> Iterator[Fraction]:
    low, high, allowed = _bounds(schema)
    yield from filter(allowed, [Fraction(0)])
    if low is not None and high is not None:
        parts = (low + (high - low) * Fraction(n, n + 1) for n in count())
        yield from (value for value in islice(chain([high], parts), _MOST_TRIED) if value != 0 and allowed(value))
    elif low is not None:
        yield from (value for n in count() if (value := low + n) != 0 and allowed(value))
    else:
        top = Fraction(0) if high is None else high
        yield from (value for n in count() if (value := top - n) != 0 and allowed(value))


def _string(schema: Schema, _: _Place) -> Iterator[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if least > most:
        return
    if isinstance(pattern := schema.get("pattern"), str):
        texts = matching_text(pattern, least, most)
        if (first := next(texts, None)) is not None:
            yield from chain([first], texts)
            return
    known = _FORMATS.get(str(schema.get("format", "")))
    if known is not None and least <= len(known) <= most:
        yield known
    text = "text"[: int(min(4, most))].ljust(least, "x")
    yield text
    for mark in map(str, count(1)):
        if len(mark) > most:
            return
        kept = int(min(len(text), most - len(mark)))
        yield text[:kept] + mark


def _boolean(_: Schema, __: _Place) -> Iterator[bool]:
    return iter((False, True))


def _null(_: Schema, __: _Place) -> Iterator[None]:
    return iter((None,))


_MAKERS: Mapping[str, Callable[[Schema, _Place], Iterator[Any]]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "number": _number,
    "string": _string,
    "boolean": _boolean,
    "null": _null,
}
