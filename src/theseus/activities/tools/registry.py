"""What a tool is: a typed function that becomes a spec for models, and the registry that runs calls of it.

Tools that others describe, by a JSON Schema of their own, are made in `declared.py` and run by the same registry. Whatever goes wrong with a call is a value that goes back to the model; only cancellation leaves `Registry.run`.
"""

import asyncio
import inspect
import logging
import re
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from docstring_parser import Docstring, DocstringStyle, ParseError, parse
from pydantic import BaseModel, ConfigDict, JsonValue, PydanticUserError, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails, PydanticSerializationError, to_json

from theseus.activities.tools.allowance import UNLIMITED, Allowance
from theseus.contracts.messages import ToolCall
from theseus.contracts.research import Card, ResearchCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect, ToolFacts, ToolSpec
from theseus.domain.redaction import without_keys

_log = logging.getLogger("theseus.tools")

PROBLEMS_SHOWN = 8
"""So many problems of one call's arguments are told at once."""
MESSAGE_CHARS = 500
SOURCE_MARK = "__"
"""Stands between the name of a source and the name of a tool that it serves."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


class ToolError(Exception):
    """A tool could not do what it was asked; the message goes to the model and says what to do instead."""


class ToolDefinitionError(TypeError):
    """A function cannot be a tool; raised when it is defined, never when it is called."""


class UnknownToolError(KeyError):
    """No tool has that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = tuple(known)

    def __str__(self) -> str:
        return f"There is no tool {self.name!r}. Tools: {', '.join(self.known) or 'none'}"


@dataclass(frozen=True)
class ToolContext:
    """Who calls a tool. A parameter of this type is filled in by the registry and never shown to a model.

    `idempotency_key` is the same for every try of one call: a tool that writes hands it on to whom it writes to.
    `research` is there for a researcher's calls. `given` is the `context` that the caller of the task gave.
    """

    session: SessionKey
    task_id: str
    idempotency_key: str
    agent: str = ""
    research: ResearchCall | None = None
    given: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue], repr=False)

    def get(self, key: str, default: JsonValue = None) -> JsonValue:
        """What the caller gave by this key in `context`, else in its `prompt_params`, else the default."""
        params = self.given.get("prompt_params")
        within = params if isinstance(params, dict) else {}
        return self.given[key] if key in self.given else within.get(key, default)


@dataclass(frozen=True)
class Outcome:
    """What a call gave: text for the model, whole, whatever its length, and evidence that was admitted.

    `queue` is the task queue of the worker that holds what the next call of this kind needs.
    """

    text: str
    is_error: bool = False
    cards: tuple[Card, ...] = ()
    queue: str = ""


class ArgumentsError(ValueError):
    """A call's arguments do not fit the tool; `problems` say what to correct, one a line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Tool:
    """A spec and what runs a call of it.

    `read` takes a model's arguments, as JSON text, to values, and raises ArgumentsError for what does not fit; `work`
    does the call with them. `failures` are exceptions whose message is meant for the model, like ToolError's. `roles` are
    those that an adapter brings it for.
    """

    spec: ToolSpec
    read: Callable[[str], Mapping[str, object]]
    work: Callable[[Mapping[str, object], ToolContext], Awaitable[object]]
    failures: tuple[type[Exception], ...] = ()
    roles: tuple[str, ...] = ()


def tool(
    *, effect: Effect, timeout: timedelta, failures: tuple[type[Exception], ...] = ()
) -> Callable[[Callable[..., object]], Tool]:
    """Makes a tool of a typed function with a Google docstring.

    The name is the function's; the docstring's text is the description, its `Args:` describe the parameters (a
    `Field(description=...)` does so too and wins). A plain function runs in a thread, which no timeout can stop: it has
    to end by itself. The answer is text, or something that JSON can say.

    Args:
        effect: what a call does to the world, so whether it may be repeated.
        timeout: how long one call may take.
        failures: exceptions whose message is meant for the model; ToolError always is.

    Raises:
        ToolDefinitionError: the function has no docstring, a parameter without type or description, or a bad name.
    """

    def define(function: Callable[..., object]) -> Tool:
        name = getattr(function, "__name__", "")
        if not _NAME.fullmatch(name):
            raise ToolDefinitionError(f"tool {name!r}: a name has 1 to 64 letters, digits, '_' or '-', all ASCII")
        if timeout <= timedelta(0):
            raise ToolDefinitionError(f"tool {name!r}: the timeout must be above 0, not {timeout}")
        documented = _documented(name, function)
        arguments, context_parameter = _arguments(name, function, documented)
        spec = ToolSpec(
            name=name,
            description=(documented.description or "").strip(),
            parameters=_schema(name, arguments),
            effect=effect,
            timeout=timeout,
        )
        return Tool(spec, _reader(arguments), _worker(function, context_parameter), failures)

    return define


def _reader(arguments: type[BaseModel]) -> Callable[[str], Mapping[str, object]]:
    def read(text: str) -> Mapping[str, object]:
        try:
            given = arguments.model_validate_json(text)
        except ValidationError as error:
            raise ArgumentsError(
                [_problem(item) for item in error.errors(include_url=False, include_input=False)]
            ) from error
        return {name: getattr(given, name) for name in arguments.model_fields}

    return read


def _problem(item: ErrorDetails) -> str:
    return f"{'.'.join(str(part) for part in item['loc']) or 'arguments'}: {item['msg']}"


def _worker(
    function: Callable[..., object], context_parameter: str | None
) -> Callable[[Mapping[str, object], ToolContext], Awaitable[object]]:
    async def work(values: Mapping[str, object], context: ToolContext) -> object:
        given = dict(values) if context_parameter is None else {**values, context_parameter: context}
        if inspect.iscoroutinefunction(function):
            return await function(**given)
        return await asyncio.to_thread(function, **given)

    return work


class Registry:
    """The tools of a worker, by name.

    Args:
        tools: those that are there as long as the worker.
        sources: names of those who serve further tools, `<source>__<tool>`, and may come late or go; see `put`.
        allowance: which tenant may use which tool.

    Raises:
        ToolDefinitionError: two tools have the same name.
    """

    def __init__(self, tools: Iterable[Tool], sources: Iterable[str] = (), allowance: Allowance = UNLIMITED) -> None:
        self._own: dict[str, Tool] = {}
        self._served: dict[str, dict[str, Tool]] = {source: {} for source in sources}
        self._allowance = allowance
        for each in tools:
            if each.spec.name in self._own:
                raise ToolDefinitionError(f"two tools are named {each.spec.name!r}: rename one of the functions")
            self._own[each.spec.name] = each

    def put(self, source: str, tools: Iterable[Tool]) -> None:
        """Takes these for all tools of a source."""
        self._served[source] = {each.spec.name: each for each in tools}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tools, in the order they were given."""
        return tuple(self._all())

    def specs(self, names: Sequence[str]) -> list[ToolSpec]:
        """What a model is told of these tools, in the order asked; without those whose source is away now.

        Raises:
            UnknownToolError: there is no tool of that name.
        """
        known = self._all()
        if unknown := [name for name in names if name not in known and self._source_of(name) is None]:
            raise UnknownToolError(unknown[0], known)
        return [known[name].spec for name in names if name in known]

    def facts(self, tenant_id: str = "") -> tuple[ToolFacts, ...]:
        """What a workflow must know of each tool that this tenant may use."""
        usable = (each for each in self._all().values() if self._allowance.allows(tenant_id, each.spec.name))
        return tuple(
            ToolFacts(name=each.spec.name, effect=each.spec.effect, timeout=each.spec.timeout, roles=each.roles)
            for each in usable
        )

    async def run(self, call: ToolCall, context: ToolContext) -> Outcome:
        """Runs one call within its tool's timeout. Never raises but for cancellation."""
        found = self._find(call.name, context.session.tenant_id)
        if isinstance(found, Outcome):
            return found
        try:
            given = found.read(call.arguments.strip() or "{}")
        except ArgumentsError as error:
            return Outcome(_problems(found.spec, error.problems), is_error=True)
        limit = asyncio.timeout(found.spec.timeout.total_seconds())
        try:
            async with limit:
                answer = await found.work(given, context)
                return answer if isinstance(answer, Outcome) else Outcome(_as_text(answer))
        except Exception as error:  # noqa: BLE001 - the boundary to code of any author: its bug must not end the task
            if limit.expired():
                return Outcome(_too_long(found.spec), is_error=True)
            if isinstance(error, (ToolError, *found.failures)):
                return Outcome(str(error) or type(error).__name__, is_error=True)
            _log.exception("tool %s failed unexpectedly (task %s)", call.name, context.task_id)
            told = f"{type(error).__name__}: {without_keys(str(error))}"[:MESSAGE_CHARS]
            return Outcome(f"{call.name} failed unexpectedly. {told}", is_error=True)

    def _all(self) -> dict[str, Tool]:
        found = dict(self._own)
        for tools in self._served.values():
            for name, each in tools.items():
                # what is served takes the place of nothing that is ours
                found.setdefault(name, each)
        return found

    def _find(self, name: str, tenant_id: str) -> Tool | Outcome:
        """The tool, or what to say when there is none that this tenant may use."""
        known = self._all()
        usable = [each for each in known if self._allowance.allows(tenant_id, each)]
        if name in usable:
            return known[name]
        source = self._source_of(name)
        if source is not None and name not in known and self._allowance.allows(tenant_id, name):
            return Outcome(
                f"{name} cannot be used now: {source} is away. Go on without it, or try later.", is_error=True
            )
        if name in known:
            return Outcome(f"{name} may not be used here. Tools: {', '.join(usable) or 'none'}", is_error=True)
        return Outcome(str(UnknownToolError(name, usable)), is_error=True)

    def _source_of(self, name: str) -> str | None:
        return next((source for source in self._served if name.startswith(f"{source}{SOURCE_MARK}")), None)


def _too_long(spec: ToolSpec) -> str:
    told = f"{spec.name} did not finish within {spec.timeout.total_seconds():g} s and was stopped."
    if spec.effect is Effect.WRITE:
        return f"{told} Whether it had an effect is not known: check before you try again."
    return f"{told} Ask for less, or go on without it."


def _problems(spec: ToolSpec, problems: Sequence[str]) -> str:
    lines = [f"- {problem}" for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        lines.append(f"- and {len(problems) - PROBLEMS_SHOWN} more")
    properties, required = spec.parameters.get("properties"), spec.parameters.get("required")
    must = required if isinstance(required, list) else []
    fields = properties if isinstance(properties, dict) else {}
    known = ", ".join(f"{name} (required)" if name in must else name for name in fields) or "none"
    return (
        f"The arguments of {spec.name} cannot be used; it was not run.\n"
        + "\n".join(lines)
        + f"\nParameters: {known}. Call it again with a JSON object that fits."
    )


def _as_text(answer: object) -> str:
    if isinstance(answer, str):
        return answer
    if answer is None:
        return "done"
    try:
        return to_json(answer, indent=2).decode()
    except PydanticSerializationError as error:
        raise TypeError(f"the tool gave a {type(answer).__name__}, which cannot be said in JSON") from error


class _Schema(GenerateJsonSchema):
    # a title repeats the name and costs tokens in every model call

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def _schema(name: str, arguments: type[BaseModel]) -> dict[str, JsonValue]:
    try:
        made: dict[str, JsonValue] = arguments.model_json_schema(schema_generator=_Schema)
    except PydanticUserError as error:
        raise ToolDefinitionError(f"tool {name!r}: a parameter's type has no JSON Schema: {error.message}") from error
    made.pop("title", None)
    made.setdefault("properties", {})
    return made


def _documented(name: str, function: Callable[..., object]) -> Docstring:
    text = inspect.getdoc(function)
    try:
        documented = parse(text or "", style=DocstringStyle.GOOGLE)
    except ParseError as error:
        raise ToolDefinitionError(f"tool {name!r}: the docstring is not in Google style: {error}") from error
    if not documented.description:
        raise ToolDefinitionError(f"tool {name!r}: write a docstring: it is what a model reads of the tool")
    return documented


def _arguments(name: str, function: Callable[..., object], documented: Docstring) -> tuple[type[BaseModel], str | None]:
    """The parameters as a model that refuses what is not one, and the name of the one that takes the context."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ToolDefinitionError(f"tool {name!r}: a type cannot be found: {error}") from error
    described = {param.arg_name: param.description or "" for param in documented.params}
    fields: dict[str, tuple[object, FieldInfo]] = {}
    context_parameter: str | None = None
    for parameter in inspect.signature(function).parameters.values():
        _check(name, parameter, hints)
        if hints[parameter.name] is ToolContext:
            context_parameter = parameter.name
            described.pop(parameter.name, None)
            continue
        info = _field(parameter, hints[parameter.name], described.pop(parameter.name, ""))
        if not info.description:
            raise ToolDefinitionError(f"tool {name!r}: say in `Args:` what {parameter.name!r} is")
        fields[parameter.name] = (hints[parameter.name], info)
    if described:
        raise ToolDefinitionError(f"tool {name!r}: `Args:` describes {', '.join(described)}, which it does not take")
    return _model(name, fields), context_parameter


def _check(name: str, parameter: inspect.Parameter, hints: Mapping[str, object]) -> None:
    if parameter.kind in _VARIADIC:
        raise ToolDefinitionError(f"tool {name!r}: {parameter} cannot be given by name: take named parameters only")
    if parameter.name not in hints:
        raise ToolDefinitionError(f"tool {name!r}: the parameter {parameter.name!r} needs a type")
    if parameter.name.startswith(("_", "model_")) or hasattr(BaseModel, parameter.name):
        raise ToolDefinitionError(f"tool {name!r}: the parameter name {parameter.name!r} is taken: choose another")


def _field(parameter: inspect.Parameter, hint: object, description: str) -> FieldInfo:
    if parameter.default is inspect.Parameter.empty:
        info = FieldInfo.from_annotation(typing.cast("type", hint))
    else:
        info = FieldInfo.from_annotated_attribute(typing.cast("type", hint), parameter.default)
    if not info.description:
        info.description = " ".join(description.split())
    return info


def _model(name: str, fields: Mapping[str, tuple[object, FieldInfo]]) -> type[BaseModel]:
    config = ConfigDict(extra="forbid", frozen=True)
    try:
        return create_model(name, __config__=config, **typing.cast("dict[str, typing.Any]", dict(fields)))
    except PydanticUserError as error:
        raise ToolDefinitionError(
            f"tool {name!r}: a parameter's type is not one that pydantic knows: {error}"
        ) from error
