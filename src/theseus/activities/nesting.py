"""YAML that is nested without end, refused before the reader that would crash the process on it sees it."""

from typing import Any

import yaml

MAX_DEPTH = 100

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_OPENS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSES = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def refuse_deep(text: str) -> None:
    """Looks through a YAML document without building anything of it.

    Raises:
        yaml.YAMLError: it is nested more than `MAX_DEPTH` deep, or is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, _OPENS):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark
                raise yaml.MarkedYAMLError(problem=f"nested more than {MAX_DEPTH} deep", problem_mark=mark)
        elif isinstance(event, _CLOSES):
            depth -= 1
