"""Text of models made sound: halves of characters, which no JSON and no store can carry, are joined or replaced."""

from theseus.contracts.messages import AssistantMessage


def sound(text: str) -> str:
    """The text with its surrogate pairs joined and lone surrogates replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def sound_message(message: AssistantMessage) -> AssistantMessage:
    """The message with all its texts sound."""
    calls = tuple(
        call.model_copy(update={"id": sound(call.id), "name": sound(call.name), "arguments": sound(call.arguments)})
        for call in message.tool_calls
    )
    return message.model_copy(update={"text": sound(message.text), "tool_calls": calls})
