"""The operations of an OpenAPI document: what each is called, takes and sends."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import cast

from pydantic import JsonValue

from theseus.activities.tools.declarations import Choice
from theseus.activities.tools.openapi.document import Document, Inlining, Node
from theseus.contracts.tools import Effect

MAX_OPERATIONS = 128
"""Of one document: no provider takes more tools in one request."""
METHODS = ("get", "head", "post", "put", "patch", "delete")
BODY = "body"
"""The argument that is sent as the request's body."""

_KEY = re.compile(r"[^a-zA-Z0-9_.-]")
_NEVER_SENT = frozenset(
    re.findall(
        r"\S+",
        "accept accept-encoding authorization connection content-encoding content-length content-type cookie host "
        "idempotency-key proxy-authorization te trailer transfer-encoding upgrade user-agent",
    )
)
_PLACES = ("path", "query", "header")


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation. `key` is the argument that it is filled from."""

    name: str
    where: str
    key: str
    style: str
    explode: bool
    as_json: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation; `body_type` is the media type of its JSON body, if it has one."""

    id: str
    method: str
    path: str
    description: str
    schema: dict[str, JsonValue]
    parameters: tuple[Parameter, ...]
    body_type: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """What the entry may call it."""
        return (self.id, f"{self.method} {self.path}")

    @property
    def effect(self) -> Effect:
        """What it does to the world, by its method."""
        return Effect.READ if self.method in ("GET", "HEAD") else Effect.WRITE


def operations_of(document: Document, choice: Choice) -> list[Operation]:
    """The operations that the choice takes; one that needs a body other than JSON is left out.

    Raises:
        ToolFileError: one of them is broken, or there are too many.
    """
    taken = [(path, method, node) for path, method, node in _all(document) if choice.takes(*_names(path, method, node))]
    if len(taken) > MAX_OPERATIONS:
        what = f"{len(taken)} operations would be tools; at most {MAX_OPERATIONS} may: name those in `operations`"
        raise document.wrong("paths", what)
    made: dict[str, Operation] = {}
    for path, method, node in taken:
        operation = _operation(document, path, method, node)
        if operation is not None and operation.id in made:
            operation = replace(operation, id=_method_path(path, method))
        if operation is not None:
            made.setdefault(operation.id, operation)
    return list(made.values())


def without(operation: Operation, names: Collection[str]) -> Operation:
    """The operation without the parameters of these names (in lower case): they are filled in otherwise."""
    gone = {p.key for p in operation.parameters if p.where != "path" and p.name.lower() in names}
    if not gone:
        return operation
    properties = cast("dict[str, JsonValue]", operation.schema["properties"])
    required = cast("list[JsonValue]", operation.schema.get("required", []))
    schema: dict[str, JsonValue] = {
        **operation.schema,
        "properties": {key: value for key, value in properties.items() if key not in gone},
        "required": [key for key in required if key not in gone],
    }
    parameters = tuple(p for p in operation.parameters if p.key not in gone)
    return replace(operation, schema=schema, parameters=parameters)


def _all(document: Document) -> Iterator[tuple[str, str, Node]]:
    for path, item in document.paths.items():
        place = f"paths.{path}"
        if not str(path).startswith("/"):
            continue
        found = document.mapping(item, place)
        for method in METHODS:
            if method in found:
                yield path, method, {"_shared": found.get("parameters"), **document.mapping(found[method], place)}


def _names(path: str, method: str, node: Node) -> tuple[str, str]:
    return _id(path, method, node), f"{method.upper()} {path}"


def _id(path: str, method: str, node: Node) -> str:
    given = node.get("operationId")
    return given if isinstance(given, str) and given.strip() else _method_path(path, method)


def _method_path(path: str, method: str) -> str:
    return "_".join([method, *re.findall(r"[A-Za-z0-9_.-]+", path)])


def _operation(document: Document, path: str, method: str, node: Node) -> Operation | None:
    place = f"paths.{path}.{method}"
    inlining = Inlining(document)
    properties: dict[str, JsonValue] = {}
    required: list[JsonValue] = []
    body_type, body, must = _body(document, inlining, node, f"{place}.requestBody")
    if body_type is None and must:
        return None
    if body_type is not None:
        properties[BODY] = body
        required += [BODY] if must else []
    parameters: list[Parameter] = []
    for given, at in _parameters(document, path, node, place):
        made = _parameter(given, properties)
        properties[made.key], as_json = _parameter_schema(document, inlining, given, at)
        parameters.append(replace(made, as_json=as_json))
        if given.get("required") is True or made.where == "path":
            required.append(made.key)
    schema: dict[str, JsonValue] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return Operation(
        id=_id(path, method, node),
        method=method.upper(),
        path=path,
        description=_description(node, f"{method.upper()} {path}"),
        schema=schema,
        parameters=tuple(parameters),
        body_type=body_type,
    )


def _description(node: Node, otherwise: str) -> str:
    parts = [str(node[key]).strip() for key in ("summary", "description") if node.get(key)]
    if node.get("deprecated") is True:
        parts.append("Deprecated.")
    return "\n\n".join(dict.fromkeys(parts)) or otherwise


def _parameters(document: Document, path: str, node: Node, place: str) -> list[tuple[Node, str]]:
    """The parameters that are sent, those of the path item first; one of the operation's own replaces its namesake."""
    found: dict[tuple[str, str], tuple[Node, str]] = {}
    for key in ("_shared", "parameters"):
        listed = node.get(key)
        if listed is not None and not isinstance(listed, list):
            raise document.wrong(f"{place}.parameters", "it is no list")
        for n, item in enumerate(cast("list[object]", listed or [])):
            at = f"{place}.parameters.{n}"
            given = document.mapping(item, at)
            name, where = given.get("name"), given.get("in")
            if not isinstance(name, str) or not isinstance(where, str):
                raise document.wrong(at, "a parameter has a `name` and an `in`")
            found[name, where] = (given, at)
    for name in re.findall(r"\{([^{}]+)\}", path):
        # a path cannot be built without it, whether it was declared or not
        found.setdefault((name, "path"), ({"name": name, "in": "path", "schema": {"type": "string"}}, place))
    return [value for (name, where), value in found.items() if _is_sent(name, where, path)]


def _is_sent(name: str, where: str, path: str) -> bool:
    if where == "path":
        return f"{{{name}}}" in path
    return where in _PLACES and not (where == "header" and name.lower() in _NEVER_SENT)


def _parameter(given: Node, taken: dict[str, JsonValue]) -> Parameter:
    name, where = str(given["name"]), str(given["in"])
    key = _KEY.sub("_", name)[:64] or where
    while key in taken:
        key = f"{where}_{key}"[:64] if not key.startswith(f"{where}_") else f"{key[:62]}_{len(taken)}"
    style = str(given.get("style") or ("form" if where == "query" else "simple"))
    explode = given.get("explode")
    return Parameter(name, where, key, style, explode if isinstance(explode, bool) else style == "form")


def _parameter_schema(document: Document, inlining: Inlining, given: Node, at: str) -> tuple[JsonValue, bool]:
    """The parameter's schema, and whether its value is sent as JSON."""
    content = given.get("content")
    as_json = "schema" not in given and bool(content)
    if as_json:
        medias = list(document.mapping(content, f"{at}.content").values())
        media = document.mapping(medias[0], f"{at}.content")
        schema = inlining.schema(media.get("schema", {}), f"{at}.content.schema")
    else:
        schema = inlining.schema(given.get("schema", {}), f"{at}.schema")
    description = given.get("description")
    return ({**schema, "description": description} if isinstance(description, str) else schema), as_json


def _body(
    document: Document, inlining: Inlining, node: Node, place: str
) -> tuple[str | None, dict[str, JsonValue], bool]:
    """Media type, schema, and whether there has to be a body. The type is None when there is none, or none of JSON."""
    if node.get("requestBody") is None:
        return None, {}, False
    body = document.mapping(node["requestBody"], place)
    content = document.mapping(body.get("content") or {}, f"{place}.content")
    must = body.get("required") is True
    for media_type, media in content.items():
        kind = media_type.partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json") or kind == "*/*":
            schema = document.mapping(media, f"{place}.content").get("schema", {})
            sent = "application/json" if kind == "*/*" else media_type
            return sent, inlining.schema(schema, f"{place}.content.schema"), must
    return None, {}, must
