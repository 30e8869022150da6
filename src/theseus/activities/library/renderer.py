"""The process that renders texts: it may use little memory and time, and has nothing that is worth reaching.

`python -m theseus.activities.library.renderer` reads a request a line and writes an answer for each of its texts, both JSON.
"""

import json
import resource
import signal
import sys
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Set, ValuesView
from copy import deepcopy
from types import FrameType
from typing import Any, NoReturn, cast

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import JsonValue

from theseus.activities.library.texts import environment, lone_expression

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 2.0
"""Processor time for one text."""
MAX_BYTES = 48 * 1024
"""What one text may come to."""
MOST_BYTES = 1024 * 1024
"""What the texts of one step may come to together: they are one event of a history."""
MESSAGE_CHARS = 300


_OF_TEXTS = (
    *(TemplateError, ArithmeticError, LookupError, NameError, TypeError, ValueError, AttributeError),
    *(AssertionError, RuntimeError),
)


class _TooLong(Exception):
    pass


def main() -> None:
    """Renders what comes in until nothing more does."""
    _confine()
    env = environment()
    for line in sys.stdin:
        request = json.loads(line)
        sees: dict[str, Any] = request["sees"]
        room: int = request["room"]
        for text in request["texts"]:
            answer = _answer(env, text, sees, room)
            room -= answer.get("size", 0)
            _say({"id": text["id"], **answer})
            if text["is_result"] and "value" in answer:
                sees["results"][text["id"]] = answer["value"]


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGVTALRM, _stop)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TooLong


def _answer(
    env: ImmutableSandboxedEnvironment, text: Mapping[str, Any], sees: Mapping[str, Any], room: int
) -> dict[str, Any]:
    try:
        names = _own(text, sees)
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
        # arithmetic on huge numbers hears no signal: this one ends the process
        signal.setitimer(signal.ITIMER_PROF, 2 * CPU_SECONDS)
        try:
            value = _filled(env, text["source"], names, native=not isinstance(text["source"], str) or text["native"])
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
        # half a character, as a `\\ud800` of a page has it, is none that a history can hold
        said = json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    except _TooLong:
        return {"error": f"it takes more than {CPU_SECONDS:g} s to render"}
    except MemoryError:
        return {"error": "it takes too much memory to render"}
    except RecursionError:
        return {"error": "it is nested too deeply"}
    # what filters and arithmetic raise is the text's doing, like the template's own errors
    except _OF_TEXTS as error:
        return {"error": f"{type(error).__name__}: {str(error)[:MESSAGE_CHARS]}"}
    if text["is_prompt"] and not str(value).strip():
        return {"error": "it is empty"}
    if len(said) > MAX_BYTES:
        return {"error": _too_large()}
    if len(said) > room:
        return {"error": f"the texts of one step come to more than {MOST_BYTES} bytes together"}
    return {"value": json.loads(said), "size": len(said)}


def _own(text: Mapping[str, Any], sees: Mapping[str, Any]) -> dict[str, Any]:
    """What a text sees; whatever it does to it, by any hole, no other text sees. Results are texts, which nothing changes."""
    names = {name: deepcopy(value) if name != "results" else dict(value) for name, value in sees.items()}
    return names if text["index"] is None else {**names, "item": text["item"], "index": text["index"]}


def _too_large() -> str:
    return f"it comes to more than {MAX_BYTES} bytes"


def _filled(env: ImmutableSandboxedEnvironment, source: JsonValue, names: Mapping[str, Any], *, native: bool) -> Any:
    if isinstance(source, dict):
        return {key: _filled(env, value, names, native=True) for key, value in source.items()}
    if isinstance(source, list):
        return [_filled(env, value, names, native=True) for value in source]
    if not isinstance(source, str):
        return source
    if native and (expression := lone_expression(env, source)) is not None:
        return _plain(env.compile_expression(expression, undefined_to_none=False)(**names))
    return _text(env, source, names)


def _text(env: ImmutableSandboxedEnvironment, source: str, names: Mapping[str, Any]) -> str:
    parts: list[str] = []
    room = MAX_BYTES
    for part in env.from_string(source).generate(**names):
        room -= len(part)
        if room < 0:
            raise ValueError(_too_large())
        parts.append(part)
    return "".join(parts)


def _plain(value: Any) -> Any:
    """The value as JSON has it; an undefined one is an error, anything else that JSON has not is its text."""
    return json.loads(json.dumps(value, default=_known_to_json))


def _known_to_json(value: object) -> object:
    # what filters such as `map` and `select` give is a list that is not there yet
    is_list = isinstance(value, Iterator | range | Set | KeysView | ValuesView | ItemsView)
    return list(cast("Iterable[object]", value)) if is_list else str(value)


if __name__ == "__main__":
    main()
