"""A valid instance of a JSON Schema, as small as it can be."""

from typing import Any, cast

_MOST_DEPTH = 20
Schema = dict[str, Any]


def instance(schema: Any) -> Any:
    """The instance. Understands what pydantic and people write: refs, enums, unions, bounds; patterns as best it can."""
    return _make(schema, schema, 0)


def _make(schema: Any, root: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _MOST_DEPTH:
        return None
    node = cast(Schema, schema)
    for special in (_reference, _fixed, _union):
        found, value = special(node, root, depth)
        if found:
            return value
    return _typed(node, root, depth)


def _reference(node: Schema, root: Any, depth: int) -> tuple[bool, Any]:
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return False, None
    target = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")] if part else target
    return True, _make(target, root, depth + 1)


def _fixed(node: Schema, root: Any, depth: int) -> tuple[bool, Any]:
    if "const" in node:
        return True, node["const"]
    if node.get("enum"):
        return True, node["enum"][0]
    return ("default" in node and node["default"] is not None), node.get("default")


def _union(node: Schema, root: Any, depth: int) -> tuple[bool, Any]:
    if node.get("allOf"):
        merged: Schema = {key: value for key, value in node.items() if key != "allOf"}
        for part in cast(list[Schema], node["allOf"]):
            merged = _merged(merged, _resolved(part, root))
        return True, _make(merged, root, depth + 1)
    options = cast(list[Schema], node.get("anyOf") or node.get("oneOf") or [])
    if not options:
        return False, None
    plain = [option for option in options if option.get("type") != "null"] or options
    return True, _make(plain[0], root, depth + 1)


def _merged(one: Schema, other: Schema) -> Schema:
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    required = [*one.get("required", []), *other.get("required", [])]
    return {
        **one,
        **other,
        **({"properties": properties} if properties else {}),
        **({"required": required} if required else {}),
    }


def _resolved(node: Schema, root: Any) -> Schema:
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    target = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        target = target[part] if part else target
    return cast(Schema, target)


def _typed(node: Schema, root: Any, depth: int) -> Any:
    kind = node.get("type")
    if isinstance(kind, list):
        kinds = cast(list[str], kind)
        kind = next((name for name in kinds if name != "null"), "null")
    match kind or ("object" if "properties" in node else None):
        case "object":
            properties = cast(dict[str, Any], node.get("properties", {}))
            return {name: _make(properties.get(name, {}), root, depth + 1) for name in node.get("required", [])}
        case "array":
            return [_make(node.get("items", {}), root, depth + 1) for _ in range(node.get("minItems", 0))]
        case "integer":
            return _number(node, whole=True)
        case "number":
            return _number(node, whole=False)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return _text(node)


def _number(node: Schema, *, whole: bool) -> float | int:
    step = node.get("multipleOf", 1 if whole else 0)
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    if low is None:
        value = 0 if high is None or high > 0 else high - (1 if "exclusiveMaximum" in node else 0)
    elif "exclusiveMinimum" in node:
        value = low + 1 if whole or high is None else (low + high) / 2
    else:
        value = max(low, 0) if high is None or high >= 0 else low
    if step:
        value = -(-value // step) * step
    return int(value) if whole else value


def _text(node: Schema) -> str:
    known = {
        "date-time": "2025-01-01T00:00:00Z",
        "date": "2025-01-01",
        "time": "00:00:00Z",
        "email": "someone@example.com",
        "uri": "https://example.com/",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
    if (value := known.get(str(node.get("format", "")))) is not None:
        return value
    pattern = node.get("pattern")
    if isinstance(pattern, str) and pattern.startswith("^(") and pattern.endswith(")$"):
        return pattern[2:-2].split("|")[0]
    text = "text"[: node.get("maxLength", 4)]
    return text + "x" * (node.get("minLength", 0) - len(text))
