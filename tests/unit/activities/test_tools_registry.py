"""A typed function is all that a tool needs; whatever goes wrong with a call is a value that a model can act on."""

import asyncio
import threading
from datetime import timedelta
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from theseus.activities.tools.registry import Registry, Tool, ToolContext, ToolDefinitionError, ToolError, tool
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect

SECOND = timedelta(seconds=1)
CONTEXT = ToolContext(SessionKey(session_id="s"), task_id="task-1", idempotency_key="task-1:4:c")


class Place(BaseModel):
    """Where."""

    city: str
    days: int = 1


@tool(effect=Effect.READ, timeout=SECOND)
async def weather(
    place: Place,
    context: ToolContext,
    units: Literal["c", "f"] = "c",
    hours: Annotated[list[Annotated[int, Field(ge=0, le=23)]] | None, Field(description="Hours of the day.")] = None,
) -> str:
    """Tells the weather.

    Only of places
    that exist.

    Args:
        place: where, and for how
            many days
        context: who asks
        units: degrees
    """
    return f"{place.city} {place.days} {units} {hours} {context.task_id}"


@tool(effect=Effect.WRITE, timeout=SECOND)
def ledger(amount: int) -> dict[str, int]:
    """Books an amount.

    Args:
        amount: in cents
    """
    if amount < 0:
        raise ToolError("An amount is not negative: leave the sign out.")
    if amount == 13:
        raise KeyError("thirteen")
    return {"booked": amount}


def call(name: str, arguments: str) -> ToolCall:
    return ToolCall(id="c", name=name, arguments=arguments)


def test_a_spec_is_the_functions_signature_and_docstring_without_the_context() -> None:
    spec = weather.spec
    assert (spec.name, spec.effect, spec.timeout) == ("weather", Effect.READ, SECOND)
    assert spec.description == "Tells the weather.\n\nOnly of places\nthat exist."
    parameters: Any = spec.parameters
    assert set(parameters["properties"]) == {"place", "units", "hours"}
    assert parameters["required"] == ["place"]
    assert parameters["additionalProperties"] is False
    assert parameters["properties"]["place"]["description"] == "where, and for how many days"
    assert parameters["properties"]["units"] == {
        "default": "c",
        "description": "degrees",
        "enum": ["c", "f"],
        "type": "string",
    }
    assert parameters["properties"]["hours"]["description"] == "Hours of the day."
    jsonschema.Draft202012Validator.check_schema(parameters)


def test_a_tool_without_parameters_has_an_empty_object_schema() -> None:
    @tool(effect=Effect.READ, timeout=SECOND)
    def today() -> str:
        """Tells the day."""
        return "Monday"

    assert today.spec.parameters == {"type": "object", "properties": {}, "additionalProperties": False}


async def test_arguments_are_parsed_and_the_context_is_injected() -> None:
    registry = Registry([weather, ledger])
    outcome = await registry.run(call("weather", '{"place": {"city": "Porto"}, "hours": ["7"]}'), CONTEXT)
    assert (outcome.text, outcome.is_error) == ("Porto 1 c [7] task-1", False)


async def test_a_plain_function_runs_in_a_thread_and_its_answer_is_said_in_json() -> None:
    seen: list[str] = []

    @tool(effect=Effect.READ, timeout=SECOND)
    def where() -> list[int]:
        """Tells where it runs."""
        seen.append(threading.current_thread().name)
        return [1]

    outcome = await Registry([where]).run(call("where", ""), CONTEXT)
    assert outcome.text == "[\n  1\n]"
    assert seen != [threading.main_thread().name]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"place": {"city": "Porto"}, "units": "k"}', "units: Input should be 'c' or 'f'"),
        ('{"place": {}}', "place.city: Field required"),
        ('{"place": {"city": "Porto"}, "hours": [1, 99]}', "hours.1: Input should be less than or equal to 23"),
        ('{"place": {"city": "Porto"}, "context": {}}', "context: Extra inputs are not permitted"),
        ("{'place': 1}", "Invalid JSON"),
        ("[]", "arguments: Input should be an object"),
        ("", "place: Field required"),
        ("[" * 100_000, "Invalid JSON: recursion limit exceeded"),
    ],
)
async def test_bad_arguments_are_a_value_that_says_what_to_correct(arguments: str, told: str) -> None:
    outcome = await Registry([weather]).run(call("weather", arguments), CONTEXT)
    assert outcome.is_error
    assert told in outcome.text
    assert "it was not run" in outcome.text
    assert "Parameters: place (required), units, hours." in outcome.text


@given(st.text(max_size=200))
def test_any_arguments_at_all_give_an_outcome(arguments: str) -> None:
    outcome = asyncio.run(Registry([ledger]).run(call("ledger", arguments), CONTEXT))
    assert outcome.text


async def test_an_unknown_tool_is_a_value_that_names_those_there_are() -> None:
    outcome = await Registry([weather, ledger]).run(call("nonsense", "{}"), CONTEXT)
    assert (outcome.text, outcome.is_error) == ("There is no tool 'nonsense'. Tools: weather, ledger", True)


async def test_a_declared_failure_is_told_word_by_word_and_a_bug_is_told_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = Registry([ledger])
    declared = await registry.run(call("ledger", '{"amount": -1}'), CONTEXT)
    assert (declared.text, declared.is_error) == ("An amount is not negative: leave the sign out.", True)
    assert not caplog.records
    bug = await registry.run(call("ledger", '{"amount": 13}'), CONTEXT)
    assert (bug.text, bug.is_error) == ("ledger failed unexpectedly. KeyError: 'thirteen'", True)
    (record,) = caplog.records
    assert record.exc_info
    assert "task-1" in record.getMessage()


@pytest.mark.parametrize(
    "words",
    [
        "Client error '401 Unauthorized' for url 'https://api.vendor.example/v1/news?symbol=A&apikey=hunter2'",
        "GET https://news:hunter2@api.vendor.example/v1/news failed",
        "HTTPSConnectionPool: Max retries exceeded with url: https://api.vendor.example/v1/news?hunter2",
        "no access with api_key=hunter2-hunter2-hunter2",
        "no access with Bearer hunter2-hunter2",
    ],
)
async def test_what_a_client_s_error_says_has_no_key_in_it(words: str) -> None:
    @tool(effect=Effect.READ, timeout=SECOND)
    async def asks() -> str:
        """Asks a vendor."""
        raise RuntimeError(words)

    told = await Registry([asks]).run(call("asks", "{}"), CONTEXT)
    assert told.is_error and "hunter2" not in told.text
    assert told.text.startswith("asks failed unexpectedly. RuntimeError: ")
    assert "api.vendor.example/v1/news" in told.text or "no access with" in told.text, "what is no key stays"


async def test_exceptions_named_by_the_tool_are_failures_of_it_not_bugs(caplog: pytest.LogCaptureFixture) -> None:
    @tool(effect=Effect.READ, timeout=SECOND, failures=(LookupError,))
    async def find() -> str:
        """Finds."""
        raise LookupError("nothing is there")

    outcome = await Registry([find]).run(call("find", "{}"), CONTEXT)
    assert (outcome.text, outcome.is_error) == ("nothing is there", True)
    assert not caplog.records


@pytest.mark.parametrize(
    ("effect", "told"), [(Effect.READ, "Ask for less"), (Effect.WRITE, "Whether it had an effect is not known")]
)
async def test_a_tool_that_takes_too_long_is_stopped_and_a_value(effect: Effect, told: str) -> None:
    ended = asyncio.Event()

    @tool(effect=effect, timeout=timedelta(seconds=0.05), failures=(OSError,))
    async def slow() -> str:
        """Takes its time."""
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return ""

    outcome = await Registry([slow]).run(call("slow", "{}"), CONTEXT)
    assert outcome.is_error
    assert "slow did not finish within 0.05 s" in outcome.text
    assert told in outcome.text
    assert ended.is_set()


async def test_a_timeout_of_the_tools_own_is_not_taken_for_the_tools_limit() -> None:
    @tool(effect=Effect.READ, timeout=SECOND)
    async def hasty() -> str:
        """Gives up at once."""
        raise TimeoutError("the far end did not answer")

    outcome = await Registry([hasty]).run(call("hasty", "{}"), CONTEXT)
    assert "the far end did not answer" in outcome.text


async def test_cancellation_is_no_value() -> None:
    @tool(effect=Effect.READ, timeout=timedelta(seconds=60))
    async def endless() -> str:
        """Never ends."""
        await asyncio.sleep(60)
        return ""

    running = asyncio.create_task(Registry([endless]).run(call("endless", "{}"), CONTEXT))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_names_specs_and_facts_are_those_of_the_tools() -> None:
    registry = Registry([weather, ledger])
    assert registry.names == ("weather", "ledger")
    assert registry.specs(["ledger"]) == [ledger.spec]
    assert [(facts.name, facts.effect) for facts in registry.facts()] == [
        ("weather", Effect.READ),
        ("ledger", Effect.WRITE),
    ]
    with pytest.raises(KeyError, match=r"There is no tool 'x'\. Tools: weather, ledger"):
        registry.specs(["weather", "x"])


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="two tools are named 'ledger'"):
        Registry([ledger, ledger])


def _define(function: Any) -> Tool:
    return tool(effect=Effect.READ, timeout=SECOND)(function)


def _undocumented(a: int) -> str:
    return str(a)


def _untyped(a: int) -> str:
    """Has no type.

    Args:
        a: a thing
    """
    return str(a)


del _untyped.__annotations__["a"]


def _undescribed(a: int) -> str:
    """Says nothing of its parameter."""
    return str(a)


def _misdescribed(a: int) -> str:
    """Describes what is not there.

    Args:
        a: a thing
        b: another thing
    """
    return str(a)


def _variadic(*a: int) -> str:
    """Takes any number.

    Args:
        a: things
    """
    return str(a)


def _taken(copy: int) -> str:
    """Has a name that is taken.

    Args:
        copy: a thing
    """
    return str(copy)


def _unsayable(a: threading.Lock) -> str:
    """Wants what no JSON can say.

    Args:
        a: a lock
    """
    return str(a)


def _ärger() -> str:
    """Has a name that no provider takes."""
    return ""


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (_undocumented, "write a docstring"),
        (_untyped, "the parameter 'a' needs a type"),
        (_undescribed, "say in `Args:` what 'a' is"),
        (_misdescribed, "describes b, which it does not take"),
        (_variadic, "cannot be given by name"),
        (_taken, "the parameter name 'copy' is taken"),
        (_unsayable, "a parameter's type"),
        (_ärger, "a name has 1 to 64 letters"),
        (lambda: "", "a name has 1 to 64 letters"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused_when_it_is_defined(function: Any, why: str) -> None:
    with pytest.raises(ToolDefinitionError, match=why):
        _define(function)


def test_a_timeout_is_above_zero() -> None:
    with pytest.raises(ToolDefinitionError, match="the timeout must be above 0"):
        tool(effect=Effect.READ, timeout=timedelta(0))(_undescribed)
