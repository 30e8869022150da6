"""An OpenAPI document: what it is, and what its references stand for, inlined within bounds."""

import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import unquote, urljoin

from pydantic import JsonValue

from theseus.activities.tools.declarations import ToolFileError
from theseus.activities.tools.openapi.file import base_address

VERSIONS = ("3.0", "3.1")
MAX_NODES = 4_000
"""So many nodes of one operation's schemas are inlined; what comes after may be anything."""
MAX_REFERENCES = 12
"""A chain of references longer than that leads nowhere."""

Node = Mapping[str, object]

_PLAIN = frozenset(
    re.findall(
        r"\S+",
        "type format title description default enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum "
        "maxLength minLength pattern maxItems minItems uniqueItems maxProperties minProperties required",
    )
)
_ONE = frozenset({"items", "additionalProperties", "not", "contains", "propertyNames"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})


class Document:
    """A document of OpenAPI 3.0 or 3.1.

    Args:
        data: what it says.
        name: what errors call it.

    Raises:
        ToolFileError: it is no such document.
    """

    def __init__(self, data: object, name: str) -> None:
        self.name = name
        if not isinstance(data, dict):
            raise self.wrong("document", "it is no object")
        self._root = cast("Node", data)
        version = self._root.get("openapi")
        if "swagger" in self._root:
            raise self.wrong("swagger", "OpenAPI 2.0 (Swagger) is not read: convert it to 3.0 or 3.1")
        if not isinstance(version, str) or version[:3] not in VERSIONS:
            raise self.wrong("openapi", f"{str(version)[:40]!r} is no version that is read: 3.0 and 3.1 are")

    @property
    def paths(self) -> Node:
        """Path items by path."""
        return self.mapping(self._root.get("paths", {}), "paths")

    def base_url(self, came_from: str | None) -> str:
        """Where its first server is; a relative one goes from the address that the document came from.

        Raises:
            ToolFileError: it names none that can be used.
        """
        servers = self._root.get("servers")
        first = cast("list[object]", servers)[0] if isinstance(servers, list) and servers else {"url": "/"}
        server = self.mapping(first, "servers.0")
        url = str(server.get("url", ""))
        for name, variable in self.mapping(server.get("variables") or {}, "servers.0.variables").items():
            default = self.mapping(variable, f"servers.0.variables.{name}").get("default", "")
            url = url.replace(f"{{{name}}}", str(default))
        found = base_address(urljoin(came_from, url) if came_from is not None else url)
        if found is None:
            raise self.wrong("servers.0.url", f"{url[:100]!r} is no whole web address: give the entry a `base_url`")
        return found

    def mapping(self, value: object, place: str) -> Node:
        """The value, its reference followed.

        Raises:
            ToolFileError: it is no object.
        """
        for _ in range(MAX_REFERENCES):
            if not isinstance(value, dict):
                raise self.wrong(place, "it is no object")
            node = cast("Node", value)
            if "$ref" not in node:
                return node
            value = self.target(node["$ref"], place)
        raise self.wrong(place, f"more than {MAX_REFERENCES} references lead from one to the next")

    def target(self, reference: object, place: str) -> object:
        """What a reference stands for.

        Raises:
            ToolFileError: it leads out of the document, or nowhere.
        """
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise self.wrong(place, f"$ref {str(reference)[:100]!r} leads out of the document, which is not followed")
        found: object = self._root
        for part in unquote(reference[1:]).split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = cast("Node", found)[key]
            elif isinstance(found, list) and key.isdigit() and int(key) < len(cast("list[object]", found)):
                found = cast("list[object]", found)[int(key)]
            else:
                raise self.wrong(place, f"$ref {reference[:100]!r} leads to nothing")
        return found

    def wrong(self, place: str, what: str) -> ToolFileError:
        """The error that says what is wrong at a place of the document."""
        return ToolFileError(f"{self.name}: {place}: {what}")


class Inlining:
    """Makes JSON Schemas (2020-12) without references of the schemas of one operation."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def schema(self, value: object, place: str) -> dict[str, JsonValue]:
        """The schema; one that refers to itself may be anything from there on.

        Raises:
            ToolFileError: it is none, or a reference is broken.
        """
        found = self._schema(value, place, ())
        return found if isinstance(found, dict) else {}

    def _schema(self, value: object, place: str, within: tuple[str, ...]) -> JsonValue:
        self._nodes += 1
        if isinstance(value, bool):
            return value
        if self._nodes > MAX_NODES:
            return {}
        if not isinstance(value, dict):
            raise self._document.wrong(place, "a schema is an object")
        node = cast("Node", value)
        if "$ref" not in node:
            return self._node(node, place, within)
        reference = str(node["$ref"])
        if reference in within or len(within) >= MAX_REFERENCES:
            return {}
        found = self._schema(self._document.target(node["$ref"], place), place, (*within, reference))
        description = node.get("description")
        if isinstance(found, dict) and isinstance(description, str):
            return {**found, "description": description}
        return found

    def _node(self, node: Node, place: str, within: tuple[str, ...]) -> JsonValue:
        made: dict[str, JsonValue] = {}
        for key, value in node.items():
            at = f"{place}.{key}"
            if key in _PLAIN:
                made[key] = self._plain(value)
            elif key in _ONE:
                made[key] = self._schema(value, at, within)
            elif key in _LISTS and isinstance(value, list):
                parts = cast("list[object]", value)
                made[key] = [self._schema(part, f"{at}.{n}", within) for n, part in enumerate(parts)]
            elif key in ("properties", "patternProperties"):
                made[key] = self._properties(self._document.mapping(value, at), at, within)
        _drop_read_only(made, node)
        return _as_2020_12(made, nullable=node.get("nullable") is True)

    def _properties(self, properties: Node, place: str, within: tuple[str, ...]) -> dict[str, JsonValue]:
        return {
            str(name): self._schema(value, f"{place}.{name}", within)
            for name, value in properties.items()
            if not _is_read_only(value)
        }

    def _plain(self, value: object, depth: int = 0) -> JsonValue:
        """The value as JSON has it: YAML knows dates, keys that are no text, and parts that stand in many places."""
        self._nodes += 1
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if depth > MAX_REFERENCES or self._nodes > MAX_NODES:
            return None
        if isinstance(value, dict):
            items = cast("dict[object, object]", value).items()
            return {str(key): self._plain(item, depth + 1) for key, item in items}
        if isinstance(value, list):
            return [self._plain(item, depth + 1) for item in cast("list[object]", value)]
        return str(value)


def _is_read_only(schema: object) -> bool:
    return isinstance(schema, dict) and cast("Node", schema).get("readOnly") is True


def _drop_read_only(made: dict[str, JsonValue], node: Node) -> None:
    required, given, kept = made.get("required"), node.get("properties"), made.get("properties")
    if isinstance(required, list) and isinstance(given, dict) and isinstance(kept, dict):
        made["required"] = [name for name in required if name in kept or name not in given]
    elif not isinstance(required, list):
        # of a parameter in the way of OpenAPI 2: a flag, which no JSON Schema has
        made.pop("required", None)


def _as_2020_12(made: dict[str, JsonValue], *, nullable: bool) -> dict[str, JsonValue]:
    """What 3.0 says in its own way, as JSON Schema does."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = made.get(exclusive)
        if isinstance(flag, bool):
            del made[exclusive]
            if flag and limit in made:
                made[exclusive] = made.pop(limit)
    kind, values = made.get("type"), made.get("enum")
    if nullable and isinstance(kind, str):
        made["type"] = [kind, "null"]
    if nullable and isinstance(values, list) and None not in values:
        made["enum"] = [*values, None]
    return made
