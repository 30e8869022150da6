"""YAML with places: what a file says, and on which line each part of it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from typing import Any, cast

import yaml

from theseus.activities.nesting import LOADER, refuse_deep

MAX_FILE_BYTES = 256 * 1024
MAX_NODES = 20_000

Path = tuple[str | int, ...]


class LibraryError(Exception):
    """A file of the library cannot be used; the message names the file, the line and the field."""


@dataclass
class Document:
    """What one file says. `lines` are numbers from 1, by the path of a part."""

    name: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: dict[Path, int] = field(default_factory=dict[Path, int])

    def line(self, path: Path) -> int | None:
        """The line of a part, or of the nearest part around it; None for the document as a whole."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None

    def wrong(self, path: Path, what: str) -> LibraryError:
        """The error that says what is wrong at a place."""
        return LibraryError(said(self.name, self.line(path), path, what))


def said(name: str, line: int | None, path: Sequence[str | int], what: str) -> str:
    """File, line, field and what is wrong there, in a line."""
    place = ".".join(str(part) for part in path)
    return ": ".join(part for part in (name, f"line {line}" if line is not None else "", place, what) if part)


def read(data: bytes, name: str, first_line: int = 1) -> Document:
    """The YAML mapping in these bytes; `name` is what errors call it, `first_line` where in the file it begins.

    Raises:
        LibraryError: it is too large, no YAML, no mapping, or says a key twice; anchors and aliases are refused.
    """
    if len(data) > MAX_FILE_BYTES:
        raise LibraryError(f"{name}: larger than {MAX_FILE_BYTES} bytes, which is the most that is read")
    document = Document(name)
    reading = _Reading(document, first_line)
    try:
        text = data.decode("utf-8-sig")
        refuse_deep(text)
        loader = LOADER(text)
        try:
            node = loader.get_single_node()
            value = reading.value(loader, node, ()) if node is not None else None
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise LibraryError(f"{name}: not UTF-8 text (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + first_line if mark is not None else None
        raise LibraryError(said(name, line, (), f"not YAML: {error.problem or error.context}")) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise LibraryError(f"{name}: not YAML: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise LibraryError(f"{name}: it has to be a mapping, such as `name: my_template`")
    document.data = cast("dict[str, Any]", value)
    return document


class _Reading:
    def __init__(self, document: Document, first_line: int) -> None:
        self._document = document
        self._first_line = first_line
        self._seen: set[int] = set()

    def value(self, loader: Any, node: yaml.Node, path: Path) -> object:
        self._document.lines[path] = node.start_mark.line + self._first_line
        # what is there twice came by an alias
        if id(node) in self._seen:
            raise self._document.wrong(path, "anchors and aliases are not read: write it out")
        self._seen.add(id(node))
        if len(self._seen) > MAX_NODES:
            raise self._document.wrong((), f"it has more than {MAX_NODES} parts")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(loader, part, (*path, at)) for at, part in enumerate(node.value)]
        return self._scalar(loader, node, path)

    def _mapping(self, loader: Any, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, part in node.value:
            key = loader.construct_object(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + self._first_line
            if not isinstance(key, str):
                raise LibraryError(said(self._document.name, line, path, "a key has to be a text: quote it"))
            if key in found:
                raise LibraryError(said(self._document.name, line, (*path, key), "is there twice"))
            found[key] = self.value(loader, part, (*path, key))
            self._document.lines[(*path, key)] = line
        return found

    def _scalar(self, loader: Any, node: yaml.Node, path: Path) -> object:
        value = loader.construct_object(node)
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float) and not isfinite(value):
            raise self._document.wrong(path, f"{value} is no number that JSON has")
        if value is not None and not isinstance(value, str | int | float | bool):
            raise self._document.wrong(path, f"a {type(value).__name__} cannot stand here: quote it")
        return value
