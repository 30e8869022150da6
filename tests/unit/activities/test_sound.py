"""Halves of characters, which some providers send, reach no store and no history."""

import pytest

from theseus.activities.llm.sound import sound, sound_message
from theseus.contracts.messages import AssistantMessage, ToolCall


@pytest.mark.parametrize(
    ("text", "made"),
    [("plain ä 🤖", "plain ä 🤖"), ("\ud83e\udd16", "🤖"), ("half \ud83d of", "half \ufffd of"), ("", "")],
)
def test_pairs_are_joined_and_lone_halves_replaced(text: str, made: str) -> None:
    assert sound(text) == made


def test_all_texts_of_a_message_are_made_sound() -> None:
    message = AssistantMessage(text="\ud83d", tool_calls=(ToolCall(id="1", name="a", arguments='{"x": "\ud83d"}'),))
    assert sound_message(message).model_dump_json()
