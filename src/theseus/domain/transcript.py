"""How a conversation becomes a chain of content-addressed nodes, and back."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from theseus.contracts.messages import Head, Message

_MESSAGES: TypeAdapter[tuple[Message, ...]] = TypeAdapter(tuple[Message, ...])


@dataclass(frozen=True)
class Node:
    """A link of a conversation: its canonical JSON text and the hash of that text."""

    hash: str
    text: str


def head_node(head: Head) -> Node:
    """The first link of a conversation."""
    return _node({"head": head.model_dump(mode="json")})


def message_node(parent: str, messages: Sequence[Message]) -> Node:
    """The link that puts `messages` after everything up to `parent`."""
    return _node({"parent": parent, "messages": _MESSAGES.dump_python(tuple(messages), mode="json")})


def unfold(nodes: Mapping[str, str], tip: str) -> tuple[Head, list[Message]] | None:
    """The conversation that ends in `tip`, or None when a link of it is missing."""
    batches: list[tuple[Message, ...]] = []
    seen = tip
    while (text := nodes.get(seen)) is not None:
        data = json.loads(text)
        if "head" in data:
            return Head.model_validate(data["head"]), [m for batch in reversed(batches) for m in batch]
        batches.append(_MESSAGES.validate_python(data["messages"]))
        seen = data["parent"]
    return None


def _node(data: Mapping[str, object]) -> Node:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Node(hash=hashlib.sha256(text.encode()).hexdigest()[:32], text=text)
