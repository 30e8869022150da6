"""What a conversation found, for an agent that did not get to say it."""

from collections.abc import Sequence

from theseus.contracts.messages import AssistantMessage, Message, ToolMessage

SHOWN_CHARS = 600
SHOWN_RESULTS = 10


def evidence(messages: Sequence[Message]) -> str:
    """The last words of the assistant; without any, the heads of the last tool results; empty when there is nothing."""
    words = [m.text for m in messages if isinstance(m, AssistantMessage) and m.text.strip()]
    if words:
        return words[-1]
    found = [m for m in messages if isinstance(m, ToolMessage) and not m.is_error][-SHOWN_RESULTS:]
    if not found:
        return ""
    shown = "\n".join(f"- {m.name}: {' '.join(m.text.split())[:SHOWN_CHARS]}" for m in found)
    return f"No summary was written. What was found:\n{shown}"
