"""A JSON Schema without its references and unions: the plain schemas that each alternative of it comes to."""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, cast

Schema = dict[str, Any]
NOTHING: Schema = {"enum": []}
"""The schema that nothing is valid for."""

_COMBINING = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


class SchemaError(ValueError):
    """A schema that no instance can be made for; the message says which part of it."""


def plain(node: object, root: object, entered: frozenset[str]) -> Iterator[tuple[Schema, frozenset[str]]]:
    """Each alternative of a node without combining keywords, those that are not only `null` first.

    `entered` names the references that the way to this node went through; each alternative comes with those of its own
    way. An alternative that goes through one of them a second time is left out: the smallest instance never does.

    Raises:
        SchemaError: a reference leads nowhere.
    """
    schema = _as_schema(node)
    bare = {key: value for key, value in schema.items() if key not in _COMBINING}
    choices: list[list[object]] = [[part] for part in schema.get("allOf", [])]
    choices += [_null_last(schema[key]) for key in ("anyOf", "oneOf") if schema.get(key)]
    if isinstance(reference := schema.get("$ref"), str):
        if reference in entered:
            return
        entered |= {reference}
        choices.append([_target(reference, root)])
    yield from _product(bare, choices, root, entered)


def _product(
    bare: Schema, choices: list[list[object]], root: object, entered: frozenset[str]
) -> Iterator[tuple[Schema, frozenset[str]]]:
    if not choices:
        yield bare, entered
        return
    for option in choices[0]:
        for chosen, way in plain(option, root, entered):
            yield from _product(both(bare, chosen), choices[1:], root, way)


def _null_last(options: list[object]) -> list[object]:
    return sorted(options, key=lambda option: option == {"type": "null"})


def _target(reference: str, root: object) -> object:
    found = root
    for part in reference.removeprefix("#").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not key:
            continue
        if isinstance(found, dict) and key in found:
            found = cast(Schema, found)[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(cast(list[object], found)):
            found = cast(list[object], found)[int(key)]
        else:
            raise SchemaError(f"{reference}: leads nowhere in the schema")
    return found


def _as_schema(node: object) -> Schema:
    if isinstance(node, dict):
        return cast(Schema, node)
    if isinstance(node, bool):
        return {} if node else NOTHING
    raise SchemaError(f"{str(node)[:80]!r}: a schema is an object, true or false")


def both(one: Schema, other: Schema) -> Schema:
    """The schema that holds where both do; where one key cannot say both, the second one's stays."""
    made = {**one, **other}
    for key in one.keys() & other.keys():
        made[key] = _JOINED.get(key, _last)(one[key], other[key])
    if "const" in one and "const" in other and one["const"] != other["const"]:
        return NOTHING
    return made


def _last(_: object, other: object) -> object:
    return other


def _types(one: str | list[str], other: str | list[str]) -> list[str]:
    left, right = ([kinds] if isinstance(kinds, str) else kinds for kinds in (one, other))
    shared = [kind for kind in left if kind in right or (kind == "integer" and "number" in right)]
    return shared + [kind for kind in right if kind == "integer" and "number" in left and kind not in shared]


def _properties(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    return {**one, **other, **{name: _schemas(one[name], other[name]) for name in one.keys() & other.keys()}}


def _schemas(one: object, other: object) -> Schema:
    return {"allOf": [one, other]}


def _step(one: float, other: float) -> Fraction:
    left, right = Fraction(str(one)), Fraction(str(other))
    numerator = math.lcm(left.numerator * right.denominator, right.numerator * left.denominator)
    return Fraction(numerator, left.denominator * right.denominator)


_JOINED: Mapping[str, Callable[[Any, Any], object]] = {
    "type": _types,
    "enum": lambda one, other: [value for value in one if value in other],
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "properties": _properties,
    "items": _schemas,
    "additionalProperties": _schemas,
    "multipleOf": _step,
    "uniqueItems": lambda one, other: one or other,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
