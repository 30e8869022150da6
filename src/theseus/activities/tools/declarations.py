"""Files in which an operator names tools: read within bounds, checked, and whatever is wrong is said with its place.

Values may name variables of the environment, so that no key stands in a file; those values are then kept out of all
that is said and logged.
"""

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from theseus.activities.nesting import LOADER, refuse_deep
from theseus.contracts.tools import Effect
from theseus.domain.toolset import fits

MAX_FILE_BYTES = 5 * 1024 * 1024
PROBLEMS_SHOWN = 5
MAX_YAML_NODES = 2_000_000
SECRET_CHARS = 6
"""A shorter value is no key: hiding it would only garble what is said."""
HIDDEN = "[key]"

SourceName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]+(_[a-zA-Z0-9-]+)*$", max_length=32)]
"""What tools of a source are prefixed with; it has no `__`, which ends the prefix."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ToolFileError(Exception):
    """A file of tools cannot be used; the message names the file and the place in it."""


class Declared(BaseModel):
    """An entry of a file of tools: a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(Declared):
    """Which tools of a source are taken, and what they do to the world where its own word is not to be taken.

    `tools` are names, or patterns with `*`; absent: all. `effects` go by the same names, the first that fits.
    """

    tools: tuple[str, ...] | None = None
    effects: dict[str, Effect] = Field(default_factory=dict)

    def takes(self, *names: str) -> bool:
        """Whether a tool with these names is taken."""
        return self.tools is None or any(fits(name, self.tools) for name in names)

    def effect(self, names: Sequence[str], otherwise: Effect) -> Effect:
        """What the file says of a tool with these names, else `otherwise`."""
        found = (effect for pattern, effect in self.effects.items() if any(fits(name, [pattern]) for name in names))
        return next(found, otherwise)


class Secrets:
    """Values that must not be seen."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = sorted({v for v in values if len(v) >= SECRET_CHARS}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text with a mark where one of the values stood."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text


class Variables:
    """The environment that a file's values may name."""

    def __init__(self, environ: Mapping[str, str], file: str) -> None:
        self._environ = environ
        self._file = file

    def value(self, name: str, place: str) -> str:
        """The value of a variable.

        Raises:
            ToolFileError: it is not set.
        """
        found = self._environ.get(name, "")
        if not found:
            raise self.wrong(place, f"the variable {name} is not set where the worker runs")
        return found

    def wrong(self, place: str, what: str) -> ToolFileError:
        """The error that says what is wrong at a place of the file."""
        return ToolFileError(f"{self._file}: {place}: {what}")

    def filled(self, text: str, place: str) -> str:
        """The text with the value of each variable in place of `${NAME}`.

        Raises:
            ToolFileError: a variable is not set.
        """
        return _VARIABLE.sub(lambda match: self.value(match[1], place), text)

    def secrets(self, texts: Iterable[str]) -> list[str]:
        """The values that `filled` puts into these texts."""
        return [self._environ.get(name, "") for text in texts for name in _VARIABLE.findall(text)]


def read_data(path: Path) -> object:
    """What a YAML or JSON file says.

    Raises:
        ToolFileError: it cannot be read, is too large, or neither YAML nor JSON.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ToolFileError(f"{path}: cannot be read ({error.strerror})") from error
    return parsed(data, str(path))


def parsed(data: bytes, name: str) -> object:
    """What YAML or JSON says; `name` is what errors call it.

    Raises:
        ToolFileError: there is too much of it, or it is neither.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ToolFileError(f"{name}: larger than {MAX_FILE_BYTES} bytes, which is the most that is read")
    try:
        text = data.decode("utf-8-sig")
        # JSON first: it is YAML too, but a hundred times faster to read as what it is
        return json.loads(text) if text.lstrip()[:1] in ("{", "[") and _is_json(text) else _yaml(text)
    except UnicodeDecodeError as error:
        raise ToolFileError(f"{name}: not UTF-8 text (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark
        where = f"line {at.line + 1}, column {at.column + 1}" if at is not None else "somewhere"
        raise ToolFileError(f"{name}: {where}: neither YAML nor JSON: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ToolFileError(f"{name}: neither YAML nor JSON: {str(error)[:200]}") from error


def _yaml(text: str) -> object:
    refuse_deep(text)
    loader = LOADER(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MAX_YAML_NODES:
            raise yaml.YAMLError(f"with its aliases filled in it has more than {MAX_YAML_NODES} parts")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many parts a node has when what aliases stand for is counted each time."""
    if id(node) not in known:
        # one that holds itself has no end
        known[id(node)] = MAX_YAML_NODES + 1
        parts: Any = node.value if isinstance(node, yaml.CollectionNode) else ()
        flat = itertools.chain.from_iterable(parts) if isinstance(node, yaml.MappingNode) else parts
        known[id(node)] = 1 + sum(_size(part, known) for part in flat)
    return known[id(node)]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def problems(error: ValidationError, within: str = "") -> str:
    """What is wrong, with places, in a line."""
    told = [
        f"{'.'.join([*([within] if within else []), *(str(part) for part in item['loc'])]) or 'file'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)[:PROBLEMS_SHOWN]
    ]
    return "; ".join(told)
