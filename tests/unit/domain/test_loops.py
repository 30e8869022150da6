"""The third same tool call is one too many; a different one never is."""

from theseus.contracts.messages import ToolCall
from theseus.domain.loops import LoopDetector


def call(name: str = "t", arguments: str = '{"a": 1}') -> ToolCall:
    return ToolCall(id="x", name=name, arguments=arguments)


def test_the_third_same_call_is_a_loop_whatever_the_order_of_its_arguments() -> None:
    loops = LoopDetector()
    seen = [loops.is_loop(call(arguments=text)) for text in ('{"a": 1, "b": 2}', '{"b":2,"a":1}', '{ "a":1, "b":2 }')]
    assert seen == [False, False, True]


def test_other_arguments_and_other_tools_are_other_calls() -> None:
    loops = LoopDetector()
    assert not any(loops.is_loop(call(arguments=f'{{"a": {n}}}')) for n in range(20))
    assert not any(loops.is_loop(call(name=f"t{n}")) for n in range(20))


def test_arguments_that_are_no_json_are_compared_as_they_are() -> None:
    loops = LoopDetector()
    assert [loops.is_loop(call(arguments="{oops")) for _ in range(3)] == [False, False, True]


def test_the_same_call_is_no_loop_while_it_sees_something_new() -> None:
    loops = LoopDetector()
    assert not any(loops.is_loop(call(), f"page {n}") for n in range(20))
    assert [loops.is_loop(call(), "the end") for _ in range(3)] == [False, False, True]
