"""Finds the adapters that are installed and configured, and takes the tools that they bring."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from theseus.activities.tools.registry import Tool
from theseus.activities.vendors.port import GROUP, Adapter, AdapterError
from theseus.contracts.tools import Effect
from theseus.roles.presets import PRESETS

_log = logging.getLogger("theseus.adapters")


def load_adapters(names: Sequence[str] | None, environ: Mapping[str, str]) -> dict[str, Adapter]:
    """The adapters of a worker, by name.

    Args:
        names: those to load; None loads all that are installed and configured.
        environ: where each finds its settings.

    Raises:
        AdapterError: a named one is not installed or not configured, or one cannot be loaded.
    """
    installed = _installed()
    if unknown := [name for name in names or () if name not in installed]:
        known = ", ".join(sorted(installed)) or "none"
        raise AdapterError(f"{', '.join(unknown)} is named in THESEUS_ADAPTERS but not installed; installed: {known}")
    loaded: dict[str, Adapter] = {}
    for name in sorted(installed) if names is None else dict.fromkeys(names):
        made = _made(installed[name], environ)
        if made is not None:
            loaded[name] = made
        elif names is not None:
            raise AdapterError(
                f"{name} is named in THESEUS_ADAPTERS but not configured: set the variables that it needs"
            )
        else:
            _log.info("the adapter %s is installed but not configured; it is left out", name)
    return loaded


def adapter_tools(adapters: Mapping[str, Adapter], taken: Sequence[str]) -> list[Tool]:
    """The tools of all adapters, each with the roles that it is for.

    Raises:
        AdapterError: a tool is for no role that takes it, does more than read, or has a name that is `taken` or brought twice.
    """
    found: dict[str, Tool] = {}
    origin = dict.fromkeys(taken, "Theseus or its operator")
    for name, adapter in adapters.items():
        for role, tools in _brought(name, adapter).items():
            for each in tools:
                tool = each.spec.name
                if problem := _problem(role, each):
                    raise AdapterError(f"{name}: {problem}")
                if origin.setdefault(tool, name) != name:
                    words = f"the tool {tool} is brought by {origin[tool]}, too; name the adapters to load in THESEUS_ADAPTERS"
                    raise AdapterError(f"{name}: {words}")
                known = found.get(tool, each)
                found[tool] = replace(known, roles=(*known.roles, role))
    return list(found.values())


def _installed() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        known = found.setdefault(point.name, point)
        if known.value != point.value:
            raise AdapterError(f"two installed packages have an adapter {point.name}: {known.value} and {point.value}")
    return found


def _made(point: EntryPoint, environ: Mapping[str, str]) -> Adapter | None:
    try:
        kind: type[Adapter] = point.load()
    except (ImportError, AttributeError) as error:
        raise AdapterError(f"{point.name}: {point.value} cannot be loaded: {error}") from error
    if not callable(getattr(kind, "create", None)):
        raise AdapterError(f"{point.name}: {point.value} is no adapter: it has no `create`")
    try:
        return kind.create(environ)
    except AdapterError as error:
        raise AdapterError(f"{point.name}: {error}") from error
    except Exception as error:  # noqa: BLE001 - the boundary to code of any author
        # without its words, in which there may be the key that was wrong
        raise AdapterError(f"{point.name}: it cannot be made: {_place(error)}") from None


def _brought(name: str, adapter: Adapter) -> Mapping[str, Sequence[Tool]]:
    try:
        return adapter.tools()
    except Exception as error:  # noqa: BLE001 - the boundary to code of any author
        raise AdapterError(f"{name}: its tools cannot be made: {_place(error)}") from None


def _place(error: Exception) -> str:
    """What went wrong by its kind, and in which line."""
    [*_, last] = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


def _problem(role: str, tool: Tool) -> str:
    name = tool.spec.name
    takers = {each.name: each.vendor_tools for each in PRESETS.values() if each.vendor_tools is not None}
    if role not in takers:
        return f"the role {role} takes no tools of adapters; roles that do: {', '.join(takers)}"
    if takers[role] and name not in takers[role]:
        return f"the role {role} has no tool {name}; its tools: {', '.join(takers[role])}"
    if tool.spec.effect is not Effect.READ:
        return f"the tool {name} has the effect {tool.spec.effect}; tools of adapters only read"
    return ""
