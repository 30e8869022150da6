"""Any conversation that ends with its user is a query and turns, in which the user speaks first and each has words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.gateway.openai.conversation import BEGINS, talk_of
from theseus.gateway.openai.request import Message
from theseus.gateway.refusals import Refusal


def said(*messages: tuple[str, Any]) -> list[Message]:
    return [Message.model_validate({"role": role, "content": content}) for role, content in messages]


def test_what_was_said_before_are_turns_and_the_last_words_are_the_query() -> None:
    talk = talk_of(said(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")))
    assert (talk.before, talk.query) == ((("a", "b"), ("c", "d")), "e")


def test_words_in_a_row_are_one_message() -> None:
    talk = talk_of(
        said(("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d"), ("user", "e"), ("user", "f"))
    )
    assert (talk.before, talk.query) == ((("a\n\nb", "c\n\nd"),), "e\n\nf")


def test_an_assistant_may_begin() -> None:
    assert talk_of(said(("assistant", "welcome"), ("user", "hi"))).before == ((BEGINS, "welcome"),)


def test_systems_and_developers_words_are_one_prompt_wherever_they_stand() -> None:
    talk = talk_of(said(("system", "a"), ("user", "q"), ("developer", "b")))
    assert (talk.system, talk.query) == ("a\n\nb", "q")


def test_a_user_with_a_name_is_told_apart() -> None:
    assert talk_of([Message(role="user", content="hi", name="Ada")]).query == "Ada: hi"


def test_parts_are_put_together_and_files_are_named_where_they_stood() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    talk = talk_of(said(("user", [{"type": "text", "text": "see"}, image]), ("assistant", "ok"), ("user", [image])))
    assert talk.before == (("see\n[Attached: file-1.png]", "ok"),)
    assert talk.query == "[Attached: file-2.png]"
    assert [each["name"] for each in talk.attachments] == ["file-1.png", "file-2.png"]


@pytest.mark.parametrize(
    "messages", [said(("assistant", "a")), said(("system", "a")), said(("user", "a"), ("assistant", "b"))]
)
def test_a_conversation_that_does_not_end_with_its_user_is_refused(messages: list[Message]) -> None:
    with pytest.raises(Refusal, match="the last message must be the user's"):
        talk_of(messages)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(max_size=4)), max_size=8))
def test_every_turn_has_words_of_both(messages: list[tuple[str, str]]) -> None:
    talk = talk_of(said(*messages, ("user", "q")))
    assert talk.query.endswith("q")
    assert all(user.strip() and answer.strip() for user, answer in talk.before)
