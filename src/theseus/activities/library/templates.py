"""The templates of some folders: read, inherited, checked. What is wrong is said with file, line and field."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from theseus.activities.library.documents import Document, LibraryError, read, said
from theseus.activities.library.shelf import Contents, Item, Shelf
from theseus.activities.library.texts import TextError, check
from theseus.contracts.template import MOST_TEMPLATE_BYTES, DagNode, Name, Node, RenderNode, Template, ToolNode
from theseus.contracts.tools import Effect
from theseus.domain.templates.binding import default_fault
from theseus.domain.templates.merging import merged
from theseus.domain.templates.soundness import Fault, before, faults, tool_faults
from theseus.domain.versions import named, parsed

SUFFIXES = (".yaml", ".yml")
MAX_BASES = 20
"""Templates that one extends, with all that those extend."""
FAULTS_SHOWN = 5

Place = tuple[str | int, ...]

_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Found:
    """A sound template with all that it extends. `content_hash` is of what it says, whatever files say it."""

    template: Template
    content_hash: str
    origin: "Origin"


@dataclass(frozen=True)
class Origin:
    """The files that a template came from, its own first: where its parts stand."""

    documents: Sequence[Document]
    nodes: Sequence[str]

    def wrong(self, found: Sequence[Fault]) -> LibraryError:
        """The error that tells these faults, each with its place."""
        told = [self._said(place, what) for place, what in found[:FAULTS_SHOWN]]
        if len(found) > FAULTS_SHOWN:
            told.append(f"and {len(found) - FAULTS_SHOWN} more")
        return LibraryError("; ".join(told))

    def _said(self, place: Place, what: str) -> str:
        for document in self.documents:
            own = self._within(document, place)
            if own is not None and (own in document.lines or document is self.documents[-1]):
                return said(document.name, document.line(own), place, what)
        return said(self.documents[0].name, self.documents[0].line(place[:1]), place, what)

    def _within(self, document: Document, place: Place) -> Place | None:
        """The place in one file: a node stands where the file has it, not where it came to stand."""
        if len(place) < 2 or place[0] != "nodes" or not isinstance(place[1], int) or place[1] >= len(self.nodes):
            return place
        found = [
            at
            for at, node in enumerate(_list(document.data.get("nodes")))
            if isinstance(node, dict) and cast("dict[str, Any]", node).get("id") == self.nodes[place[1]]
        ]
        if not found:
            return None
        return ("nodes", place[1] if place[1] in found else found[0], *place[2:])


class Templates:
    """The templates of some folders.

    Args:
        folders: where their files are; all are looked through for each task.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._shelf = Shelf(folders, SUFFIXES, _read)
        self._sound: tuple[Contents[Document] | None, dict[str, Found]] = (None, {})

    @property
    def contents(self) -> Contents[Document]:
        """What is there now."""
        return self._shelf.contents()

    def find(self, name: str, version: str | None = None) -> Found | None:
        """The template of a version, or the newest; None when there is none.

        Raises:
            LibraryError: there is one, and it cannot be used.
        """
        contents = self._shelf.contents()
        of, sound = self._sound
        if contents is not of:
            sound = {}
            self._sound = (contents, sound)
        item = contents.find(name, version)
        if item is None:
            return None
        if item.key not in sound:
            sound[item.key] = _sound(contents, item)
        return sound[item.key]

    def names(self) -> list[str]:
        """`name@version` of all that can be read."""
        return [item.key for item in self._shelf.contents().all()]

    def problems(self) -> list[str]:
        """What is wrong with any of them, in words: whether a worker has the tools that they name apart."""
        found = list(self._shelf.contents().problems)
        for name in self.names():
            try:
                self.find(*named(name))
            except LibraryError as error:
                found.append(str(error))
        return list(dict.fromkeys(found))


def unusable(found: Found, tools: Mapping[str, Effect], roles: Collection[str], unserved: Collection[str] = ()) -> str:
    """What a worker with these tools and roles cannot do of a template; empty when it can do all.

    `unserved` are roles that need a vendor's tools and have none.
    """
    wrong = tool_faults(found.template, tools, roles, unserved)
    return str(found.origin.wrong(wrong)) if wrong else ""


def _read(file: str, data: bytes) -> Item[Document]:
    document = read(data, file)
    name, version = document.data.get("name"), document.data.get("version", "1.0.0")
    if not isinstance(name, str):
        raise document.wrong(("name",), "a template has a name")
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise document.wrong(("name",), "letters, digits, _ and -, at most 64, and a letter first") from error
    try:
        parsed(version)
    except (TypeError, ValueError) as error:
        raise document.wrong(("version",), f"{version!r} is no semantic version such as 1.2.0") from error
    return Item(name, version, document, file)


def _sound(contents: Contents[Document], item: Item[Document]) -> Found:
    documents = [item.value]
    data = _inherited(contents, item, (item.key,), documents)
    ids = [str(cast("dict[str, Any]", node).get("id")) for node in _list(data.get("nodes")) if isinstance(node, dict)]
    origin = Origin(documents, ids)
    template = _shaped(data, origin)
    wrong = [*faults(template), *_parameters(template)]
    wrong = wrong or list(_texts(template))
    if wrong:
        raise origin.wrong(wrong)
    said_so = json.dumps(template.model_dump(mode="json", by_alias=True), sort_keys=True, ensure_ascii=False).encode()
    if len(said_so) > MOST_TEMPLATE_BYTES:
        raise item.value.wrong(
            (), f"with all that it extends it is {len(said_so)} bytes; at most {MOST_TEMPLATE_BYTES}"
        )
    return Found(template, hashlib.sha256(said_so).hexdigest(), origin)


def _inherited(
    contents: Contents[Document], item: Item[Document], path: tuple[str, ...], documents: list[Document]
) -> dict[str, Any]:
    document = item.value
    wanted: object = document.data.get("extends", [])
    references = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(references, list) or not all(isinstance(each, str) for each in cast("list[Any]", references)):
        raise document.wrong(("extends",), "a name such as base or base@1.0.0, or a list of them")
    bases: list[dict[str, Any]] = []
    at_own = len(documents)
    for at, reference in enumerate(cast("list[str]", references)):
        place: Place = ("extends",) if isinstance(wanted, str) else ("extends", at)
        base = contents.find(*named(reference))
        if base is None:
            raise document.wrong(place, f"there is no template {reference!r}")
        if base.key in path:
            raise document.wrong(place, f"templates extend each other in a circle: {' -> '.join((*path, base.key))}")
        if len(documents) > MAX_BASES:
            raise document.wrong(place, f"more than {MAX_BASES} templates are extended")
        at_base = len(documents)
        documents.append(base.value)
        bases.append(_inherited(contents, base, (*path, base.key), documents))
        # of several that say something, the last one's word holds: it is looked through first
        documents[at_own:] = [*documents[at_base:], *documents[at_own:at_base]]
    return merged(bases, document.data)


def _shaped(data: Mapping[str, Any], origin: Origin) -> Template:
    try:
        return Template.model_validate(data)
    except ValidationError as error:
        raise origin.wrong(
            [_fault(dict(item)) for item in error.errors(include_url=False, include_input=False)]
        ) from error


def _fault(item: Mapping[str, Any]) -> Fault:
    # the type of a node stands in the place of a tagged union, but not in a file
    place = [part for at, part in enumerate(item["loc"]) if not (at == 2 and item["loc"][0] == "nodes")]
    said_so = "unknown key" if item["type"] == "extra_forbidden" else str(item["msg"])
    return tuple(place), said_so


def _parameters(template: Template) -> Iterator[Fault]:
    for name, parameter in template.parameters.items():
        if problem := default_fault(parameter):
            yield ("parameters", name, "default"), problem


def _texts(template: Template) -> Iterator[Fault]:
    known = before(template)
    for at, node in enumerate(template.nodes):
        for place, text, has_item in _texts_of(node):
            yield from _checked(("nodes", at, *place), text, known[node.id], has_item=has_item)
    if template.output is not None:
        yield from _checked(("output",), template.output, known.keys())


def _checked(place: Place, text: str, results: Collection[str], *, has_item: bool = False) -> Iterator[Fault]:
    try:
        check(text, results, has_item=has_item)
    except TextError as error:
        where = f" (line {error.line} of the text)" if "\n" in text else ""
        yield place, f"{error}{where}"


def _texts_of(node: Node) -> Iterator[tuple[Place, str, bool]]:
    if isinstance(node, RenderNode):
        yield ("text",), node.text, False
    elif isinstance(node, ToolNode):
        yield from ((("arguments", *place), text, False) for place, text in _strings(node.arguments))
    elif isinstance(node, DagNode):
        for at, task in enumerate(node.tasks):
            yield ("tasks", at, "prompt"), task.prompt, False
        if node.parallel_by is not None and node.each is not None:
            yield ("parallel_by",), node.parallel_by, False
            yield ("each", "prompt"), node.each.prompt, True
    elif node.prompt is not None:
        yield ("prompt",), node.prompt, False
    if node.on_fail.text is not None:
        yield ("on_fail", "text"), node.on_fail.text, False


def _strings(value: JsonValue, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from _strings(part, (*place, at))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _strings(part, (*place, key))


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
