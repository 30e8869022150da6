"""A conversation goes to the store by content and comes back the same; a request carries only what is new."""

import json

from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.messages import (
    AssistantMessage,
    Head,
    Message,
    ToolCall,
    ToolMessage,
    TranscriptPart,
    UserMessage,
)
from theseus.domain.conversation import INLINE_BYTES, Conversation
from theseus.domain.transcript import head_node, message_node, unfold


def assembled(parts: list[TranscriptPart]) -> dict[str, str]:
    texts: dict[str, dict[int, str]] = {}
    for part in parts:
        texts.setdefault(part.hash, {})[part.part] = part.text
    return {name: "".join(slices[n] for n in sorted(slices)) for name, slices in texts.items()}


def exchange(talk: Conversation, said: Message, answer: AssistantMessage, store: dict[str, str]) -> None:
    """What the model activity does with one request."""
    talk.say(said)
    head = head_node(talk.head)
    store[head.hash] = head.text
    parent = talk.tip or head.hash
    for batch in (talk.delta, (answer,)):
        node = message_node(parent, batch)
        store[node.hash], parent = node.text, node.hash
    talk.took(answer, parent, 100)


texts = st.text(max_size=200)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=12), texts)
def test_what_was_said_is_what_the_store_unfolds(turns: list[tuple[str, str]], prompt: str) -> None:
    talk, store = Conversation(Head(role="r", facts={"system_prompt": prompt})), dict[str, str]()
    for asked, answered in turns:
        exchange(talk, UserMessage(text=asked), AssistantMessage(text=answered), store)
    unfolded = unfold(store, talk.tip or "")
    assert unfolded is not None
    assert unfolded[0] == talk.head
    assert unfolded[1] == talk.messages
    assert assembled(talk.parts("c")) == store


def test_a_lost_link_is_noticed() -> None:
    talk, store = Conversation(Head(role="r")), dict[str, str]()
    for n in range(4):
        exchange(talk, UserMessage(text=str(n)), AssistantMessage(text=str(n)), store)
    for name in list(store):
        assert unfold({k: v for k, v in store.items() if k != name}, talk.tip or "") is None


def test_a_delta_holds_only_what_is_new_and_nothing_twice() -> None:
    talk, store = Conversation(Head(role="r")), dict[str, str]()
    exchange(
        talk, UserMessage(text="one"), AssistantMessage(tool_calls=(ToolCall(id="1", name="t", arguments="{}"),)), store
    )
    talk.say(ToolMessage(call_id="1", name="t", text="seen"))
    assert [m.text for m in talk.delta] == ["seen"]


@given(st.text(alphabet='aé中😀\n"', min_size=1, max_size=50))
def test_a_large_delta_is_set_down_in_parts_that_fit_a_history_event(piece: str) -> None:
    text = piece * (INLINE_BYTES // len(piece) + 1)
    talk = Conversation(Head(role="r"))
    talk.say(UserMessage(text=text))
    assert talk.is_large
    parts = talk.set_down("c")
    assert all(len(json.dumps(part.model_dump(), ensure_ascii=False).encode()) < 64 * 1024 for part in parts)
    unfolded = unfold(assembled(parts), talk.tip or "")
    assert unfolded is not None
    assert unfolded[1] == [UserMessage(text=text)]
    assert talk.delta == ()


def test_a_conversation_can_start_over_whole() -> None:
    talk, store = Conversation(Head(role="r")), dict[str, str]()
    exchange(talk, UserMessage(text="one"), AssistantMessage(text="two"), store)
    talk.say(UserMessage(text="three"))
    talk.start_over()
    assert talk.tip is None
    assert [m.text for m in talk.delta] == ["one", "two", "three"]


def test_what_the_provider_counted_is_not_estimated_again() -> None:
    talk = Conversation(Head(role="r"))
    talk.say(UserMessage(text="words " * 1000))
    assert talk.input_tokens(tools=0) > 1000
    talk.took(AssistantMessage(text="ok"), "tip", known_tokens=321)
    assert talk.input_tokens(tools=3) == 321
