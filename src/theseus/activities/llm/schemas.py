"""JSON Schemas as providers want them for structured answers."""

from collections.abc import Mapping
from typing import Any, cast

_UNSUPPORTED = frozenset({"title", "default", "examples", "discriminator", "minLength", "maxLength"})
"""Strict modes refuse them; what they say is checked when the answer comes."""


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every object closed and every property required, as strict modes ask; noise taken out."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            made[key] = {name: strict(inner) for name, inner in value.items()}
        elif key not in _UNSUPPORTED:
            made["anyOf" if key == "oneOf" else key] = _inner(value)
    if made.get("type") == "object" and "properties" in made:
        made["additionalProperties"] = False
        made["required"] = list(made["properties"])
    return made


def _inner(value: Any) -> Any:
    if isinstance(value, list):
        return [_inner(item) for item in cast(list[Any], value)]
    return strict(cast(Mapping[str, Any], value)) if isinstance(value, dict) else value
