"""A conversation as its workflow holds it: whole, with what the transcript store already has and what is new."""

from dataclasses import dataclass, field

from theseus.contracts.messages import AssistantMessage, Head, Message, TranscriptPart
from theseus.domain.tokens import IMAGE_TOKENS, estimate, estimate_messages
from theseus.domain.transcript import Node, head_node, message_node

INLINE_BYTES = 48 * 1024
"""A request larger than this goes to the transcript store in parts first, so that no history event grows past 64 KB."""

SHOWN_FACT_CHARS = 16_000
"""A prompt shows no more of one fact (roles/role.py)."""
TOOL_SPEC_TOKENS = 250
"""Estimate of what one tool's description costs, until the provider has counted."""


@dataclass
class Conversation:
    """Head and messages, in the batches in which they went to the store; the last batch may not be sent yet."""

    head: Head
    window_tokens: int = 0
    tip: str | None = None
    _batches: list[tuple[Message, ...]] = field(default_factory=list[tuple[Message, ...]])
    _pending: list[Message] = field(default_factory=list[Message])
    _known_tokens: int | None = None

    def say(self, *messages: Message) -> None:
        """Adds messages that the model has not seen."""
        self._pending.extend(messages)

    @property
    def delta(self) -> tuple[Message, ...]:
        """What the next request carries."""
        return tuple(self._pending)

    @property
    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return [message for batch in self._batches for message in batch] + self._pending

    @property
    def size_bytes(self) -> int:
        """The messages as JSON."""
        return len(message_node("", self.messages).text.encode())

    def input_tokens(self, tools: int) -> int:
        """Input of the next call with so many tools: counted by the provider as far as it saw, estimated beyond."""
        new = estimate_messages(self._pending)
        if self._known_tokens is not None:
            return self._known_tokens + new
        return self.window_tokens + _head_tokens(self.head) + TOOL_SPEC_TOKENS * tools + new

    def took(self, answer: AssistantMessage, tip: str, known_tokens: int) -> None:
        """The delta was sent and answered.

        Args:
            answer: what came back.
            tip: hash of the conversation with the answer.
            known_tokens: input and output of the call, which are the next call's input so far.
        """
        if self._pending:
            self._batches.append(tuple(self._pending))
        self._batches.append((answer,))
        self._pending.clear()
        self._known_tokens = known_tokens
        self.tip = tip

    def start_over(self) -> None:
        """Makes the next request carry the whole conversation in itself."""
        self._pending = self.messages
        self._batches.clear()
        self.tip = None

    @property
    def is_large(self) -> bool:
        """Whether the next request would be too large for a history event."""
        head = head_node(self.head).text if self.tip is None else ""
        return len((head + message_node("", self._pending).text).encode()) > INLINE_BYTES

    def set_down(self, conversation_id: str) -> list[TranscriptPart]:
        """Closes what is pending into a link of its own and gives the parts that the store then needs."""
        known = len(self._batches) + 1 if self.tip is not None else 0
        self._batches.append(tuple(self._pending))
        self._pending.clear()
        nodes = self._nodes()
        self.tip = nodes[-1].hash
        return [part for node in nodes[known:] for part in _slices(conversation_id, node)]

    def parts(self, conversation_id: str) -> list[TranscriptPart]:
        """All that the store should have, in slices that are small enough for a history event."""
        return [part for node in self._nodes() for part in _slices(conversation_id, node)]

    def _nodes(self) -> list[Node]:
        chain = [head_node(self.head)]
        for batch in self._batches:
            chain.append(message_node(chain[-1].hash, batch))
        return chain


def _slices(conversation_id: str, node: Node) -> list[TranscriptPart]:
    # counted in characters, which are up to four bytes each
    step = INLINE_BYTES // 4
    texts = [node.text[at : at + step] for at in range(0, len(node.text), step)]
    return [
        TranscriptPart(conversation=conversation_id, hash=node.hash, part=n, parts=len(texts), text=text)
        for n, text in enumerate(texts)
    ]


def _head_tokens(head: Head) -> int:
    # prompts show so much of a fact and no more
    facts = [str(value)[:SHOWN_FACT_CHARS] for value in head.facts.values()]
    return 600 + sum(estimate(fact) for fact in facts) + IMAGE_TOKENS * len(head.images)
