"""Worlds with templates of their own: files in a folder, and the worker that finds them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def write(folder: Path, *templates: Mapping[str, Any]) -> None:
    """Writes each template into a file of its name."""
    folder.mkdir(exist_ok=True)
    for template in templates:
        (folder / f"{template['name']}.yaml").write_text(yaml.safe_dump(dict(template), sort_keys=False))


def text(name: str, words: str, *after: str, **more: Any) -> dict[str, Any]:
    """A node that renders."""
    return {"id": name, "type": "render", "text": words, "depends_on": list(after), **more}


def tool(name: str, call: str, arguments: Mapping[str, Any], *after: str, **more: Any) -> dict[str, Any]:
    """A node that calls a tool."""
    node = {"id": name, "type": "tool", "tool": call, "arguments": dict(arguments), "depends_on": list(after)}
    return {**node, **more}


def agent(name: str, prompt: str | None = None, *after: str, **more: Any) -> dict[str, Any]:
    """A node that one agent does."""
    node = {"id": name, "type": "simple", "role": "chat", "prompt": prompt or f"do {name}", "depends_on": list(after)}
    return {**node, **more}
