"""A conversation comes back from its nodes exactly as it was, whatever its batches; a missing link is seen."""

import json

from hypothesis import given
from hypothesis import strategies as st

from theseus.contracts.messages import AssistantMessage, Head, Message, ToolCall, ToolMessage, UserMessage
from theseus.contracts.session import SessionKey, Window
from theseus.domain.transcript import Node, head_node, message_node, unfold

words = st.text(max_size=20)
calls = st.builds(ToolCall, id=words, name=words, arguments=words)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(UserMessage, text=words),
    st.builds(AssistantMessage, text=words, tool_calls=st.lists(calls, max_size=2).map(tuple)),
    st.builds(ToolMessage, call_id=words, name=words, text=words, is_error=st.booleans()),
)
batches = st.lists(st.lists(messages, max_size=4), max_size=5)
heads = st.builds(
    Head,
    role=words,
    facts=st.dictionaries(words, st.one_of(words, st.integers(), st.lists(words, max_size=2)), max_size=3),
    window=st.one_of(
        st.none(), st.just(Window(session=SessionKey(session_id="s"), before=(1,), summary="x", after=(4, 5)))
    ),
)


def chain(head: Head, parts: list[list[Message]]) -> list[Node]:
    nodes = [head_node(head)]
    for part in parts:
        nodes.append(message_node(nodes[-1].hash, part))
    return nodes


def stored(nodes: list[Node]) -> dict[str, str]:
    return {node.hash: node.text for node in nodes}


@given(heads, batches)
def test_folding_and_unfolding_gives_the_same_conversation(head: Head, parts: list[list[Message]]) -> None:
    nodes = chain(head, parts)
    assert unfold(stored(nodes), nodes[-1].hash) == (head, [message for part in parts for message in part])


@given(heads, batches.filter(bool), st.data())
def test_a_missing_link_gives_none(head: Head, parts: list[list[Message]], data: st.DataObject) -> None:
    nodes = chain(head, parts)
    kept = stored(nodes)
    del kept[data.draw(st.sampled_from(nodes)).hash]
    assert unfold(kept, nodes[-1].hash) is None


@given(heads, batches)
def test_the_hash_follows_from_the_content_alone(head: Head, parts: list[list[Message]]) -> None:
    copy = Head.model_validate_json(head.model_dump_json())
    assert chain(head, parts) == chain(copy, parts)


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_facts_does_not_change_the_hash(order: list[str]) -> None:
    assert head_node(Head(role="r", facts={name: 1 for name in order})) == head_node(
        Head(role="r", facts={"a": 1, "b": 1, "c": 1})
    )


@given(heads, messages, messages)
def test_other_content_or_another_parent_gives_another_hash(head: Head, one: Message, other: Message) -> None:
    root = head_node(head)
    first = message_node(root.hash, [one])
    assert message_node(first.hash, [one]).hash != first.hash
    assert (message_node(root.hash, [other]).hash == first.hash) == (one == other)


def test_a_node_keeps_only_its_own_messages() -> None:
    nodes = chain(Head(role="r"), [[UserMessage(text="first words")], [UserMessage(text="second words")]])
    assert "first words" not in nodes[2].text
    assert json.loads(nodes[2].text)["parent"] == nodes[1].hash


def test_a_tip_in_the_middle_gives_the_conversation_up_to_there() -> None:
    nodes = chain(Head(role="r"), [[UserMessage(text="one")], [UserMessage(text="two")]])
    assert unfold(stored(nodes), nodes[1].hash) == (Head(role="r"), [UserMessage(text="one")])


def test_an_unknown_tip_gives_none() -> None:
    assert unfold({}, "0" * 32) is None
