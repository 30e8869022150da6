"""What was found is kept, even when nobody got to write it up."""

from theseus.contracts.messages import AssistantMessage, Message, ToolMessage, UserMessage
from theseus.domain.evidence import SHOWN_RESULTS, evidence


def result(text: str, *, is_error: bool = False) -> ToolMessage:
    return ToolMessage(call_id="1", name="web_fetch", text=text, is_error=is_error)


def test_the_last_words_of_the_assistant_win() -> None:
    talk: list[Message] = [
        UserMessage(text="q"),
        AssistantMessage(text="first"),
        result("x"),
        AssistantMessage(text="then"),
    ]
    assert evidence(talk) == "then"


def test_without_words_the_results_stand_for_themselves() -> None:
    found = evidence([UserMessage(text="q"), result("a  fact"), result("no", is_error=True)])
    assert "web_fetch: a fact" in found
    assert "no" not in found.splitlines()[-1]


def test_nothing_found_is_nothing() -> None:
    assert evidence([UserMessage(text="q"), AssistantMessage(text="  "), result("bad", is_error=True)]) == ""


def test_much_found_is_cut_to_the_last() -> None:
    found = evidence([result(f"fact {n} " + "x" * 5_000) for n in range(100)])
    assert found.count("web_fetch") == SHOWN_RESULTS
    assert "fact 99" in found and len(found) < 8_000
