"""`extends`: several templates become one, from left to right, a template's own words last."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

Data = dict[str, Any]
"""A template as its file says it, not checked yet."""

_OWN = frozenset({"extends"})
_BY_KEY = ("defaults", "parameters", "metadata")


def merged(bases: Sequence[Mapping[str, Any]], own: Mapping[str, Any]) -> Data:
    """One template out of what it extends and its own file.

    Nodes are merged by id, key by key, in the order in which ids first appear; a node of another type replaces the
    earlier one. Defaults, parameters and metadata are merged by key. Edges are taken from the last that has any. A
    version is never inherited: it is each file's own. All else is the last one's word.
    """
    made: Data = {}
    for base in bases:
        _add(made, {key: value for key, value in base.items() if key != "version"})
    _add(made, own)
    return made


def _add(made: Data, more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if key in _OWN:
            continue
        if key in _BY_KEY and isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = {**made[key], **value}
        elif key == "nodes" and isinstance(value, list) and isinstance(made.get(key), list):
            made[key] = _nodes(made[key], cast("list[Any]", value))
        elif key != "edges" or value:
            made[key] = value


def _nodes(earlier: list[Any], later: list[Any]) -> list[Any]:
    places = {node["id"]: at for at, node in enumerate(earlier) if _has_id(node)}
    found = list(earlier)
    for node in later:
        # one that says an id twice has two nodes of that id, which are refused
        at = places.pop(node["id"], None) if _has_id(node) else None
        if at is None:
            found.append(node)
        elif node.get("type", found[at].get("type")) == found[at].get("type"):
            found[at] = {**found[at], **node}
        else:
            found[at] = node
    return found


def _has_id(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(cast("Data", node).get("id"), str)
